/** A headless Chromium for the tests of the page, driven by Playwright. */
import { spawnSync } from 'node:child_process';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { need } from '../../oracle/testing/needs.ts';

/** Path or name of a Chromium, or undefined. RINGFENCE_CHROMIUM or CHROMIUM names one explicitly. */
function findChromium(): string | undefined {
  const { RINGFENCE_CHROMIUM: own = '', CHROMIUM: usual = '' } = process.env as Readonly<Record<string, string>>;
  return [own, usual, 'chromium', 'chromium-browser', 'google-chrome']
    .filter((name) => name !== '')
    .map((name) => spawnSync('bash', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).stdout.trim())
    .find((path) => path !== '' && spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0);
}

const PATH = findChromium();

/** Whether there is one. */
export const CHROMIUM = need(PATH !== undefined, 'Chromium', 'apt-get install chromium, or name one in CHROMIUM');

/** Nothing that talks to the network by itself. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--force-color-profile=srgb',
];

/** Starts it. The caller closes it. */
export async function launch(): Promise<Browser> {
  return await chromium.launch({ executablePath: PATH!, args: FLAGS });
}

/** A tab, and what it did that a page from a file should not. */
export interface Tab {
  readonly page: Page;
  /** Exceptions, refused resources, dialogs, anything on the console. */
  readonly problems: string[];
  /** Addresses that the page asked for. */
  readonly requests: string[];
}

const IN_PAGE = new URL('in-page.js', import.meta.url).pathname;

/** A tab with a profile of its own; `inPage` of in-page.js is there on each page. */
export async function openTab(browser: Browser, options: BrowserContextOptions): Promise<Tab> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  await context.addInitScript({ path: IN_PAGE });
  const page = await context.newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('console', (message) => problems.push(`console ${message.type()}: ${message.text()}`));
  page.on('request', (request) => requests.push(request.url()));
  page.on('dialog', (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  return { page, problems, requests };
}
