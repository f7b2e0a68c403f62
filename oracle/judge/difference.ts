/** How a kernel's answers differ from the predicted ones: as data, and in the words of reports and case files. */
import { allows } from '../scenario/prediction.ts';
import type { Allowed, PredictedCqe } from '../scenario/prediction.ts';
import type { Cqe } from '../scenario/observation.ts';
import { resultText } from '../text/index.ts';

/** Where it differs. */
interface Place {
  /** Index of the step. */
  readonly step: number;
  /** Rule that the prediction rests on. */
  readonly rule: string;
}

/** One difference. The index of the request in its batch is `predicted.sqe`, where a CQE was predicted. */
export type Difference = Place &
  (
    | { readonly kind: 'steps'; readonly predicted: number; readonly observed: number }
    | { readonly kind: 'reached'; readonly predicted: boolean; readonly observed: boolean }
    | { readonly kind: 'return'; readonly predicted: readonly Allowed[]; readonly observed: readonly number[] }
    | { readonly kind: 'cqe-missing'; readonly predicted: PredictedCqe }
    /** `predicted`: what was said of a CQE with that user_data, where there is one. */
    | { readonly kind: 'cqe-unexpected'; readonly predicted: PredictedCqe | undefined; readonly observed: Cqe }
    /** The CQE came, with another value than predicted in `field`. */
    | {
        readonly kind: 'cqe-field';
        readonly field: 'res' | 'flags';
        readonly predicted: PredictedCqe;
        readonly observed: Cqe;
      }
    /** Both CQEs came, the second before the first. */
    | { readonly kind: 'cqe-order'; readonly predicted: PredictedCqe; readonly second: PredictedCqe }
    /** Bytes read or written back; undefined: none. */
    | {
        readonly kind: 'memory';
        readonly predicted: Uint8Array | undefined;
        readonly observed: Uint8Array | undefined;
      }
  );

/** What differs, in the words of result.json and of expectation files. */
export const DIFFERS = ['reached', 'return', 'cqe', 'memory', 'steps'] as const;

/** A difference in words, as result.json and expectation files hold it. */
export interface DifferenceText {
  readonly step: number;
  readonly rule: string;
  readonly what: (typeof DIFFERS)[number];
  readonly predicted: string;
  readonly observed: string;
}

/** The difference between a predicted CQE and one that came in its place. */
export function cqeDifference(step: number, predicted: PredictedCqe, observed: Cqe): Difference {
  const field = allows(predicted.res, observed.res) ? 'flags' : 'res';
  return { kind: 'cqe-field', step, rule: predicted.rule, field, predicted, observed };
}

/** The one place where differences get their words. */
export function differenceText(difference: Difference): DifferenceText {
  const { step, rule } = difference;
  const say = (what: DifferenceText['what'], predicted: string, observed: string): DifferenceText => ({
    step,
    rule,
    what,
    predicted,
    observed,
  });
  switch (difference.kind) {
    case 'steps':
      return say('steps', `${difference.predicted} steps`, `${difference.observed} steps`);
    case 'reached':
      return say(
        'reached',
        difference.predicted ? 'runs' : 'does not run',
        difference.observed ? 'ran' : 'did not run',
      );
    case 'return':
      return say(
        'return',
        `returns ${difference.predicted.map(showAllowed).join(', ') || 'nothing'}`,
        `returned ${difference.observed.map(resultText).join(', ') || 'nothing'}`,
      );
    case 'cqe-missing':
      return say('cqe', showPredicted(difference.predicted), NO_CQE);
    case 'cqe-unexpected':
      return say(
        'cqe',
        difference.predicted === undefined ? NO_CQE : showPredicted(difference.predicted),
        showCqe(difference.observed),
      );
    case 'cqe-field':
      return say('cqe', showPredicted(difference.predicted), showCqe(difference.observed));
    case 'cqe-order':
      return say(
        'cqe',
        `${showPredicted(difference.predicted)} before that of user_data=0x${difference.second.user_data.toString(16)}`,
        'the other way round',
      );
    case 'memory':
      return say('memory', showBytes(difference.predicted), showBytes(difference.observed));
  }
}

/**
 * Bytes of memory from which on they are full of addresses and user_data, and say nothing of the kind of difference.
 */
const LONG = 8;

/**
 * What differences of one kind have in common: everything but the step, user_data and long memory. Equal texts: one
 * kind.
 */
export function differenceSignature(difference: Difference): string {
  const cqe = ({ res, flags, optional }: PredictedCqe): unknown => [res, flags, optional !== undefined];
  const bytes = (memory: Uint8Array | undefined): unknown =>
    memory === undefined ? null : memory.length < LONG ? hex(memory) : '';
  const parts = (): readonly unknown[] => {
    switch (difference.kind) {
      case 'steps':
      case 'reached':
      case 'return':
        return [difference.predicted, difference.observed];
      case 'cqe-missing':
        return [cqe(difference.predicted)];
      case 'cqe-order':
        return [cqe(difference.predicted), cqe(difference.second)];
      case 'cqe-unexpected':
      case 'cqe-field':
        return [
          difference.predicted === undefined ? null : cqe(difference.predicted),
          difference.observed.res,
          difference.observed.flags,
        ];
      case 'memory':
        return [bytes(difference.predicted), bytes(difference.observed)];
    }
  };
  return JSON.stringify([difference.rule, difference.kind, ...parts()]);
}

/** The same difference where user_data have other values. */
export function withUserData(difference: Difference, renamed: (userData: bigint) => bigint): Difference {
  const change = <T extends Cqe | PredictedCqe>(cqe: T): T => ({ ...cqe, user_data: renamed(cqe.user_data) });
  switch (difference.kind) {
    case 'cqe-missing':
      return { ...difference, predicted: change(difference.predicted) };
    case 'cqe-order':
      return { ...difference, predicted: change(difference.predicted), second: change(difference.second) };
    case 'cqe-unexpected':
      return {
        ...difference,
        predicted: difference.predicted === undefined ? undefined : change(difference.predicted),
        observed: change(difference.observed),
      };
    case 'cqe-field':
      return { ...difference, predicted: change(difference.predicted), observed: change(difference.observed) };
    default:
      return difference;
  }
}

const NO_CQE = 'no such CQE';

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function showBytes(bytes: Uint8Array | undefined): string {
  return bytes === undefined ? 'argument unchanged' : `bytes ${hex(bytes)}`;
}

/** A set of allowed values. Digests are made of these words: they do not change. */
export function showAllowed(allowed: Allowed): string {
  if (typeof allowed === 'number') return resultText(allowed);
  const { values } = allowed;
  if (values === 'any') return 'anything';
  if ('at_least' in values) return `>= ${values.at_least}`;
  return `one of ${values.map(resultText).join(' | ')}`;
}

function showPredicted({ user_data, res, flags, optional }: PredictedCqe): string {
  const shownFlags = flags === 0 ? '' : ` flags=${showAllowed(flags)}`;
  const open = optional === undefined ? '' : ' (may be absent)';
  return `CQE user_data=0x${user_data.toString(16)} res=${showAllowed(res)}${shownFlags}${open}`;
}

function showCqe({ user_data, res, flags }: Cqe): string {
  return `CQE user_data=0x${user_data.toString(16)} res=${resultText(res)} flags=0x${flags.toString(16)}`;
}
