/** Files that are made from the source and committed beside it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

/** The file holds just that text; with UPDATE_SCHEMA in the environment it is made to. */
export function expectCommitted(file: URL, made: (before: string) => string): void {
  const before = readFileSync(file, 'utf8');
  const text = made(before);
  if (process.env['UPDATE_SCHEMA'] === undefined) expect(before).toBe(text);
  else writeFileSync(file, text);
}
