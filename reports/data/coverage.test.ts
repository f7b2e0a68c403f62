import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { expectCommitted } from '../testing/committed.ts';
import { NINE_LINES } from '../testing/coverages.ts';
import { fieldTable } from '../testing/fields.ts';
import { spoilt } from '../testing/spoil.ts';
import { COVERAGE_SCHEMA } from './coverage.ts';
import { dataFault } from './fault.ts';
import { schemaText } from './schema.ts';

const FILE = new URL('coverage.schema.json', import.meta.url);
const README = new URL('../README.md', import.meta.url);
const copy = (): unknown => JSON.parse(JSON.stringify(NINE_LINES));

test('the schema file is current', () => {
  expectCommitted(FILE, () => schemaText('ringfence coverage', COVERAGE_SCHEMA));
});

test('the README describes every field', () => {
  const table = fieldTable(COVERAGE_SCHEMA);
  expect(table).not.toMatch(/\| {2}\|$/m);
  expectCommitted(README, (before) => {
    expect(before).toContain('<!-- coverage fields -->');
    return before.replace(
      /<!-- coverage fields -->[^]*<!-- \/coverage fields -->/,
      () => `<!-- coverage fields -->\n${table}\n<!-- /coverage fields -->`,
    );
  });
});

/** A second opinion, on the committed file. */
const ajv = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(FILE, 'utf8')) as object);

test('a result is as the schema says', () => {
  expect(dataFault(COVERAGE_SCHEMA, copy())).toBeUndefined();
  expect(ajv(copy()), JSON.stringify(ajv.errors)).toBe(true);
});

test.each<[fault: string, path: string, value: unknown]>([
  ['extra: is not known in this format', 'extra', 1],
  ['files[0]: lacks path', 'files/0/path', undefined],
  ['total.unexplained: must be integer, found "1"', 'total/unexplained', '1'],
])('what is not is told with its place: %s', (fault, path, value) => {
  const result = spoilt(NINE_LINES, path, value);
  expect(dataFault(COVERAGE_SCHEMA, result)).toBe(fault);
  expect(ajv(result)).toBe(false);
});
