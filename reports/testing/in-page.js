/** What the browser tests ask of a page, from within it. */

/** @type {Map<string, number[]>} */
const colours = new Map();
const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });

/**
 * Red, green, blue and opacity of any colour of CSS, 0 to 255.
 * @param {string} css
 */
function rgba(css) {
  const known = colours.get(css);
  if (known) return known;
  if (!paint) throw new Error('no canvas');
  paint.clearRect(0, 0, 1, 1);
  paint.fillStyle = css;
  paint.fillRect(0, 0, 1, 1);
  const found = [...paint.getImageData(0, 0, 1, 1).data];
  colours.set(css, found);
  return found;
}

/**
 * Relative luminance, as WCAG defines it.
 * @param {number[]} colour
 */
function luminance(colour) {
  const [r = 0, g = 0, b = 0] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/**
 * The colour behind an element.
 * @param {Element} element
 */
function behind(element) {
  for (let at = /** @type {Element | null} */ (element); at; at = at.parentElement) {
    const colour = rgba(getComputedStyle(at).backgroundColor);
    if ((colour[3] ?? 0) > 250) return colour;
  }
  return rgba(getComputedStyle(document.documentElement).backgroundColor);
}

/**
 * What is wrong with the contrast of one text; undefined when it is at least AA: 4.5, or 3 for large text.
 * @param {Text} text
 */
function faint(text) {
  const element = text.parentElement;
  if (!element || text.data.trim() === '' || !element.checkVisibility()) return undefined;
  if (element.closest('script,style,title,.hidden,.skip,svg')) return undefined;
  const style = getComputedStyle(element);
  const [dark = 0, bright = 0] = [luminance(rgba(style.color)), luminance(behind(element))].sort((a, b) => a - b);
  const ratio = (bright + 0.05) / (dark + 0.05);
  const size = Number.parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio >= (large ? 3 : 4.5)) return undefined;
  return `${element.tagName}.${element.className} ${ratio.toFixed(2)} ${text.data.trim().slice(0, 20)}`;
}

const inPage = {
  /** Texts whose contrast with what lies behind them is below AA. */
  contrast() {
    /** @type {Set<string | undefined>} */
    const bad = new Set();
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walk.nextNode()) bad.add(faint(/** @type {Text} */ (walk.currentNode)));
    bad.delete(undefined);
    return [...bad];
  },

  /** What has the focus, by id, class or text. */
  focus() {
    const element = document.activeElement;
    return (element?.id || element?.className || element?.textContent?.trim() || '').slice(0, 30);
  },

  /** Whether it shows that it has the focus. */
  outlined() {
    const element = document.activeElement;
    if (!element) return false;
    const shown = element.matches('fieldset input') ? element.nextElementSibling : element;
    return element.id === 'main' || (shown !== null && getComputedStyle(shown).outlineStyle !== 'none');
  },

  /** Headings that stand more than one level below the one before them. */
  leaps() {
    const heads = [...document.querySelectorAll('h1, h2, h3, h4')];
    return heads.filter((head, i) => Number(head.tagName[1]) > Number(heads[i - 1]?.tagName[1] ?? 6) + 1).length;
  },

  /** Drawings that are neither hidden from a screen reader nor described to it. */
  undescribed() {
    const drawings = [...document.querySelectorAll('svg')];
    return drawings.filter((svg) => !svg.closest('[aria-hidden=true]') && !svg.getAttribute('aria-label')).length;
  },

  /** Things to press or to reach by keyboard that have no name. */
  nameless() {
    const controls = [...document.querySelectorAll('button, input, [tabindex="0"]')];
    return controls.filter(
      (control) =>
        !control.textContent?.trim() &&
        !control.getAttribute('aria-label') &&
        !(control instanceof HTMLInputElement && control.labels?.length),
    ).length;
  },

  /** Lanes that are not as tall as the rows they stand in. */
  shortLanes() {
    return [...document.querySelectorAll('.steps .tasks')].filter((cell) => {
      const lanes = cell.firstElementChild?.getBoundingClientRect().height ?? 0;
      return Math.abs(cell.getBoundingClientRect().height + 1 - lanes) >= 1;
    }).length;
  },

  /**
   * The suites of a JUnit file whose number of tests is not what they say, or what the XML parser complains of.
   * @param {string} text
   */
  junitFaults(text) {
    const xml = new DOMParser().parseFromString(text, 'text/xml');
    const fault = xml.querySelector('parsererror')?.textContent;
    if (fault) return [fault];
    return [...xml.documentElement.children].flatMap((suite) =>
      suite.querySelectorAll('testcase').length === Number(suite.getAttribute('tests')) ? [] : [suite.outerHTML],
    );
  },
};
Object.assign(globalThis, { inPage });
