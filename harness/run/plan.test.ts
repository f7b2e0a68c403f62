/** What the first cases of a run cover: those of --quick, and the pairs of all. */
import { describe, expect, test } from 'vitest';
import { REASONS } from '../../generators/program/invalid.ts';
import { cellName, RefusalTally } from '../../generators/pairs/refusals.ts';
import { LEVELS } from '../../generators/pairs/factors.ts';
import { PairTally, POSSIBLE } from '../../generators/pairs/tally.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { OPENING } from '../../generators/turns.ts';
import { opSpecs } from '../../oracle/opcodes/index.ts';
import type { OpRow } from '../../oracle/opcodes/types.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { Open } from '../../oracle/open-answer.ts';
import { predict } from '../../oracle/predict.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import { CLONE, E } from '../../oracle/uapi/constants.ts';
import { RULES, unreachableRules } from '../../oracle/registry.ts';
import { planCases } from './plan.ts';
import type { PlannedCase } from './plan.ts';

const SEED = 1;
/** Cases of a default run. */
const DEFAULT = 26_000;
/** What --quick must have of the pairs. */
const QUICK_SHARE = 0.95;

/** Everything that is counted here. */
class Seen {
  readonly pairs = new PairTally();
  readonly refusals = new RefusalTally();
  readonly rules = new Set<string>();
  /** Opcodes that a filter allowed, and that one denied; register opcodes that restrictions let through, and not. */
  readonly allowed = new Set<number>();
  readonly denied = new Set<number>();
  readonly called = new Set<number>();
  readonly barred = new Set<number>();

  /** CLONE_* with which a child was made that a filter or restrictions then denied something that it inherited. */
  boundClones = 0;

  #addClones(scenario: PlannedCase['scenario'], { steps: answers }: Prediction): void {
    const made = new Map<number, number>();
    const ruled = new Set<number>();
    scenario.steps.forEach((step, i) => {
      if (step.do === 'spawn') made.set(step.child, step.flags ?? 0);
      if (step.do.startsWith('register_')) ruled.add(step.task);
      const { cqes } = answers[i]!;
      if (step.do !== 'submit' || Open.is(cqes) || ruled.has(step.task)) return;
      if (cqes.some(({ res }) => res === -E.ACCES)) this.boundClones |= made.get(step.task) ?? 0;
    });
  }

  add({ suite, scenario }: PlannedCase): void {
    const prediction = predict(scenario, ABI_7_0, {
      trace: (event) => {
        if (event.kind === 'program') this.rules.add(event.rule ?? '');
        if (event.kind === 'request' && event.stage === 'filter')
          (event.rule === 'filter.allow' ? this.allowed : this.denied).add(event.opcode);
        if (event.kind !== 'call') return;
        const opcode = Number(event.what.split(' ').at(-1));
        (event.rule.startsWith('register.restricted') ? this.barred : this.called).add(opcode);
      },
    });
    for (const rule of prediction.hits.keys()) this.rules.add(rule);
    this.pairs.add(scenario, ABI_7_0, prediction);
    if (suite === 'inheritance') this.#addClones(scenario, prediction);
    if (suite === 'refusals' || suite === 'atomicity') this.refusals.add(scenario, ABI_7_0, prediction);
  }
}

const quick = new Seen();
for (const planned of planCases(SUITE_NAMES, ABI_7_0, SEED, OPENING)) quick.add(planned);

describe('run --quick', () => {
  test('has nearly every pair', () => {
    expect(quick.pairs.missing().length).toBeLessThan((1 - QUICK_SHARE) * POSSIBLE.length);
  });

  test('reaches every rule that can be reached', () => {
    const barred = unreachableRules(ABI_7_0);
    const left = Object.keys(RULES).filter((rule) => !Object.hasOwn(barred, rule) && !quick.rules.has(rule));
    expect(left).toEqual([]);
  });

  test('has a child made with each flag of clone(2) that is bound by what it inherited', () => {
    const flags = Object.entries(CLONE).filter(([, flag]) => (quick.boundClones & flag) === 0);
    expect(flags).toEqual([]);
  });

  test('has every reason for which a program is refused', () => {
    expect(REASONS.filter((reason) => !quick.rules.has(reason))).toEqual([]);
  });

  test('has every refusal of a registration on a target in every state', () => {
    expect(quick.refusals.missing().map(cellName)).toEqual([]);
    expect(quick.refusals.wronglyListed().map(cellName)).toEqual([]);
  });

  test('has every opcode allowed and denied by a filter, and every register opcode let through and not', () => {
    const barred = unreachableRules(ABI_7_0);
    const opcodes = opSpecs.filter(({ opcode, rule }) => opcode < ABI_7_0.op_last && !Object.hasOwn(barred, rule));
    const allowedAndDenied = ({ opcode }: OpRow): boolean => quick.allowed.has(opcode) && quick.denied.has(opcode);
    expect(opcodes.filter((spec) => !allowedAndDenied(spec)).map(({ opcode }) => opcode)).toEqual([]);
    const calls = Object.values(IORING_REGISTER).filter((opcode) => opcode < ABI_7_0.register_last);
    expect(calls.filter((opcode) => !quick.called.has(opcode) || !quick.barred.has(opcode))).toEqual([]);
  });
});

test('a default run has every possible pair, and none that is listed as impossible', () => {
  for (const planned of planCases(SUITE_NAMES, ABI_7_0, SEED, DEFAULT)) {
    if (planned.index < OPENING || planned.suite !== 'combinations') continue;
    quick.pairs.add(planned.scenario, ABI_7_0);
    if (quick.pairs.missing().length === 0) break;
  }
  expect(quick.pairs.missing()).toEqual([]);
  expect(quick.pairs.wronglyListed()).toEqual([]);
  console.log(`${POSSIBLE.length} pairs of ${LEVELS.length} levels`);
});
