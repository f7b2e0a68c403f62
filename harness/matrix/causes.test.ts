import { expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { E } from '../../oracle/uapi/constants.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { predict } from '../../oracle/predict.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { loadFindings, quirksOf } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import { obedient } from '../testing/fake-guest.ts';
import { abiDifferences, abiMembers, withMembers } from './abi.ts';
import { canonicalAnswers, digestOf, parting } from './answers.ts';
import { causesOf } from './causes.ts';
import type { Model } from './causes.ts';

const EXEC = loadFindings().find(({ id }) => id === 'exec-drops-rules')!;
const NEWER: AbiProfile = {
  ...ABI_7_0,
  release: '7.2.6',
  pdu_size: ABI_7_0.pdu_size.map((size, op) => (op === OP.CONNECT ? 24 : size)),
  nop_shows_fixed_file: true,
};
const CONNECT_24 = {
  task: 0,
  do: 'register_bpf_filter',
  on: { kind: 'task' },
  nr_args: 1,
  arg: {
    cmd_type: 1,
    cmd_flags: 0,
    resv: 0,
    opcode: OP.CONNECT,
    flags: 2,
    filter_len: 1,
    pdu_size: 24,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program: [{ code: 6, jt: 0, jf: 0, k: 1 }],
    placement: 'normal',
    program_placement: 'normal',
  },
} as const satisfies Scenario['steps'][number];

function model(name: string, abi: AbiProfile, findings: readonly Finding[] = []): Model {
  return { name, abi, findings, expected: [] };
}

function answers(scenario: Scenario, { abi, findings }: Model): Observation {
  return { steps: obedient(predict(scenario, abi, { quirks: quirksOf(findings) }).steps) };
}

function causes(scenario: Scenario, from: Model, to: Model, a = answers(scenario, from), b = answers(scenario, to)) {
  return causesOf(scenario, from, to, { from: [a], to: [b] });
}

test('a finding that one of them has', () => {
  const old = model('7.1.7', ABI_7_0, loadFindings());
  const fixed = model(
    '7.1.8',
    ABI_7_0,
    loadFindings().filter(({ id }) => id !== EXEC.id),
  );
  expect(causes(EXEC.scenario, old, fixed)).toEqual({
    step: 4,
    causes: [{ kind: 'finding', id: EXEC.id, rule: 'inherit.exec', shown_on: 'from' }],
  });
  expect(causes(EXEC.scenario, fixed, old).causes).toEqual([
    { kind: 'finding', id: EXEC.id, rule: 'inherit.exec', shown_on: 'to' },
  ]);
});

test('a member of the ABI, and only the one that matters', () => {
  const scenario: Scenario = { version: 1, fixtures: [], jit: true, steps: [CONNECT_24] };
  expect(causes(scenario, model('7.1.8', ABI_7_0), model('7.2.6', NEWER))).toEqual({
    step: 0,
    causes: [{ kind: 'abi', field: 'pdu_size.CONNECT', from: '0', to: '24' }],
  });
});

test('two causes at once', () => {
  const scenario: Scenario = { ...EXEC.scenario, steps: [CONNECT_24, ...EXEC.scenario.steps] };
  const found = causes(scenario, model('7.1.7', ABI_7_0, [EXEC]), model('7.2.6', NEWER));
  expect(found.causes.map(({ kind }) => kind).sort()).toEqual(['abi', 'finding']);
});

test('what the rules leave open', () => {
  const scenario: Scenario = {
    version: 1,
    fixtures: [],
    jit: true,
    steps: [
      { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 },
      // Whether the task has workers of its own by now is a matter of time.
      {
        task: 0,
        do: 'register',
        on: { kind: 'ring', ring: 0 },
        opcode: IORING_REGISTER.UNREGISTER_IOWQ_AFF,
        nr_args: 0,
      },
    ],
  };
  const same = model('7.0.10', ABI_7_0);
  const a = answers(scenario, same);
  const other = a.steps[1]!.returns[0] === 0 ? -E.INVAL : 0;
  const b: Observation = { steps: [a.steps[0]!, { ...a.steps[1]!, returns: [other] }] };
  expect(causes(scenario, same, model('7.0.12', ABI_7_0), a, b)).toEqual({
    step: 1,
    causes: [{ kind: 'open', rule: 'register.iowq' }],
  });
});

test('what no model predicts is unexplained, or an entry of --expect', () => {
  const to = model('7.3.4', ABI_7_0);
  const right = answers(EXEC.scenario, to);
  const wrong: Observation = {
    steps: right.steps.map((step, i) => (i === 4 ? { ...step, cqes: [{ user_data: 1n, res: -5, flags: 0 }] } : step)),
  };
  const { causes: found, step } = causes(EXEC.scenario, model('7.2.6', ABI_7_0), to, right, wrong);
  expect(step).toBe(4);
  expect(found).toEqual([
    {
      kind: 'unexplained',
      detail: expect.stringMatching(
        /^7\.3\.4 breaks filter\.deny: step 4, predicted .*EACCES, observed .*res=-EIO/,
      ) as string,
    },
  ]);
  expect(
    causes(
      EXEC.scenario,
      model('7.2.6', ABI_7_0),
      { ...to, expected: [{ id: 'gate-1', rule: 'filter.deny' }] },
      right,
      wrong,
    ).causes,
  ).toEqual([{ kind: 'expected', id: 'gate-1', rule: 'filter.deny', shown_on: 'to' }]);
});

test('equal models that answer differently are unexplained, not open', () => {
  const to = model('b', ABI_7_0);
  const right = answers(EXEC.scenario, to);
  const wrong = answers(EXEC.scenario, model('x', ABI_7_0, [EXEC]));
  expect(causes(EXEC.scenario, model('a', ABI_7_0), to, wrong, right).causes[0]).toMatchObject({ kind: 'unexplained' });
});

test('the ABI member by member', () => {
  expect(abiMembers(ABI_7_0).get('sqe_flags')).toBe('0x7f');
  expect(abiMembers(ABI_7_0).get('pdu_size.SOCKET')).toBe('12');
  expect(abiDifferences(ABI_7_0, NEWER).map(({ field, a, b }) => `${field} ${a} ${b}`)).toEqual([
    'nop_shows_fixed_file no yes',
    'pdu_size.CONNECT 0 24',
  ]);
  const mixed = withMembers(ABI_7_0, NEWER, new Set(['pdu_size.CONNECT']));
  expect([mixed.pdu_size[OP.CONNECT], mixed.nop_shows_fixed_file]).toEqual([24, false]);
  const longer = { ...ABI_7_0, op_last: 66, pdu_size: [...ABI_7_0.pdu_size, 8] };
  expect(withMembers(ABI_7_0, longer, new Set(['op_last'])).pdu_size).toHaveLength(66);
  expect(withMembers(longer, ABI_7_0, new Set(['op_last'])).pdu_size).toEqual(ABI_7_0.pdu_size);
});

test('answers: order and process ids say nothing, everything else does', () => {
  const scenario: Scenario = {
    version: 1,
    fixtures: [],
    jit: true,
    steps: [
      { task: 0, do: 'spawn', how: 'fork', child: 1 },
      { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 },
      { task: 0, do: 'submit', ring: 0, sqes: [] },
    ],
  };
  const observed = (pid: number, ...cqes: (readonly [bigint, number])[]): Observation => ({
    steps: [
      { reached: true, returns: [pid], cqes: [] },
      { reached: true, returns: [0], cqes: [] },
      { reached: true, returns: [2], cqes: cqes.map(([userData, res]) => ({ user_data: userData, res, flags: 0 })) },
    ],
  });
  const one = observed(100, [1n, 0], [2n, -13]);
  expect(digestOf(scenario, observed(200, [2n, -13], [1n, 0]))).toBe(digestOf(scenario, one));
  expect(digestOf(scenario, observed(-11, [1n, 0], [2n, -13]))).not.toBe(digestOf(scenario, one));
  expect(digestOf(scenario, observed(100, [1n, 0], [2n, 0]))).not.toBe(digestOf(scenario, one));
  expect(
    parting(canonicalAnswers(scenario, one), canonicalAnswers(scenario, observed(300, [1n, 0], [2n, -13]))),
  ).toBeUndefined();
  expect(parting(one, observed(100, [1n, 0]))).toEqual({
    step: 2,
    a: 'CQE user_data=0x2 res=-EACCES',
    b: 'CQE user_data=0x2 does not come',
  });
});
