/** The page in a real Chromium, from a file, at a desk and on a phone, in light and in dark. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatJunit } from '../ci/junit.ts';
import { runPoints } from '../ci/points.ts';
import { CHROMIUM, launch, openTab } from '../testing/chromium.ts';
import type { Tab } from '../testing/chromium.ts';
import { DRAWN, HOSTILE, PAGES } from '../testing/pages.ts';

const DESK = { viewport: { width: 1280, height: 900 } };
const PHONE = { viewport: { width: 375, height: 812 }, deviceScaleFactor: 2, isMobile: true };

describe.skipIf(CHROMIUM.missing)(CHROMIUM.of('in Chromium'), { timeout: 120_000 }, () => {
  let browser: Browser;
  let desk: Tab;
  let phone: Tab;
  let dir: string;
  const url = (name: string): string => pathToFileURL(join(dir, `${name}.html`)).href;
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'ringfence-page-'));
    for (const [name, text] of PAGES) writeFileSync(join(dir, `${name}.html`), text);
    browser = await launch();
    desk = await openTab(browser, DESK);
    phone = await openTab(browser, PHONE);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  test.each(PAGES.map(([name]) => name))(
    '%s: loads nothing, complains of nothing, fits a phone, keeps its contrast',
    async (name) => {
      for (const [{ page, problems, requests }, colorScheme] of [
        [desk, 'light'],
        [desk, 'dark'],
        [phone, 'light'],
        [phone, 'dark'],
      ] as const) {
        problems.length = 0;
        requests.length = 0;
        await page.emulateMedia({ colorScheme });
        await page.goto(url(name));
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(page.viewportSize()!.width);
        expect(await page.evaluate('inPage.contrast()')).toEqual([]);
        expect(await page.title()).not.toBe('pwned');
        expect(await page.locator('img, iframe, main script').count()).toBe(0);
        expect(problems).toEqual([]);
        expect(requests).toEqual([url(name)]);
      }
    },
  );

  const rows = (page: Page) => page.locator('#rule-table tbody tr:not([hidden])');

  test('by keyboard: through the page to the table of rules', async () => {
    const { page } = desk;
    await page.goto(url('divergent'));
    const focus = (): Promise<string> => page.evaluate('inPage.focus()');
    await page.keyboard.press('Tab');
    expect(await focus()).toBe('skip');
    await page.keyboard.press('Enter');
    expect(await focus()).toBe('main');
    const seen: string[] = [];
    for (let i = 0; i < 300 && seen.at(-1) !== 'rule-search'; i++) {
      await page.keyboard.press('Tab');
      seen.push(await focus());
      expect(await page.evaluate('inPage.outlined()'), seen.at(-1)).toBe(true);
    }
    expect(seen[0]).toBe('filter.deny-rest.kept');
    expect(seen).toContain('scroll');
    expect(seen.at(-1)).toBe('rule-search');
  });

  test('by keyboard: rules found, filtered, sorted, and reached by a link', async () => {
    const { page } = desk;
    await page.goto(url('divergent'));
    await page.locator('#rule-search').focus();
    await page.keyboard.insertText('deny');
    expect(await rows(page).count()).toBe(2);
    expect(await page.locator('#rule-count').textContent()).toBe('2 rules');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    expect(await page.locator('[name=mark]:checked').getAttribute('value')).toBe('broken');
    expect(await rows(page).count()).toBe(1);
    for (const key of ['Tab', 'Tab', 'Tab', 'Enter']) await page.keyboard.press(key);
    const sorted = page.locator('[aria-sort]');
    expect(await sorted.textContent()).toBe('Hits');
    expect(await sorted.getAttribute('aria-sort')).toBe('ascending');
    expect(await page.locator('#rule-table tbody tr').first().getAttribute('data-id')).toBe('filter.allow');
    const allowed = page.locator('[id="rule-filter.allow"]');
    expect(await allowed.isVisible()).toBe(false);
    await page.evaluate('location.hash = "#rule-filter.allow"');
    await allowed.waitFor({ state: 'visible', timeout: 5000 });
  });

  test('theme, copying', async () => {
    const { page } = desk;
    await page.emulateMedia({ colorScheme: 'light' });
    await page.goto(url('divergent'));
    const paper = (): Promise<string> => page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const light = await paper();
    const theme = page.locator('#theme');
    await theme.click();
    expect([await theme.textContent(), await paper()]).toEqual(['Theme: light', light]);
    await theme.click();
    expect(await theme.textContent()).toBe('Theme: dark');
    expect(await paper()).not.toBe(light);
    await theme.click();
    expect([await theme.textContent(), await paper()]).toEqual(['Theme: auto', light]);
    const copy = page.locator('[data-copy]').first();
    await copy.click();
    await expect.poll(() => copy.textContent()).toMatch(/^(Copied|Selected)$/);
  });

  test('structure', async () => {
    const { page } = desk;
    await page.goto(url('divergent'));
    for (const name of ['main', 'nav', 'h1', 'footer.end']) expect(await page.locator(name).count(), name).toBe(1);
    expect(await page.evaluate('inPage.leaps()')).toBe(0);
    expect(await page.evaluate('inPage.undescribed()')).toBe(0);
    expect(await page.evaluate('inPage.nameless()')).toBe(0);
  });

  test('on paper', async () => {
    const { page } = await openTab(browser, { viewport: { width: 700, height: 900 } });
    await page.goto(url('divergent'));
    const closed = page.locator('details:not([open])');
    expect(await closed.count()).toBeGreaterThan(0);
    await page.emulateMedia({ media: 'print' });
    for (const name of ['nav', '.filter', '.skip', '[data-copy]'])
      expect(await page.locator(name).first().isVisible(), name).toBe(false);
    await page.evaluate('dispatchEvent(new Event("beforeprint"))');
    expect(await closed.count()).toBe(0);
    await page.evaluate('dispatchEvent(new Event("afterprint"))');
    expect(await closed.count()).toBeGreaterThan(0);
    await page.context().close();
  });

  test('the lanes are as tall as their rows', async () => {
    await phone.page.goto(url('divergent'));
    expect(await phone.page.locator('.steps .tasks').count()).toBeGreaterThan(0);
    expect(await phone.page.evaluate('inPage.shortLanes()')).toBe(0);
  });

  test.each([
    ['a divergent run', DRAWN],
    ['a hostile one', HOSTILE],
  ])('its XML parser reads the JUnit file of %s', async (_, result) => {
    const text = formatJunit([runPoints(result)]);
    expect(await desk.page.evaluate(`inPage.junitFaults(${JSON.stringify(text)})`)).toEqual([]);
  });
});
