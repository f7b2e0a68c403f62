/** The page in a real Chromium, from a file, at a desk and on a phone, in light and in dark. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatJunit } from '../ci/junit.ts';
import { runPoints } from '../ci/points.ts';
import { Browser, findChromium } from '../testing/browser.ts';
import { DRAWN, HOSTILE, PAGES } from '../testing/pages.ts';

const path = findChromium();
if (path === undefined)
  process.stderr.write(
    'skipped: no Chromium here, so the HTML page is not tested in a browser (install chromium, or name one in RINGFENCE_CHROMIUM)\n',
  );

const DESK = { width: 1280, height: 900 };
const PHONE = { width: 375, height: 812, mobile: true };

/** Text whose contrast with what lies behind it is below AA: 4.5, or 3 for large text. */
const CONTRAST = `(() => {
  const paint = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const cache = new Map();
  const rgba = (css) => {
    if (!cache.has(css)) { paint.clearRect(0, 0, 1, 1); paint.fillStyle = css; paint.fillRect(0, 0, 1, 1); cache.set(css, [...paint.getImageData(0, 0, 1, 1).data]); }
    return cache.get(css);
  };
  const light = ([r, g, b]) => { const f = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; }; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] > 250) return c; } return rgba(getComputedStyle(document.documentElement).backgroundColor); };
  const bad = new Set();
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walk.nextNode());) {
    const e = node.parentElement;
    if (node.data.trim() === '' || e.closest('script,style,title,.hidden,.skip') || !e.checkVisibility()) continue;
    if (e.closest('svg')) continue;
    const style = getComputedStyle(e);
    const a = light(rgba(style.color)), b = light(behind(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (large ? 3 : 4.5)) bad.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2) + ' ' + node.data.trim().slice(0, 20));
  }
  return [...bad];
})()`;

