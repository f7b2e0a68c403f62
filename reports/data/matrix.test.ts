import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { expectCommitted } from '../testing/committed.ts';
import { fieldTable } from '../testing/fields.ts';
import { FOUR_KERNELS as MADE } from '../testing/matrices.ts';
import { spoilt } from '../testing/spoil.ts';
import { MATRIX_SCHEMA } from './matrix.ts';
import { looksLikeMatrix, readMatrixResult } from './read.ts';
import { dataFault } from './fault.ts';
import { schemaText } from './schema.ts';

const FILE = new URL('matrix.schema.json', import.meta.url);
const README = new URL('../README.md', import.meta.url);
const copy = (): unknown => JSON.parse(JSON.stringify(MADE));

test('the schema file is current', () => {
  expectCommitted(FILE, () => schemaText('ringfence matrix', MATRIX_SCHEMA));
});

test('the README describes every field', () => {
  const table = fieldTable(MATRIX_SCHEMA);
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
  expect(dataFault(MATRIX_SCHEMA, copy())).toBeUndefined();
  expect(ajv(copy()), JSON.stringify(ajv.errors)).toBe(true);
  expect(readMatrixResult(copy())).toEqual({ value: copy() });
  expect([looksLikeMatrix(copy()), looksLikeMatrix({ version: 1 }), looksLikeMatrix(null)]).toEqual([
    true,
    false,
    false,
  ]);
});

describe('what is not as the schema says is told with its place', () => {
  const causes = 'comparison/changes/0/causes';
  test.each<[fault: string, path: string, value: unknown]>([
    ['extra: is not known in this format', 'extra', 1],
    ['kernels[0]: lacks sha256', 'kernels/0/sha256', undefined],
    [
      'rules[0].cells[1].state: expected one of kept, known, broken, unreached, found "bent"',
      'rules/0/cells/1/state',
      'bent',
    ],
    ['rules[0].cells[1]: must be object, found 3', 'rules/0/cells/1', 3],
    ['abi[0].values[1]: must be string, found 65', 'abi/0/values/1', 65],
    ['comparison.changes[0].causes: must not have fewer than 1 items, found an array of 0', causes, []],
    ['comparison.changes[0].causes[1]: lacks id', `${causes}/1/id`, undefined],
    ['comparison.changes[0].causes[1]: must be object, found 1', `${causes}/1`, 1],
    ['comparison.changes[0].causes[2].field: must be string, found 1', `${causes}/2/field`, 1],
    [
      'comparison.changes[0].causes[0].kind: expected one of finding, expected, abi, open, unexplained, found "fate"',
      `${causes}/0/kind`,
      'fate',
    ],
  ])('%s', (fault, path, value) => {
    const matrix = spoilt(MADE, path, value);
    expect(dataFault(MATRIX_SCHEMA, matrix)).toBe(fault);
    expect(readMatrixResult(matrix)).toEqual({ fault: `is no matrix as ringfence writes it: ${fault}` });
    expect(ajv(matrix)).toBe(false);
  });
});
