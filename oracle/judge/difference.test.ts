import { WORLD } from '../world/open.ts';
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Cqe, StepObservation } from '../scenario/observation.ts';
import type { PredictedCqe, PredictedStep } from '../scenario/prediction.ts';
import { compare } from './compare.ts';
import { DIFFERS, differenceSignature, differenceText, withUserData } from './difference.ts';
import type { Difference } from './difference.ts';

const want = (userData: bigint, change: Partial<PredictedCqe> = {}): PredictedCqe => ({
  user_data: userData,
  res: 0,
  flags: 0,
  sqe: 0,
  rule: 'op.nop',
  ...change,
});
const got = (userData: bigint, change: Partial<Cqe> = {}): Cqe => ({
  user_data: userData,
  res: 0,
  flags: 0,
  ...change,
});
const PLACE = WORLD['descriptor.number'];
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What comparing one step gives; by default it is predicted to run, return 1 and post nothing, and does. */
function differ(predicted: Partial<PredictedStep>, observed: Partial<StepObservation>): Difference | undefined {
  const steps: PredictedStep[] = [{ reached: true, returns: [1], cqes: [], rule: 'enter.count', ...predicted }];
  return compare(
    { steps, hits: new Map(), asked: new Set() },
    { steps: [{ reached: true, returns: [1], cqes: [], ...observed }] },
  ).difference;
}

/** A difference of each kind, and the words for it; `data` and `step` are numbers that do not count. */
const KINDS: readonly (readonly [kind: string, of: (data: bigint) => Difference | undefined, text: object])[] = [
  [
    'steps',
    () =>
      compare({ steps: [], hits: new Map(), asked: new Set() }, { steps: [{ reached: true, returns: [], cqes: [] }] })
        .difference,
    { what: 'steps', rule: 'task.gone', predicted: '0 steps', observed: '1 steps' },
  ],
  [
    'reached',
    () => differ({}, { reached: false }),
    { what: 'reached', rule: 'enter.count', predicted: 'runs', observed: 'did not run' },
  ],
  [
    'return',
    () => differ({ returns: [PLACE.among(-1, -13), PLACE.atLeast(2)] }, { returns: [0, 3] }),
    { what: 'return', predicted: 'returns one of -EPERM | -EACCES, >= 2', observed: 'returned 0, 3' },
  ],
  [
    'cqe-missing',
    (data) => differ({ cqes: [want(data, { res: -13 })] }, { cqes: [got(0xffn)] }),
    { what: 'cqe', rule: 'op.nop', predicted: 'CQE user_data=0x7 res=-EACCES', observed: 'no such CQE' },
  ],
  [
    'cqe-unexpected',
    (data) => differ({}, { cqes: [got(data, { res: 5 })] }),
    {
      what: 'cqe',
      rule: 'enter.count',
      predicted: 'no such CQE',
      observed: 'CQE user_data=0x7 res=5 flags=0x0',
    },
  ],
  [
    'cqe-unexpected',
    (data) => differ({ cqes: [want(data, { optional: PLACE, flags: PLACE.any })] }, { cqes: [got(data), got(data)] }),
    {
      what: 'cqe',
      rule: 'op.nop',
      predicted: 'CQE user_data=0x7 res=0 flags=anything (may be absent)',
      observed: 'CQE user_data=0x7 res=0 flags=0x0',
    },
  ],
  [
    'cqe-field',
    (data) => differ({ cqes: [want(data, { res: -13 })] }, { cqes: [got(data, { flags: 8 })] }),
    {
      what: 'cqe',
      rule: 'op.nop',
      predicted: 'CQE user_data=0x7 res=-EACCES',
      observed: 'CQE user_data=0x7 res=0 flags=0x8',
    },
  ],
  [
    'memory',
    () => differ({ memory: bytes(1, 0xab) }, { memory: bytes(1, 0xac) }),
    { what: 'memory', predicted: 'bytes 01ab', observed: 'bytes 01ac' },
  ],
  [
    'memory',
    () => differ({}, { memory: bytes(1) }),
    { what: 'memory', predicted: 'argument unchanged', observed: 'bytes 01' },
  ],
  [
    'cqe-order',
    (data) =>
      differ(
        { cqes: [want(data), want(8n, { sqe: 1 })], order: [{ first: 0, second: 1 }] },
        { cqes: [got(8n), got(data)] },
      ),
    {
      what: 'cqe',
      rule: 'drain.order',
      predicted: 'CQE user_data=0x7 res=0 before that of user_data=0x8',
      observed: 'the other way round',
    },
  ],
];