describe.skipIf(path === undefined)('in Chromium', { timeout: 120_000 }, () => {
  let browser: Browser;
  let dir: string;
  const url = (name: string): string => pathToFileURL(join(dir, `${name}.html`)).href;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ringfence-page-'));
    for (const [name, text] of PAGES) writeFileSync(join(dir, `${name}.html`), text);
    browser = await Browser.open(path!);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test.each(PAGES.map(([name]) => name))(
    '%s: loads nothing, complains of nothing, fits a phone, keeps its contrast',
    async (name) => {
      browser.problems.length = 0;
      browser.requests.length = 0;
      for (const [view, dark] of [
        [DESK, false],
        [DESK, true],
        [PHONE, false],
      ] as const) {
        await browser.view({ ...view, dark });
        await browser.goto(url(name));
        expect(await browser.evaluate('document.documentElement.scrollWidth')).toBe(view.width);
        expect(await browser.evaluate(CONTRAST)).toEqual([]);
      }
      expect(await browser.evaluate('document.title')).not.toBe('pwned');
      expect(await browser.evaluate('document.querySelectorAll("img, iframe, main script").length')).toBe(0);
      expect(browser.problems).toEqual([]);
      expect([...new Set(browser.requests)]).toEqual([url(name)]);
    },
  );

  test('by keyboard', async () => {
    await browser.view(DESK);
    await browser.goto(url('divergent'));
    const focus = async (): Promise<string> =>
      await browser.evaluate(
        '(document.activeElement.id || document.activeElement.className || document.activeElement.textContent.trim()).slice(0, 30)',
      );
    const outlined = async (): Promise<boolean> =>
      await browser.evaluate(
        '(() => { const e = document.activeElement; const s = getComputedStyle(e.matches("fieldset input") ? e.nextElementSibling : e); return s.outlineStyle !== "none" || e.id === "main"; })()',
      );
    await browser.press('Tab');
    expect(await focus()).toBe('skip');
    await browser.press('Enter');
    expect(await focus()).toBe('main');
    const seen: string[] = [];
    for (let i = 0; i < 300 && seen.at(-1) !== 'rule-search'; i++) {
      await browser.press('Tab');
      seen.push(await focus());
      expect(await outlined(), seen.at(-1)!).toBe(true);
    }
    expect(seen[0]).toBe('filter.deny-rest.kept');
    expect(seen).toContain('scroll');
    await browser.send('Input.insertText', { text: 'deny' });
    const shown = 'document.querySelectorAll("#rule-table tbody tr:not([hidden])").length';
    expect([
      await browser.evaluate(shown),
      await browser.evaluate('document.getElementById("rule-count").textContent'),
    ]).toEqual([2, '2 rules']);
    await browser.press('Tab');
    await browser.press('ArrowRight');
    expect(await browser.evaluate('document.querySelector("[name=mark]:checked").value')).toBe('broken');
    expect(await browser.evaluate(shown)).toBe(1);
    await browser.press('Tab');
    await browser.press('Tab');
    await browser.press('Tab');
    await browser.press('Enter');
    expect(
      await browser.evaluate(
        'document.querySelector("[aria-sort]").textContent + " " + document.querySelector("[aria-sort]").getAttribute("aria-sort")',
      ),
    ).toBe('Hits ascending');
    expect(
      await browser.evaluate('[...document.querySelectorAll("#rule-table tbody tr")].map((row) => row.dataset.id)[0]'),
    ).toBe('filter.allow');
    await browser.evaluate('location.hash = "#rule-filter.allow"');
    expect(
      await browser.evaluate(
        'new Promise((done) => setTimeout(() => done(document.getElementById("rule-filter.allow").hidden), 100))',
      ),
    ).toBe(false);
  });

  test('theme, copying, print, structure', async () => {
    await browser.view(DESK);
    await browser.goto(url('divergent'));
    const paper = 'getComputedStyle(document.documentElement).backgroundColor';
    const light = await browser.evaluate(paper);
    await browser.evaluate('document.getElementById("theme").click(); document.getElementById("theme").click()');
    expect(await browser.evaluate('document.getElementById("theme").textContent')).toBe('Theme: dark');
    expect(await browser.evaluate(paper)).not.toBe(light);
    await browser.evaluate('document.getElementById("theme").click()');
    expect(await browser.evaluate(paper)).toBe(light);
    await browser.evaluate('document.querySelector("[data-copy]").click()');
    expect(
      await browser.evaluate(
        'new Promise((done) => setTimeout(() => done(document.querySelector("[data-copy]").textContent), 100))',
      ),
    ).toMatch(/^(Copied|Selected)$/);
    expect(
      await browser.evaluate(
        '["main", "nav", "h1", "footer.end"].map((name) => document.querySelectorAll(name).length).join()',
      ),
    ).toBe('1,1,1,1');
    expect(
      await browser.evaluate(
        '[...document.querySelectorAll("h1, h2, h3, h4")].every((head, i, all) => i === 0 || Number(head.tagName[1]) <= Number(all[i - 1].tagName[1]) + 1)',
      ),
    ).toBe(true);
    expect(
      await browser.evaluate(
        '[...document.querySelectorAll("svg")].every((svg) => svg.getAttribute("aria-hidden") === "true" || svg.closest("[aria-hidden]") || svg.getAttribute("aria-label"))',
      ),
    ).toBe(true);
    expect(
      await browser.evaluate(
        '[...document.querySelectorAll("button, input, [tabindex=\\"0\\"]")].filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length)).length',
      ),
    ).toBe(0);
    await browser.view({ width: 700, height: 900, print: true });
    expect(await browser.evaluate('getComputedStyle(document.querySelector("nav")).display')).toBe('none');
  });

  test('the lanes are as tall as their rows', async () => {
    await browser.view(PHONE);
    await browser.goto(url('divergent'));
    expect(
      await browser.evaluate(
        '[...document.querySelectorAll(".steps .tasks")].every((cell) => Math.abs(cell.getBoundingClientRect().height + 1 - cell.firstChild.getBoundingClientRect().height) < 1)',
      ),
    ).toBe(true);
  });

  test.each([
    ['a divergent run', DRAWN],
    ['a hostile one', HOSTILE],
  ])('its XML parser reads the JUnit file of %s', async (_, result) => {
    const read = await browser.evaluate(
      `(() => { const xml = new DOMParser().parseFromString(${JSON.stringify(formatJunit([runPoints(result)]))}, 'text/xml'); return xml.querySelector('parsererror')?.textContent ?? [...xml.documentElement.children].map((suite) => suite.querySelectorAll('testcase').length === Number(suite.getAttribute('tests'))).join(); })()`,
    );
    expect(read).toMatch(/^true(,true)*$/);
  });
});
