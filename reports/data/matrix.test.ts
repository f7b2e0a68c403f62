import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { expectCommitted } from '../testing/committed.ts';
import { fieldTable } from '../testing/fields.ts';
import { MATRIX as MADE } from '../testing/matrices.ts';
import { MATRIX } from './matrix.ts';
import { looksLikeMatrix, readMatrixResult } from './read.ts';
import { dataFault, schemaText } from './schema.ts';

const FILE = new URL('matrix.schema.json', import.meta.url);
const README = new URL('../README.md', import.meta.url);
/** A matrix as a file, open to be spoilt. */
// biome-ignore lint/suspicious/noExplicitAny: the tests below spoil it in every way
type Open = Record<string, any>;
const copy = (): Open => JSON.parse(JSON.stringify(MADE)) as Open;

test('the schema file is current', () => {
  expectCommitted(FILE, () => schemaText('ringfence matrix', MATRIX));
});

test('the README describes every field', () => {
  const table = fieldTable(MATRIX);
  expect(table).not.toMatch(/\| {2}\|$/m);
  expectCommitted(README, (before) => {
    expect(before).toContain('<!-- matrix fields -->');
    return before.replace(
      /<!-- matrix fields -->[^]*<!-- \/matrix fields -->/,
      () => `<!-- matrix fields -->\n${table}\n<!-- /matrix fields -->`,
    );
  });
});

/** A second opinion, on the committed file. */
const ajv = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(FILE, 'utf8')) as object);

test('a matrix is as the schema says', () => {
  expect(dataFault(MATRIX, copy())).toBeUndefined();
  expect(ajv(copy()), JSON.stringify(ajv.errors)).toBe(true);
  expect(readMatrixResult(copy())).toEqual({ value: copy() });
  expect([looksLikeMatrix(copy()), looksLikeMatrix({ version: 1 }), looksLikeMatrix(null)]).toEqual([
    true,
    false,
    false,
  ]);
});

describe('what is not as the schema says is told with its place', () => {
  const causes = (matrix: Open): Open[] => matrix['comparison'].changes[0].causes;
  test.each<[string, (matrix: Open) => void]>([
    ['extra: is not known in this format', (matrix) => void (matrix['extra'] = 1)],
    ['kernels[0]: lacks sha256', (matrix) => void delete matrix['kernels'][0].sha256],
    [
      'rules[0].cells[1].state: expected one of kept, known, broken, unreached, found "bent"',
      (matrix) => void (matrix['rules'][0].cells[1].state = 'bent'),
    ],
    ['rules[0].cells[1]: must be object, found 3', (matrix) => void (matrix['rules'][0].cells[1] = 3)],
    ['abi[0].values[1]: must be string, found 65', (matrix) => void (matrix['abi'][0].values[1] = 65)],
    [
      'comparison.changes[0].causes: must not have fewer than 1 items, found an array of 0',
      (matrix) => void (matrix['comparison'].changes[0].causes = []),
    ],
    ['comparison.changes[0].causes[1]: lacks id', (matrix) => void delete causes(matrix)[1]!['id']],
    [
      'comparison.changes[0].causes[2].field: must be string, found 1',
      (matrix) => void (causes(matrix)[2]!['field'] = 1),
    ],
    [
      'comparison.changes[0].causes[0].kind: expected one of finding, expected, abi, open, unexplained, found "fate"',
      (matrix) => void (causes(matrix)[0]!['kind'] = 'fate'),
    ],
  ])('%s', (fault, spoil) => {
    const matrix = copy();
    spoil(matrix);
    expect(dataFault(MATRIX, matrix)).toBe(fault);
    expect(readMatrixResult(matrix)).toEqual({ fault: `is no matrix as ringfence writes it: ${fault}` });
    expect(ajv(matrix)).toBe(false);
  });
});
