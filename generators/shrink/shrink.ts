/**
 * Shrinks scenarios of any origin: candidates are well-formed and strictly smaller (size.ts),
 * the boldest first. Task and ring numbers stay as they are, so that a reader can
 * compare a small case with the one it came from.
 */
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { madeBy, renumbered, specOf } from '../../oracle/steps/index.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import { scenarioSize } from './size.ts';
import { repair } from '../tracker.ts';
import { isWellFormed } from '../well-formed.ts';

/** Every candidate, in order. */
export function* shrinkScenario(scenario: Scenario): Generator<Scenario> {
  const size = scenarioSize(scenario);
  for (const candidate of candidates(scenario)) {
    const fixed = repair(candidate);
    if (fixed.steps.length > 0 && scenarioSize(fixed) < size && isWellFormed(fixed) === true) yield fixed;
  }
}

function* candidates(scenario: Scenario): Generator<Scenario> {
  const { steps } = scenario;
  const keep = (wanted: (step: Step, index: number) => boolean): Scenario => ({
    ...scenario,
    steps: steps.filter(wanted),
  });

  // Runs of steps, from half of them to single ones.
  for (let run = steps.length >>> 1; run >= 1; run >>>= 1) {
    for (let from = steps.length - run; from > -run; from -= run) {
      const first = Math.max(0, from);
      yield keep((_, i) => i < first || i >= from + run);
    }
    if (run === steps.length >>> 1) yield* wholeParts(scenario, keep);
  }
  if (scenario.fixtures.length > 0) {
    yield { ...scenario, fixtures: [] };
    for (const name of scenario.fixtures)
      yield { ...scenario, fixtures: scenario.fixtures.filter((other) => other !== name) };
  }
  yield* plainBpf(scenario);
  yield* moveToRoot(scenario);
  yield* withoutRegistered(scenario);
  // Ring steps change what later steps mean; the others stand alone.
  for (let i = 0; i < steps.length; i++) {
    for (const step of specOf(steps[i]!).shrink?.(steps[i]!) ?? [])
      yield { ...scenario, steps: steps.map((old, j) => (j === i ? step : old)) };
  }
}

/** As the kernel usually runs programs. */
function* plainBpf(scenario: Scenario): Generator<Scenario> {
  const { harden, traces, ...rest } = scenario;
  if (traces !== undefined) yield harden === undefined ? rest : { ...rest, harden };
  if (harden !== undefined) yield traces === undefined ? rest : { ...rest, traces };
  if (!scenario.jit) yield { ...scenario, jit: true };
}

/** Without one task and all that comes of it, without one ring, without one kind of step. */
function* wholeParts(scenario: Scenario, keep: (wanted: (step: Step) => boolean) => Scenario): Generator<Scenario> {
  const { steps } = scenario;
  const children = new Set<number>();
  const rings = new Set<number>();
  const kinds = new Set<string>();
  for (const step of steps) {
    const { task, ring } = madeBy(step);
    if (task !== undefined) children.add(task);
    // Without rings nothing is left.
    if (ring === undefined) kinds.add(step.do);
    else rings.add(ring);
  }
  for (const child of children) yield keep((step) => step.task !== child && madeBy(step).task !== child);
  for (const ring of rings) yield keep((step) => !isAbout(step, ring));
  for (const kind of kinds) yield keep((step) => step.do !== kind);
  // All submissions but the last.
  const submits = (step: Step): boolean => specOf(step).requests !== undefined;
  const last = steps.findLast(submits);
  if (last !== undefined) yield keep((step) => !submits(step) || step === last);
}

function isAbout(step: Step, ring: number): boolean {
  return ('ring' in step && step.ring === ring) || ('on' in step && step.on.kind === 'ring' && step.on.ring === ring);
}

/** Steps of a child done by its parent instead. */
function* moveToRoot(scenario: Scenario): Generator<Scenario> {
  const { steps } = scenario;
  const same = (ring: number): number => ring;
  for (const birth of steps) {
    const child = madeBy(birth).task;
    if (child === undefined) continue;
    const moved = steps.flatMap((step): Step[] => {
      if (step === birth || (step.task === child && specOf(step).ends === true)) return [];
      const renamed = renumbered(step, (task) => (task === child ? birth.task : task), same);
      return specOf(renamed).idle?.(renamed) === true ? [] : [renamed];
    });
    yield { ...scenario, steps: moved };
  }
}

/** The rings themselves instead of their registered descriptors. */
function* withoutRegistered(scenario: Scenario): Generator<Scenario> {
  const { steps } = scenario;
  const onRegistered = (step: Step): boolean => 'on' in step && step.on.kind === 'registered';
  if (!steps.some((step) => onRegistered(step) || specOf(step).direct?.(step) !== undefined)) return;
  for (const { ring } of steps.map(madeBy)) {
    if (ring === undefined) continue;
    const direct = steps.flatMap((step): Step[] => {
      if (step.do === 'register' && step.opcode === IORING_REGISTER.REGISTER_RING_FDS) return [];
      if (onRegistered(step)) return [{ ...step, on: { kind: 'ring', ring } } as Step];
      return [specOf(step).direct?.(step) ?? step];
    });
    yield { ...scenario, steps: direct };
  }
}
