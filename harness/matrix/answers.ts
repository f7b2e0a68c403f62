/** What a kernel answered, in a form in which equal answers are equal texts. */
import { createHash } from 'node:crypto';
import type { Cqe, Observation, StepObservation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/scenario/types.ts';
import { showNumber } from '../compare.ts';

/** The answers without what only names something: a child's process id says no more than that there is one. */
export function canonical({ steps }: Scenario, observation: Observation): Observation {
  return {
    steps: observation.steps.map((step, i) => (steps[i]?.do === 'spawn' ? { ...step, returns: step.returns.map((value) => (value > 0 ? 1 : value)) } : step)),
  };
}

/** CQEs as a multiset: the order in which they are posted is not promised. */
function sorted(cqes: readonly Cqe[]): string[] {
  return cqes.map(({ user_data, res, flags }) => `${user_data.toString(16)}:${res}:${flags.toString(16)}`).sort();
}

function stepText({ reached, returns, cqes, memory }: StepObservation): string {
  return `${reached ? 1 : 0}|${returns.join(',')}|${sorted(cqes).join(',')}|${memory === undefined ? '' : `=${Buffer.from(memory).toString('hex')}`}`;
}

/** 16 hex digits over everything a scenario answered; the same for the same canonical answers. */
export function digestOf(scenario: Scenario, observation: Observation): string {
  const hash = createHash('sha256');
  for (const step of canonical(scenario, observation).steps) hash.update(`${stepText(step)}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** Where two observations of one scenario part, and what each says there. */
export interface Parting {
  /** First step that differs, from 0. */
  readonly step: number;
  readonly a: string;
  readonly b: string;
}

/** Two canonical observations, from step `from` on. Undefined where they are equal. */
export function parting(a: Observation, b: Observation, from = 0): Parting | undefined {
  for (let step = from; step < Math.max(a.steps.length, b.steps.length); step++) {
    const x = a.steps[step];
    const y = b.steps[step];
    if (x === undefined || y === undefined) return { step, a: x === undefined ? 'no such step' : 'ran', b: y === undefined ? 'no such step' : 'ran' };
    if (stepText(x) !== stepText(y)) return { step, a: told(x, y), b: told(y, x) };
  }
  return undefined;
}

/** At most so many CQEs are told of one step. */
const MOST = 3;

/** What a step answered, as far as the other answered differently. */
function told(step: StepObservation, other: StepObservation): string {
  if (step.reached !== other.reached) return step.reached ? 'ran' : 'did not run';
  const parts: string[] = [];
  if (step.returns.join() !== other.returns.join()) parts.push(`returned ${step.returns.map(showNumber).join(', ') || 'nothing'}`);
  const theirs = sorted(other.cqes);
  const mine: string[] = [];
  for (const cqe of step.cqes) {
    const at = theirs.indexOf(sorted([cqe])[0]!);
    if (at >= 0) theirs.splice(at, 1);
    else mine.push(`CQE user_data=0x${cqe.user_data.toString(16)} res=${showNumber(cqe.res)}${cqe.flags === 0 ? '' : ` flags=0x${cqe.flags.toString(16)}`}`);
  }
  if (mine.length > 0) parts.push(mine.slice(0, MOST).join(', ') + (mine.length > MOST ? ` and ${mine.length - MOST} more` : ''));
  else if (theirs.length > 0) parts.push(`no such CQE${theirs.length === 1 ? '' : 's'}`);
  if (hex(step.memory) !== hex(other.memory)) parts.push(step.memory === undefined ? 'memory unchanged' : `memory ${hex(step.memory)}`);
  return parts.join('; ') || 'the same';
}

function hex(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}
