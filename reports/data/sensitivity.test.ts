import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { expectCommitted } from '../testing/committed.ts';
import { fieldTable } from '../testing/fields.ts';
import { FIVE_MUTANTS } from '../testing/sensitivities.ts';
import { spoilt } from '../testing/spoil.ts';
import { dataFault } from './fault.ts';
import { schemaText } from './schema.ts';
import { SENSITIVITY_SCHEMA } from './sensitivity.ts';

const FILE = new URL('sensitivity.schema.json', import.meta.url);
const README = new URL('../README.md', import.meta.url);
const copy = (): unknown => JSON.parse(JSON.stringify(FIVE_MUTANTS));

test('the schema file is current', () => {
  expectCommitted(FILE, () => schemaText('ringfence sensitivity', SENSITIVITY_SCHEMA));
});

test('the README describes every field', () => {
  const table = fieldTable(SENSITIVITY_SCHEMA);
  expect(table).not.toMatch(/\| {2}\|$/m);
  expectCommitted(README, (before) => {
    expect(before).toContain('<!-- sensitivity fields -->');
    return before.replace(
      /<!-- sensitivity fields -->[^]*<!-- \/sensitivity fields -->/,
      () => `<!-- sensitivity fields -->\n${table}\n<!-- /sensitivity fields -->`,
    );
  });
});

/** A second opinion, on the committed file. */
const ajv = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(FILE, 'utf8')) as object);

test('a result is as the schema says', () => {
  expect(dataFault(SENSITIVITY_SCHEMA, copy())).toBeUndefined();
  expect(ajv(copy()), JSON.stringify(ajv.errors)).toBe(true);
});

test.each<[fault: string, path: string, value: unknown]>([
  ['extra: is not known in this format', 'extra', 1],
  ['mutants[0]: lacks title', 'mutants/0/title', undefined],
  ['total.alive: must be integer, found "1"', 'total/alive', '1'],
])('what is not is told with its place: %s', (fault, path, value) => {
  const result = spoilt(FIVE_MUTANTS, path, value);
  expect(dataFault(SENSITIVITY_SCHEMA, result)).toBe(fault);
  expect(ajv(result)).toBe(false);
});
