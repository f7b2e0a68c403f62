/** Some mutants, checked without a kernel: what faulty kernels answered is still noticed. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { fromJson } from '../../../oracle/case/json.ts';
import { unpackStep } from '../../../oracle/scenario/packed.ts';
import type { PackedStep } from '../../../oracle/scenario/packed.ts';
import { loadFindings } from '../../../harness/known/findings.ts';
import { KnownFindings } from '../../../harness/known/predictions.ts';
import { allMutants } from '../files.ts';
import { RECORDED } from './recorded.ts';
import type { RecordedKills } from './recorded.ts';

const { abi, findings, kills } = JSON.parse(readFileSync(RECORDED, 'utf8')) as RecordedKills;
const KNOWN = new KnownFindings(
  loadFindings().filter(({ id }) => findings.includes(id)),
  abi,
);
const MUTANTS = new Map(allMutants().map((mutant) => [mutant.id, mutant]));

test('there are 20 and more, of every class that shows in an answer', () => {
  expect(kills.length).toBeGreaterThanOrEqual(20);
  const classes = ['common', 'error-order', 'rare-data', 'rare-sequence'];
  expect([...new Set(kills.map((kill) => kill.class))]).toEqual(expect.arrayContaining(classes));
});

describe.each(kills)('$mutant', ({ mutant, scenario, wrong, right }) => {
  const parsed = fromJson(scenario);
  if (!parsed.ok) throw new Error(`${mutant}: ${parsed.error}`);
  const judge = (answers: readonly PackedStep[]) =>
    KNOWN.predictions(parsed.scenario).judge({ steps: answers.map(unpackStep) });

  test('is a mutant', () => {
    expect(MUTANTS.get(mutant)).toBeDefined();
  });
  test('what the faulty kernel answered is a difference', () => {
    expect(judge(wrong).verdict).toBe('divergence');
  });
  test('what the kernel without a fault answers is none', () => {
    expect(judge(right).verdict).not.toBe('divergence');
  });
});
