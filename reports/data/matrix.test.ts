import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { schemaFault } from '../../oracle/testing/validator.ts';
import { MATRIX } from '../testing/matrices.ts';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');
type Schema = {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
};
const schema = JSON.parse(read('matrix.schema.json')) as Schema;

test('matrices are as the schema says', () => {
  expect(schemaFault(schema as never, JSON.parse(JSON.stringify(MATRIX)))).toBeUndefined();
});

test.each<[string, (matrix: Record<string, any>) => void]>([
  ['an unknown field', (matrix) => void (matrix.extra = 1)],
  ['a missing field', (matrix) => void delete matrix.kernels[0].sha256],
  ['a bad state', (matrix) => void (matrix.kernels[0].state = 'fine')],
  ['a bad cell', (matrix) => void (matrix.rules[0].cells[1].state = 'bent')],
  ['a change without a cause', (matrix) => void (matrix.comparison.changes[0].causes = [])],
])('%s is noticed', (_, spoil) => {
  const matrix = JSON.parse(JSON.stringify(MATRIX)) as Record<string, any>;
  spoil(matrix);
  expect(schemaFault(schema as never, matrix)).toBeDefined();
});

/** One row per field. */
function fields(of: Schema, path = ''): string[] {
  const rows =
    path === ''
      ? []
      : [
          `| \`${path}\` | ${of.type ?? of.enum?.join(', ') ?? (of.anyOf === undefined ? String(of.const) : `null or ${of.anyOf[1]!.type}`)} | ${of.description ?? ''} |`,
        ];
  for (const [name, sub] of Object.entries(of.properties ?? {}))
    rows.push(...fields(sub, path === '' ? name : `${path}.${name}`));
  if (of.items !== undefined) rows.push(...fields(of.items, `${path}[]`));
  return rows;
}

test('the README describes every field', () => {
  const table = ['| field | type | meaning |', '| --- | --- | --- |', ...fields(schema)].join('\n');
  const readme = read('../README.md').replace(
    /<!-- matrix fields -->[^]*<!-- \/matrix fields -->/,
    `<!-- matrix fields -->\n${table}\n<!-- /matrix fields -->`,
  );
  if (process.env.UPDATE_SCHEMA !== undefined) writeFileSync(new URL('../README.md', import.meta.url), readme);
  expect(readme).toContain('<!-- matrix fields -->');
  expect(read('../README.md')).toBe(readme);
  for (const row of fields(schema)) expect(row).not.toMatch(/\| {2}\|$/);
});
