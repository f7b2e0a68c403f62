/** What the page does beyond showing: theme, copying, and the table of rules. Everything is readable without it. */
export const SCRIPT = `
(() => {
  'use strict';
  const root = document.documentElement;
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const say = (button, text) => { const was = button.textContent; button.textContent = text; setTimeout(() => { button.textContent = was; }, 1500); };

  const theme = document.getElementById('theme');
  const themes = ['auto', 'light', 'dark'];
  const stored = () => { try { return localStorage.getItem('ringfence-theme'); } catch { return null; } };
  const show = (name) => {
    if (name === 'auto') delete root.dataset.theme; else root.dataset.theme = name;
    theme.textContent = 'Theme: ' + name;
    try { localStorage.setItem('ringfence-theme', name); } catch { /* a page from a file may have no store */ }
  };
  theme.hidden = false;
  show(themes.includes(stored()) ? stored() : 'auto');
  theme.addEventListener('click', () => show(themes[(themes.indexOf(root.dataset.theme ?? 'auto') + 1) % themes.length]));

  for (const button of all('[data-copy]')) {
    button.hidden = false;
    button.addEventListener('click', async () => {
      const code = button.parentElement.querySelector('code');
      try {
        await navigator.clipboard.writeText(code.textContent);
        say(button, 'Copied');
      } catch {
        getSelection().selectAllChildren(code);
        say(button, document.execCommand('copy') ? 'Copied' : 'Selected');
      }
    });
  }

  const table = document.getElementById('rule-table');
  const filter = document.querySelector('.filter');
  if (table && filter) {
    filter.hidden = false;
    const search = document.getElementById('rule-search');
    const count = document.getElementById('rule-count');
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const texts = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
    const update = () => {
      const words = search.value.toLowerCase().split(/\\s+/).filter(Boolean);
      const mark = filter.querySelector('input[name=mark]:checked').value;
      let shown = 0;
      for (const row of rows) {
        row.hidden = (mark !== '' && row.dataset.mark !== mark) || !words.every((word) => texts.get(row).includes(word));
        if (!row.hidden) shown++;
      }
      count.textContent = shown === 1 ? '1 rule' : shown + ' rules';
    };
    filter.addEventListener('submit', (event) => event.preventDefault());
    filter.addEventListener('input', update);
    const worst = ['broken', 'known', 'kept', 'unreached'];
    const keys = {
      id: (row) => row.dataset.id,
      hits: (row) => -Number(row.dataset.hits),
      mark: (row) => worst.indexOf(row.dataset.mark),
    };
    for (const button of all('[data-sort]', table)) {
      button.addEventListener('click', () => {
        const head = button.closest('th');
        const up = head.getAttribute('aria-sort') !== 'ascending';
        for (const other of all('[aria-sort]', table)) other.removeAttribute('aria-sort');
        head.setAttribute('aria-sort', up ? 'ascending' : 'descending');
        const key = keys[button.dataset.sort];
        const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a.dataset.id < b.dataset.id ? -1 : 1);
        body.append(...rows.sort((a, b) => (up ? order(a, b) : order(b, a))));
      });
    }
    // A link to a rule must find it, whatever is filtered.
    const reveal = () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (!row || !rows.includes(row) || !row.hidden) return;
      search.value = '';
      filter.querySelector('input[name=mark][value=""]').checked = true;
      update();
      row.scrollIntoView();
    };
    addEventListener('hashchange', reveal);
    update();
  }

  const links = new Map(all('nav a').map((link) => [link.hash.slice(1), link]));
  const seen = new Map();
  const current = () => {
    const id = [...seen].find(([, visible]) => visible)?.[0];
    for (const [name, link] of links) if (name === id) link.setAttribute('aria-current', 'true'); else link.removeAttribute('aria-current');
    const list = document.querySelector('nav ul');
    const link = links.get(id);
    if (link && list.scrollWidth > list.clientWidth) list.scrollLeft = link.offsetLeft - list.offsetLeft - 24;
  };
  const watch = new IntersectionObserver((entries) => { for (const entry of entries) seen.set(entry.target.id, entry.isIntersecting); current(); }, { rootMargin: '-15% 0px -70% 0px' });
  for (const id of links.keys()) { const part = document.getElementById(id); if (part) { seen.set(id, false); watch.observe(part); } }

  let closed = [];
  addEventListener('beforeprint', () => { closed = all('details:not([open])'); for (const one of closed) one.open = true; });
  addEventListener('afterprint', () => { for (const one of closed) one.open = false; });
})();
`;
