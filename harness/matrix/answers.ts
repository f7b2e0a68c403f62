/** What a kernel answered, in a form in which equal answers are equal texts. */
import { createHash } from 'node:crypto';
import type { Cqe, Observation, StepObservation } from '../../oracle/scenario/observation.ts';
import { specOf } from '../../oracle/steps/index.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import { resultText } from '../../oracle/text/index.ts';

/** The answers without what only names something: a child's process id says no more than that there is one. */
export function canonicalAnswers({ steps }: Scenario, observation: Observation): Observation {
  return {
    steps: observation.steps.map((step, i) =>
      answersNumber(steps[i]) ? { ...step, returns: step.returns.map((value) => (value > 0 ? 1 : value)) } : step,
    ),
  };
}

/** A process id, say. */
function answersNumber(step: Step | undefined): boolean {
  return step !== undefined && specOf(step).answersNumber === true;
}

/** CQEs as a multiset: the order in which they are posted is not promised. */
function sorted(cqes: readonly Cqe[]): string[] {
  return cqes.map(({ user_data, res, flags }) => `${user_data.toString(16)}:${res}:${flags.toString(16)}`).sort();
}

function stepText({ reached, returns, cqes, memory }: StepObservation): string {
  const bytes = memory === undefined ? '' : `=${Buffer.from(memory).toString('hex')}`;
  return `${reached ? 1 : 0}|${returns.join(',')}|${sorted(cqes).join(',')}|${bytes}`;
}

/** 16 hex digits over everything a scenario answered; the same for the same canonicalAnswers answers. */
export function digestOf(scenario: Scenario, observation: Observation): string {
  const hash = createHash('sha256');
  for (const step of canonicalAnswers(scenario, observation).steps) hash.update(`${stepText(step)}\n`);
  return hash.digest('hex').slice(0, 16);
}

/** Where two observations of one scenario part, and what each says there. */
export interface Parting {
  /** First step that differs, from 0. */
  readonly step: number;
  readonly a: string;
  readonly b: string;
}

/** Two canonicalAnswers observations, from step `from` on. Undefined where they are equal. */
export function parting(a: Observation, b: Observation, from = 0): Parting | undefined {
  for (let step = from; step < Math.max(a.steps.length, b.steps.length); step++) {
    const x = a.steps[step];
    const y = b.steps[step];
    if (x === undefined || y === undefined)
      return { step, a: x === undefined ? 'no such step' : 'ran', b: y === undefined ? 'no such step' : 'ran' };
    if (stepText(x) !== stepText(y)) return { step, a: told(x, y), b: told(y, x) };
  }
  return undefined;
}

/** Bytes that are told of memory, from the first one that differs on. */
const BYTES = 8;
/** CQEs of one user_data that are told. */
const MOST = 3;

/** What a step answered, where the other answered differently. */
function told(step: StepObservation, other: StepObservation): string {
  if (step.reached !== other.reached) return step.reached ? 'ran' : 'did not run';
  const parts: string[] = [];
  if (step.returns.join() !== other.returns.join())
    parts.push(`returned ${step.returns.map(resultText).join(', ') || 'nothing'}`);
  const cqes = toldCqes(step.cqes, other.cqes);
  if (cqes !== undefined) parts.push(cqes);
  const memory = toldMemory(step.memory, other.memory);
  if (memory !== undefined) parts.push(memory);
  return parts.join('; ');
}

/** CQEs that have no equal among the others, each counted once. */
export function withoutOthers(cqes: readonly Cqe[], others: readonly Cqe[]): readonly Cqe[] {
  const left = sorted(others);
  return cqes.filter((cqe) => {
    const at = left.indexOf(sorted([cqe])[0]!);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** The CQEs of the first request, by user_data, that was answered differently, and how many more there are. */
function toldCqes(mine: readonly Cqe[], theirs: readonly Cqe[]): string | undefined {
  const data = [...new Set([...mine, ...theirs].map(({ user_data }) => user_data))].sort((a, b) => (a < b ? -1 : 1));
  const of = (cqes: readonly Cqe[], userData: bigint): Cqe[] => cqes.filter((cqe) => cqe.user_data === userData);
  const odd = data.filter((userData) => sorted(of(mine, userData)).join() !== sorted(of(theirs, userData)).join());
  const [first, ...more] = odd;
  if (first === undefined) return undefined;
  // Several requests may have the same user_data: only what the other kernel did not answer is told.
  const answers = withoutOthers(of(mine, first), of(theirs, first)).map(
    ({ res, flags }) => `res=${resultText(res)}${flags === 0 ? '' : ` flags=0x${flags.toString(16)}`}`,
  );
  const told = answers.slice(0, MOST).join(' and ') || 'does not come';
  const cut = answers.length > MOST ? ' ...' : '';
  const others = more.length === 0 ? '' : `, and ${more.length} more`;
  return `CQE user_data=0x${first.toString(16)} ${told}${cut}${others}`;
}

function toldMemory(mine: Uint8Array | undefined, theirs: Uint8Array | undefined): string | undefined {
  if (mine === undefined || theirs === undefined)
    return mine === theirs ? undefined : mine === undefined ? 'argument unchanged' : 'argument written back';
  const at = Array.from({ length: Math.max(mine.length, theirs.length) }, (_, i) => i).find(
    (i) => mine[i] !== theirs[i],
  );
  return at === undefined
    ? undefined
    : `byte ${at} on: ${Buffer.from(mine.subarray(at, at + BYTES)).toString('hex') || 'the end'}`;
}
