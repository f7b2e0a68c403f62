import { expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { predict } from '../../oracle/predict.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import { loadFindings } from '../known/findings.ts';
import type { PlannedCase } from '../run/plan.ts';
import { obedient } from '../testing/fake-guest.ts';
import { digestOf } from './answers.ts';
import { compareKernels, differing, questions } from './differences.ts';
import type { Compared } from './differences.ts';
import type { Examined } from './examine.ts';

const EXEC = loadFindings().find(({ id }) => id === 'exec-drops-rules')!;
const CASES: ReadonlyMap<number, PlannedCase> = new Map(
  [0, 1, 2, 3].map((index) => [
    index,
    {
      index,
      suite: 'inheritance' as const,
      scenario:
        index === 3
          ? {
              ...EXEC.scenario,
              steps: [...EXEC.scenario.steps, { task: 0, do: 'submit' as const, ring: 1, sqes: [{ opcode: OP.NOP }] }],
            }
          : EXEC.scenario,
    },
  ]),
);

function answer(index: number, faulty: boolean): Observation {
  return {
    steps: obedient(predict(CASES.get(index)!.scenario, ABI_7_0, { quirks: new Set(faulty ? [EXEC.id] : []) }).steps),
  };
}

/** @param odd scenarios whose first answer was another than the later ones */
function kernel(
  name: string,
  faulty: boolean,
  {
    first = [],
    examined = [0, 1, 2, 3],
  }: { readonly first?: readonly number[]; readonly examined?: readonly number[] } = {},
): Compared {
  const answers = new Map(
    [...CASES.keys()].map((index) => [
      index,
      digestOf(CASES.get(index)!.scenario, answer(index, faulty !== first.includes(index))),
    ]),
  );
  return {
    name,
    answers,
    model: { name, abi: ABI_7_0, findings: faulty ? [EXEC] : [], expected: [] },
    examined: new Map(
      examined.map((index): [number, Examined] => {
        const observation = answer(index, faulty);
        return [
          index,
          {
            digests: new Set([answers.get(index)!, digestOf(CASES.get(index)!.scenario, observation)]),
            observations: [observation],
          },
        ];
      }),
    ),
  };
}

test('what is shared and what differs; only neighbours are asked again', () => {
  const a = {
    answers: new Map([
      [0, 'x'],
      [1, 'y'],
      [2, 'z'],
    ]),
  };
  const b = {
    answers: new Map([
      [1, 'y'],
      [2, 'other'],
      [5, 'x'],
    ]),
  };
  expect(differing(a, b)).toEqual({ shared: 2, different: [2] });
  expect(questions([a, b, b])).toEqual([[2], [2], []]);
  expect(questions([a])).toEqual([[]]);
});

test('differences by cause, with the smallest case', () => {
  const { pairs, changes } = compareKernels(
    [kernel('7.1.7', true), kernel('7.1.8', false), kernel('7.1.13', false)],
    CASES,
  );
  expect(pairs).toEqual([
    { from: '7.1.7', to: '7.1.8', shared: 4, same: 0, varying: 0, explained: 4, unexplained: 0, unexamined: 0 },
    { from: '7.1.8', to: '7.1.13', shared: 4, same: 4, varying: 0, explained: 0, unexplained: 0, unexamined: 0 },
  ]);
  expect(changes).toHaveLength(1);
  expect(changes[0]).toMatchObject({
    from: '7.1.7',
    to: '7.1.8',
    scenarios: 4,
    suites: { inheritance: 4 },
    causes: [{ kind: 'finding', id: EXEC.id, shown_on: 'from' }],
    example: {
      index: 0,
      step: 4,
      answer_from: 'CQE user_data=0x1 res=0',
      answer_to: 'CQE user_data=0x1 res=-EACCES',
      file: 'changes/001.json',
    },
  });
});

test('an answer that changes by itself is no difference of kernels', () => {
  const { pairs, changes } = compareKernels([kernel('a', false), kernel('b', false, { first: [1] })], CASES);
  expect(pairs[0]).toMatchObject({ same: 3, varying: 1, explained: 0, unexplained: 0 });
  expect(changes).toEqual([]);
  // Also where the models differ: each gave the other's answer once.
  expect(
    compareKernels([kernel('a', true, { first: [0] }), kernel('b', false, { first: [0] })], CASES).pairs[0],
  ).toMatchObject({ varying: 1, explained: 3 });
});

test('what was not asked again is told', () => {
  const { pairs } = compareKernels([kernel('a', true), kernel('b', false, { examined: [0] })], CASES);
  expect(pairs[0]).toMatchObject({ explained: 1, unexamined: 3 });
});

test('a difference between equal models comes first, unexplained', () => {
  const liar = { ...kernel('c', true), model: kernel('c', false).model };
  const { pairs, changes } = compareKernels([kernel('a', true), kernel('b', false), liar], CASES);
  expect(pairs[1]).toMatchObject({ explained: 0, unexplained: 4 });
  expect(changes.map(({ from, causes }) => [from, causes[0]!.kind])).toEqual([
    ['b', 'unexplained'],
    ['a', 'finding'],
  ]);
});

test('unexplained differences are told apart by the broken rule, not by what was answered', () => {
  // Of case 1 the number of SQEs is answered wrongly, of the others each CQE, in two ways.
  const wrong = (index: number): Observation => ({
    steps: answer(index, false).steps.map((step) =>
      index === 1 && step.cqes.length > 0
        ? { ...step, returns: [9] }
        : { ...step, cqes: step.cqes.map((cqe) => ({ ...cqe, res: -5 - index })) },
    ),
  });
  const right = kernel('b', false);
  const answers = new Map([...right.answers.keys()].map((i) => [i, digestOf(CASES.get(i)!.scenario, wrong(i))]));
  const examined = new Map(
    [...answers].map(([i, digest]): [number, Examined] => [
      i,
      { digests: new Set([digest]), observations: [wrong(i)] },
    ]),
  );
  const { pairs, changes } = compareKernels([right, { ...right, name: 'liar', answers, examined }], CASES);
  expect(pairs[0]).toMatchObject({ unexplained: 4 });
  expect(changes.map(({ scenarios }) => scenarios)).toEqual([3, 1]);
  expect(changes.map(({ causes }) => (causes[0] as { detail: string }).detail)).toEqual([
    expect.stringContaining('b breaks filter.deny:'),
    expect.stringContaining('b breaks enter.count:'),
  ]);
});
