/** What the page does beyond showing: theme, copying, and the table of rules. Everything is readable without it. */
const root = document.documentElement;

/**
 * All elements that a selector finds.
 * @template {Element} [E=HTMLElement]
 * @param {string} query
 * @param {ParentNode} [from]
 * @returns {E[]}
 */
const all = (query, from = document) => [...from.querySelectorAll(query)].map((element) => /** @type {E} */ (element));

/** @param {string} id */
const byId = (id) => document.getElementById(id);

/**
 * Says something on a button for a moment.
 * @param {HTMLElement} button
 * @param {string} text
 */
function say(button, text) {
  const was = button.textContent;
  button.textContent = text;
  setTimeout(() => {
    button.textContent = was;
  }, 1500);
}

/** @param {HTMLElement} button */
function offerThemes(button) {
  const themes = ['auto', 'light', 'dark'];
  const stored = () => {
    try {
      return localStorage.getItem('ringfence-theme');
    } catch {
      return null;
    }
  };
  /** @param {string} name */
  const show = (name) => {
    if (name === 'auto') delete root.dataset.theme;
    else root.dataset.theme = name;
    button.textContent = `Theme: ${name}`;
    try {
      localStorage.setItem('ringfence-theme', name);
    } catch {
      /* a page from a file may have no store */
    }
  };
  const last = stored();
  button.hidden = false;
  show(last !== null && themes.includes(last) ? last : 'auto');
  button.addEventListener('click', () => {
    const next = (themes.indexOf(root.dataset.theme ?? 'auto') + 1) % themes.length;
    show(themes[next] ?? 'auto');
  });
}

/** @param {HTMLElement} button */
function offerCopy(button) {
  const code = button.parentElement?.querySelector('code');
  if (!code) return;
  button.hidden = false;
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code.textContent);
      say(button, 'Copied');
    } catch {
      getSelection()?.selectAllChildren(code);
      say(button, document.execCommand('copy') ? 'Copied' : 'Selected');
    }
  };
  button.addEventListener('click', () => void copy());
}

/**
 * Sorting by the headings.
 * @param {HTMLTableElement} table
 * @param {HTMLTableRowElement[]} rows
 */
function offerSorting(table, rows) {
  const worst = ['broken', 'known', 'kept', 'unreached'];
  /** @type {Record<string, (row: HTMLTableRowElement) => string | number>} */
  const keys = {
    id: (row) => row.dataset.id ?? '',
    hits: (row) => -Number(row.dataset.hits),
    mark: (row) => worst.indexOf(row.dataset.mark ?? ''),
  };
  for (const button of all('[data-sort]', table)) {
    const key = keys[button.dataset.sort ?? ''];
    const head = button.closest('th');
    if (!key || !head) continue;
    button.addEventListener('click', () => {
      const up = head.getAttribute('aria-sort') !== 'ascending';
      for (const other of all('[aria-sort]', table)) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
      /**
       * @param {HTMLTableRowElement} a
       * @param {HTMLTableRowElement} b
       */
      const order = (a, b) => {
        const [one, other] = key(a) === key(b) ? [keys.id?.(a) ?? 0, keys.id?.(b) ?? 0] : [key(a), key(b)];
        return one < other ? -1 : 1;
      };
      table.tBodies[0]?.append(...rows.sort((a, b) => (up ? order(a, b) : order(b, a))));
    });
  }
}

/**
 * Filtering by words and by state.
 * @param {HTMLTableElement} table
 * @param {HTMLFormElement} filter
 * @param {HTMLInputElement} search
 * @param {HTMLElement} count
 */
function offerRules(table, filter, search, count) {
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
  const update = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const mark = /** @type {HTMLInputElement} */ (filter.querySelector('input[name=mark]:checked')).value;
    let shown = 0;
    for (const row of rows) {
      const found = words.every((word) => texts.get(row)?.includes(word));
      row.hidden = (mark !== '' && row.dataset.mark !== mark) || !found;
      if (!row.hidden) shown++;
    }
    count.textContent = shown === 1 ? '1 rule' : `${shown} rules`;
  };
  // A link to a rule must find it, whatever is filtered.
  const reveal = () => {
    const row = rows.find(({ id }) => id === decodeURIComponent(location.hash.slice(1)));
    if (!row?.hidden) return;
    search.value = '';
    /** @type {HTMLInputElement} */ (filter.querySelector('input[name=mark][value=""]')).checked = true;
    update();
    row.scrollIntoView();
  };
  filter.hidden = false;
  filter.addEventListener('submit', (event) => event.preventDefault());
  filter.addEventListener('input', update);
  addEventListener('hashchange', reveal);
  offerSorting(table, rows);
  update();
}

/** Marks the section that is being read. */
function followReading() {
  const links = new Map(all('nav a').map((link) => [/** @type {HTMLAnchorElement} */ (link).hash.slice(1), link]));
  const list = document.querySelector('nav ul');
  /** @type {Map<string, boolean>} */
  const seen = new Map();
  const current = () => {
    const id = [...seen].find(([, visible]) => visible)?.[0];
    for (const [name, link] of links) {
      if (name === id) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
    const link = links.get(id ?? '');
    if (link && list instanceof HTMLElement && list.scrollWidth > list.clientWidth)
      list.scrollLeft = link.offsetLeft - list.offsetLeft - 24;
  };
  const watch = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) seen.set(entry.target.id, entry.isIntersecting);
      current();
    },
    { rootMargin: '-15% 0px -70% 0px' },
  );
  for (const id of links.keys()) {
    const part = byId(id);
    if (!part) continue;
    seen.set(id, false);
    watch.observe(part);
  }
}

/** On paper everything is open. */
function openForPrint() {
  /** @type {HTMLDetailsElement[]} */
  let closed = [];
  addEventListener('beforeprint', () => {
    closed = all('details:not([open])');
    for (const one of closed) one.open = true;
  });
  addEventListener('afterprint', () => {
    for (const one of closed) one.open = false;
  });
}

const theme = byId('theme');
if (theme) offerThemes(theme);
for (const button of all('[data-copy]')) offerCopy(button);
const table = byId('rule-table');
const filter = document.querySelector('.filter');
const search = byId('rule-search');
const count = byId('rule-count');
if (
  table instanceof HTMLTableElement &&
  filter instanceof HTMLFormElement &&
  search instanceof HTMLInputElement &&
  count
)
  offerRules(table, filter, search, count);
followReading();
openForPrint();
