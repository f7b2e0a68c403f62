import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schemaFault } from '../../oracle/testing/validator.ts';
import { BAD, GOOD } from '../testing/results.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
type Schema = {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: unknown;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | false;
};
const schema = JSON.parse(read('result.schema.json')) as Schema;

test('results are as the schema says', () => {
  expect(schemaFault(schema as never, GOOD)).toBeUndefined();
  expect(schemaFault(schema as never, JSON.parse(JSON.stringify(BAD)))).toBeUndefined();
});

test.each<[string, (result: Record<string, any>) => void]>([
  ['an unknown field', (result) => void (result.extra = 1)],
  ['a missing field', (result) => void delete result.outcomes],
  ['a bad verdict', (result) => void (result.verdict = 'fine')],
  ['a bad count', (result) => void (result.suites.links.pass = -1)],
  ['a bad divergence', (result) => void (result.divergences[0].reproduced = 'often')],
])('%s is noticed', (_, spoil) => {
  const result = structuredClone(BAD) as Record<string, any>;
  spoil(result);
  expect(schemaFault(schema as never, result)).toBeDefined();
});

/** One row per field. */
function fields(of: Schema, path = ''): string[] {
  const rows = path === '' ? [] : [`| \`${path}\` | ${typeOf(of)} | ${of.description ?? ''} |`];
  for (const [name, sub] of Object.entries(of.properties ?? {}))
    rows.push(...fields(sub, path === '' ? name : `${path}.${name}`));
  if (of.items !== undefined) rows.push(...fields(of.items, `${path}[]`));
  if (typeof of.additionalProperties === 'object' && of.additionalProperties.properties !== undefined)
    rows.push(...fields(of.additionalProperties, `${path}.*`));
  return rows;
}
const typeOf = ({ type, enum: words, const: only }: Schema): string =>
  type ?? (words !== undefined ? words.join(', ') : String(only));

test('the README describes every field', () => {
  const table = ['| field | type | meaning |', '| --- | --- | --- |', ...fields(schema)].join('\n');
  const readme = read('../README.md').replace(
    /<!-- fields -->[^]*<!-- \/fields -->/,
    `<!-- fields -->\n${table}\n<!-- /fields -->`,
  );
  if (process.env.UPDATE_SCHEMA !== undefined) writeFileSync(new URL('../README.md', import.meta.url), readme);
  expect(read('../README.md')).toBe(readme);
  for (const row of fields(schema)) expect(row).not.toMatch(/\| {2}\|$/);
});
