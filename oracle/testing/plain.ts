/** Open answers as plain values, for tests that compare what may come and not why. */
import { Open } from '../open-answer.ts';
import type { OpenValues } from '../open-answer.ts';
import type { Allowed, PredictedCqe, PredictedStep } from '../scenario/prediction.ts';

/** One value, or the values of a set. */
export type PlainAllowed = number | OpenValues;

/** A CQE without places. */
export interface PlainCqe extends Omit<PredictedCqe, 'res' | 'flags' | 'optional'> {
  readonly res: PlainAllowed;
  readonly flags: PlainAllowed;
  readonly optional?: true;
}

/** A step without places; 'any': not judged. */
export interface PlainStep extends Omit<PredictedStep, 'returns' | 'cqes' | 'memory'> {
  readonly returns: readonly PlainAllowed[] | 'any';
  readonly cqes: readonly PlainCqe[] | 'any';
  readonly memory?: Uint8Array | 'any';
}

/** What may come. */
export function plain(allowed: Allowed): PlainAllowed {
  return typeof allowed === 'number' ? allowed : allowed.values;
}

/** What a CQE may be. */
function plainCqe({ res, flags, optional, ...rest }: PredictedCqe): PlainCqe {
  return { ...rest, res: plain(res), flags: plain(flags), ...(optional === undefined ? {} : { optional: true }) };
}

/** What a step may answer. */
export function plainStep({ returns, cqes, memory, ...rest }: PredictedStep): PlainStep {
  return {
    ...rest,
    returns: Open.is(returns) ? 'any' : returns.map(plain),
    cqes: Open.is(cqes) ? 'any' : cqes.map(plainCqe),
    ...(memory === undefined ? {} : { memory: Open.is(memory) ? ('any' as const) : memory }),
  };
}
