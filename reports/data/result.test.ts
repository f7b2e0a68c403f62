import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { expectCommitted } from '../testing/committed.ts';
import { fieldTable } from '../testing/fields.ts';
import { DRAWN, HOSTILE } from '../testing/pages.ts';
import { BAD, GOOD } from '../testing/results.ts';
import { spoilt } from '../testing/spoil.ts';
import { readRunResult } from './read.ts';
import { RESULT_SCHEMA } from './result.ts';
import type { RunResult } from './result.ts';
import { dataFault } from './fault.ts';
import { schemaText } from './schema.ts';

const FILE = new URL('result.schema.json', import.meta.url);
const README = new URL('../README.md', import.meta.url);
const copy = (result: RunResult): unknown => JSON.parse(JSON.stringify(result));

test('the schema file is current', () => {
  expectCommitted(FILE, () => schemaText('ringfence result', RESULT_SCHEMA));
});

test('the README describes every field', () => {
  const table = fieldTable(RESULT_SCHEMA);
  expect(table).not.toMatch(/\| {2}\|$/m);
  expectCommitted(README, (before) => {
    expect(before).toContain('<!-- fields -->');
    return before.replace(/<!-- fields -->[^]*<!-- \/fields -->/, () => `<!-- fields -->\n${table}\n<!-- /fields -->`);
  });
});

/** A second opinion, on the committed file: [what is wrong with a value, or nothing]. */
const ajv = new Ajv2020({ strict: false }).compile(JSON.parse(readFileSync(FILE, 'utf8')) as object);

test.each([
  ['a good result', GOOD],
  ['a bad one', BAD],
  ['one with pictures', DRAWN],
  ['a hostile one', HOSTILE],
])('%s is as the schema says', (_, result) => {
  expect(dataFault(RESULT_SCHEMA, copy(result))).toBeUndefined();
  expect(ajv(copy(result)), JSON.stringify(ajv.errors)).toBe(true);
  expect(readRunResult(copy(result))).toEqual({ value: copy(result) });
});

describe('what is not as the schema says is told with its place', () => {
  test.each<[fault: string, path: string, value: unknown]>([
    ['extra: is not known in this format', 'extra', 1],
    ['lacks outcomes', 'outcomes', undefined],
    ['verdict: expected one of divergent, interrupted, untestable, conformant, found "fine"', 'verdict', 'fine'],
    ['suites.links.pass: must be >= 0, found -1', 'suites/links/pass', -1],
    ['suites["\\u001b[31m"]: must be object, found 3', 'suites/\u001b[31m', 3],
    ['seed: must be integer, found 1.5', 'seed', 1.5],
    ['seed: must be <= 4294967295, found 4294967296', 'seed', 2 ** 32],
    ['kernel.origin: must be object, found null', 'kernel/origin', null],
    ['abi: must be object, found an array of 1', 'abi', [1]],
    ['rules["filter.allow"]: must be integer, found "1"', 'rules/filter.allow', '1'],
    [
      'divergences[0].reproduced: must match pattern "^([0-9]+/[0-9]+|not repeated)$", found "often"',
      'divergences/0/reproduced',
      'often',
    ],
    ['divergences[0].story: must be object, found "s"', 'divergences/0/story', 's'],
    ['hangs: must be array, found an object', 'hangs', {}],
    ['known[0]: lacks title', 'known/0/title', undefined],
    ['policy.strict: must be boolean, found "yes"', 'policy/strict', 'yes'],
  ])('%s', (fault, path, value) => {
    const result = spoilt(BAD, path, value);
    expect(dataFault(RESULT_SCHEMA, result)).toBe(fault);
    expect(readRunResult(result)).toEqual({ fault: `is no result as ringfence writes it: ${fault}` });
    expect(ajv(result)).toBe(false);
  });

  test.each<[string, unknown]>([
    ['it holds no object', null],
    ['it holds no object', [GOOD]],
    ['it has no version', {}],
    ['its version is 2, not 1', { ...GOOD, version: 2 }],
    ['its version is "1", not 1', { ...GOOD, version: '1' }],
  ])('%s', (why, data) => {
    expect(readRunResult(data)).toEqual({ fault: `is no result of this version of ringfence: ${why}` });
  });
});

test('a story is looked into, too', () => {
  const story = 'divergences/0/story';
  const read = (path: string, value: unknown) => readRunResult(spoilt(DRAWN, `${story}/${path}`, value));
  const told = (fault: string) => ({ fault: `is no result as ringfence writes it: divergences[0].story: ${fault}` });
  expect(read('steps', undefined)).toEqual(told('lacks steps'));
  expect(read('steps/4/requests/0/filters/0/trace/0', [1])).toEqual(
    told('steps[4].requests[0].filters[0].trace[0]: must not have fewer than 3 items, found an array of 1'),
  );
  expect(read('programs/0/lines/0/1', 1)).toEqual(told('programs[0].lines[0][1]: must be string, found 1'));
});

test('a result from before there were plans, digests and expectations is read', () => {
  const { plan: _plan, digest: _digest, expectations: _expectations, divergences, ...rest } = BAD;
  const { group: _group, ...old } = divergences[0]!;
  const file = { ...rest, divergences: [old] };
  expect(readRunResult(file)).toMatchObject({
    value: { ...file, plan: { source: 'drawn', cases: 26000 }, expectations: [] },
  });
});
