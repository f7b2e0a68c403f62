/** Style and script of the page, as they stand in page/. */
import { readFileSync } from 'node:fs';

/** In the order in which they count: what comes later wins. */
const STYLES = ['base', 'parts', 'case', 'plots', 'rules', 'matrix', 'coverage', 'media'];

/** Style and script, each as one text. */
export interface Assets {
  readonly style: string;
  readonly script: string;
}

let kept: Assets | undefined;

/** Both, read once. */
export function assets(): Assets {
  kept ??= {
    style: STYLES.map((name) => read(`${name}.css`)).join(''),
    script: read('page.js'),
  };
  return kept;
}

function read(name: string): string {
  return readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');
}