describe('each kind', () => {
  test.each(KINDS)('%s', (kind, of, text) => {
    const difference = of(7n)!;
    expect(difference).toMatchObject({ kind, step: 0 });
    expect(differenceText(difference)).toMatchObject({ step: 0, ...text });
  });
  test('is among them', () => {
    const words = KINDS.map(([, of]) => differenceText(of(7n)!).what);
    expect(new Set(words)).toEqual(new Set(DIFFERS));
  });
  test('which field of a CQE it is', () => {
    const field = (cqe: Partial<Cqe>): unknown => differ({ cqes: [want(7n)] }, { cqes: [got(7n, cqe)] });
    expect(field({ res: 1 })).toMatchObject({ kind: 'cqe-field', field: 'res' });
    expect(field({ flags: 1 })).toMatchObject({ kind: 'cqe-field', field: 'flags' });
    expect(field({ res: 1, flags: 1 })).toMatchObject({ kind: 'cqe-field', field: 'res' });
    expect(field({})).toBeUndefined();
  });
});

test('the order of CQEs counts where it is promised, and where it can be told', () => {
  const order = [{ first: 0, second: 1 }];
  const cqes = [want(1n), want(2n, { sqe: 1 })];
  const reversed = { cqes: [got(2n), got(1n)] };
  expect(differ({ cqes, order }, reversed)).toMatchObject({ kind: 'cqe-order', predicted: cqes[0], second: cqes[1] });
  expect(differ({ cqes, order }, { cqes: [got(1n), got(2n)] })).toBeUndefined();
  expect(differ({ cqes }, reversed)).toBeUndefined();
  // One that need not come, or two that look alike.
  expect(differ({ cqes: [want(1n, { optional: PLACE }), cqes[1]!], order }, reversed)).toBeUndefined();
  const twice = [...cqes, want(1n, { sqe: 2 })];
  expect(differ({ cqes: twice, order }, { cqes: [got(1n), got(2n), got(1n)] })).toBeUndefined();
});

describe('the signature', () => {
  const signature = (difference: Difference | undefined): string => differenceSignature(difference!);
  test('is another for each kind', () => {
    expect(new Set(KINDS.map(([, of]) => signature(of(7n)))).size).toBe(KINDS.length);
  });
  test.each(KINDS)('%s: neither the step nor user_data counts', (_, of) => {
    const difference = of(7n)!;
    expect(signature({ ...of(0xdeadn)!, step: 3 })).toBe(signature(difference));
    expect(signature({ ...difference, rule: 'op.other' })).not.toBe(signature(difference));
  });
  test('values count', () => {
    const res = (value: number): string =>
      signature(differ({ cqes: [want(1n, { res: -13 })] }, { cqes: [got(1n, { res: value })] }));
    expect(res(0)).not.toBe(res(1));
    const flags = (value: number): string => signature(differ({}, { cqes: [got(1n, { flags: value })] }));
    expect(flags(0)).not.toBe(flags(1));
    const returned = (...values: number[]): string => signature(differ({}, { returns: values }));
    expect(new Set([returned(0), returned(-1), returned(1, 1), returned()]).size).toBe(4);
  });
  test('the kind counts, where the values are the same', () => {
    const stray = differ({ cqes: [want(1n)] }, { cqes: [got(1n), got(1n, { res: 5 })] });
    const field = differ({ cqes: [want(1n)] }, { cqes: [got(1n, { res: 5 })] });
    expect(differenceText(stray!)).toEqual(differenceText(field!));
    expect(signature(stray)).not.toBe(signature(field));
  });
  test('whether a CQE may be absent counts', () => {
    const stray = (optional: boolean): string =>
      signature(
        differ({ cqes: [want(1n, optional ? { optional: PLACE } : {})] }, { cqes: [got(1n), got(1n, { res: 5 })] }),
      );
    expect(stray(true)).not.toBe(stray(false));
  });
  test('short memory counts, long memory is full of addresses', () => {
    const memory = (...values: number[]): string =>
      signature(differ({ memory: new Uint8Array(values.length) }, { memory: bytes(...values) }));
    expect(memory(1, 2)).not.toBe(memory(1, 3));
    expect(memory(1, 0, 0, 0, 0, 0, 0, 0)).toBe(memory(0, 0, 0, 0, 0, 0, 0, 2));
    const none = signature(differ({}, { memory: new Uint8Array(8) }));
    expect(none).not.toBe(memory(1, 0, 0, 0, 0, 0, 0, 0));
  });
});

test('user_data can be renamed, wherever it stands', () => {
  for (const [kind, of] of KINDS) {
    const words = (difference: Difference): string => JSON.stringify(differenceText(difference));
    // What it names beside the first one too.
    const renamed = withUserData(of(7n)!, (data) => (data === 7n ? 0x99n : data === 8n ? 0xaan : data));
    const expected = words(of(7n)!)
      .replaceAll('user_data=0x7 ', 'user_data=0x99 ')
      .replaceAll('data=0x8"', 'data=0xaa"');
    expect(words(renamed), kind).toBe(expected);
    expect(differenceSignature(renamed)).toBe(differenceSignature(of(7n)!));
  }
});

test('the words do not change: digests of recorded runs and expectation files of users hold them', () => {
  const words = KINDS.map(([, of]) => {
    const { step, what, rule, predicted, observed } = differenceText(of(7n)!);
    return [step, what, rule, predicted, observed].join('\n');
  }).join('\n');
  expect(createHash('sha256').update(words).digest('hex').slice(0, 16)).toBe('2afb22582e2076d7');
});
