/** Measures what DISTRIBUTION.md says, over fixed seeds. */
import { describe, expect, test } from 'vitest';
import { STEPS } from '../oracle/steps/index.ts';
import { ABI_7_0, documentedAbi } from '../oracle/probe/abi-documented.ts';
import { INSTRUCTIONS } from '../oracle/bpf/instructions.ts';
import { opForms } from '../oracle/opcodes/index.ts';
import { RULES, unreachableRules } from '../oracle/registry.ts';
import { Measure, measureSuite } from './measure.ts';
import { REASONS } from './program/invalid.ts';
import { scenarioAt, SUITE_NAMES } from './scenarios.ts';

/** Cases within which every other rule must be reached. */
const LIMIT = 20_000;
/** Cases of each suite that the shares are measured on. */
const CASES = 150;

const suites = Object.fromEntries(SUITE_NAMES.map((suite) => [suite, measureSuite(suite, CASES, 1)])) as Record<
  (typeof SUITE_NAMES)[number],
  Measure
>;
const all = new Measure();
for (const suite of SUITE_NAMES) for (let n = 0; n < CASES; n++) all.add(scenarioAt(suite, ABI_7_0, 1, n), ABI_7_0);

/** Scenarios behind the planned ones. */
const later = new Measure();
for (const suite of SUITE_NAMES) for (let n = 1000; n < 1100; n++) later.add(scenarioAt(suite, ABI_7_0, 1, n), ABI_7_0);

test.each(['7.0', '7.3'] as const)(
  `every rule that Linux %s has is reached within ${LIMIT} cases`,
  (release) => {
    const abi = documentedAbi(release);
    const barred = unreachableRules(abi);
    const left = new Set(Object.keys(RULES).filter((rule) => !Object.hasOwn(barred, rule)));
    const seen = new Set<string>();
    let cases = 0;
    for (let n = 0; left.size > 0 && cases < LIMIT; n++) {
      for (const suite of SUITE_NAMES) {
        const measure = new Measure();
        measure.add(scenarioAt(suite, abi, 1, n), abi);
        cases++;
        for (const rule of measure.rules.keys()) {
          left.delete(rule);
          seen.add(rule);
        }
      }
    }
    expect([...left]).toEqual([]);
    expect(Object.keys(barred).filter((rule) => seen.has(rule))).toEqual([]);
    console.log(
      `${Object.keys(RULES).length} rules, all but ${Object.keys(barred).length} reached within ${cases} cases`,
    );
  },
  300_000,
);

test('the rules that no case can reach on any kernel are few', () => {
  const always = Object.values(RULES).filter(({ unreachable }) => unreachable !== undefined);
  expect(always.map(({ id }) => id)).toEqual(['bpf.program.empty', 'bpf.program.too-long', 'task.gone', 'op.recv_zc']);
});

describe('programs', () => {
  test('every accepted instruction stands in at least 0.2 % of the places', () => {
    for (const row of INSTRUCTIONS) {
      if (!row.whitelisted) continue;
      const name = `${row.mnemonic} ${row.operand}`;
      expect(all.instructions.get(name) / all.instructions.total, name).toBeGreaterThan(0.002);
    }
  });

  test('every reason of refusal is at least 2 % of all refusals', () => {
    for (const reason of REASONS) expect(all.refusals.get(reason) / all.refusals.total, reason).toBeGreaterThan(0.02);
  });

  test('lengths go from 1 to 4096, most below 41', () => {
    // Behind the planned ones, which are large.
    const { length } = later;
    expect(all.length.get('401-4095')).toBeGreaterThan(0);
    expect(length.get('0-1') + length.get('2-8') + length.get('9-40')).toBeGreaterThan(0.85 * length.total);
    expect(length.get('4096')).toBeGreaterThan(0);
    expect(length.get('4096') + length.get('401-4095')).toBeLessThan(0.01 * length.total);
  });

  test('about a third of the validator suite is valid, and nearly all of the others', () => {
    expect(suites.validator.valid / suites.validator.programs).toBeGreaterThan(0.25);
    expect(suites.validator.valid / suites.validator.programs).toBeLessThan(0.45);
    for (const suite of ['evaluation', 'stacking', 'deny-rest', 'links'] as const)
      expect(suites[suite].accepted / suites[suite].registrations, suite).toBeGreaterThan(0.95);
    expect(suites.inheritance.accepted / suites.inheritance.registrations).toBeGreaterThan(0.75);
    expect(suites.arguments.accepted / suites.arguments.registrations).toBeGreaterThan(0.08);
  });
});

describe('requests', () => {
  // DENY_REST denies nearly all, and is the point of the one and a part of the other.
  test.each(SUITE_NAMES.filter((suite) => suite !== 'deny-rest' && suite !== 'sweep'))(
    '%s: filters deny between a fifth and two thirds of what they see',
    (suite) => {
      const { allowed, denied } = suites[suite];
      expect(denied / (allowed + denied)).toBeGreaterThan(0.2);
      expect(denied / (allowed + denied)).toBeLessThan(0.66);
    },
  );

  test('over all suites, filters deny between 35 % and 65 %', () => {
    expect(all.denied / (all.allowed + all.denied)).toBeGreaterThan(0.35);
    expect(all.denied / (all.allowed + all.denied)).toBeLessThan(0.65);
  });

  test('every opcode takes part', () => {
    for (let opcode = 0; opcode < ABI_7_0.op_last; opcode++)
      expect(all.opcodes.get(String(opcode)) / all.opcodes.total, `opcode ${opcode}`).toBeGreaterThan(0.0005);
  });

  test('nearly every ready-made request is used', () => {
    expect(all.forms.size).toBeGreaterThan(0.8 * new Set(opForms.map(({ sqe, name }) => `${sqe.opcode} ${name}`)).size);
  });

  test('at least 40 answers per scenario, nearly all with one right value', () => {
    expect(all.outcomes / all.scenarios).toBeGreaterThan(60);
    for (const suite of SUITE_NAMES) {
      const { outcomes, scenarios, open } = suites[suite];
      expect(outcomes / scenarios, suite).toBeGreaterThan(40);
      expect(open.open / open.requests, suite).toBeLessThan(0.06);
    }
  });
});

describe('scenarios', () => {
  test('stacks are 1 to 64 deep, and some of every order up to thousands', () => {
    const { depth } = suites.stacking;
    for (const large of ['65-511', '512-4095', 'over 4095']) expect(depth.get(large), large).toBeGreaterThan(0);
    expect(depth.get('17-64') / depth.total).toBeGreaterThan(0.1);
    expect(depth.get('1') + depth.get('2-4')).toBeGreaterThan(0.1 * depth.total);
  });

  test('every kind of step and of child occurs', () => {
    expect([...all.spawns.counts.keys()].sort()).toEqual(['clone3', 'clone_vm', 'fork', 'thread', 'vfork']);
    expect([...all.stepsByKind.counts.keys()].sort()).toEqual(Object.keys(STEPS).sort());
  });

  test('every kind of ring occurs', () => {
    const bits = [0, 1, 6, 7, 8, 9, 10, 11, 12, 13, 16, 18, 19];
    for (const bit of bits) expect(all.setup_flags.get(String(bit)), `setup flag 1 << ${bit}`).toBeGreaterThan(0);
  });
});
