/** Answers of a kernel as JSON carries them: recordings are made of them. */
import type { StepObservation } from './observation.ts';

/** A step's answer: null where it was not reached, else returns, CQEs (user_data, res, flags), and memory in hex. */
export type PackedStep =
  | null
  | [returns: readonly number[], cqes: readonly (readonly [string, number, number])[], memory?: string];

/** A step's answer as JSON carries it. */
export function packStep({ reached, returns, cqes, memory }: StepObservation): PackedStep {
  if (!reached) return null;
  const packed: PackedStep = [
    returns,
    cqes.map(({ user_data, res, flags }) => [user_data.toString(16), res, flags] as const),
  ];
  if (memory !== undefined) packed.push(Buffer.from(memory).toString('hex'));
  return packed;
}

/** The answer that was packed. */
export function unpackStep(step: PackedStep): StepObservation {
  if (step === null) return { reached: false, returns: [], cqes: [] };
  const [returns, cqes, memory] = step;
  return {
    reached: true,
    returns,
    cqes: cqes.map(([userData, res, flags]) => ({ user_data: BigInt(`0x${userData}`), res, flags })),
    ...(memory === undefined ? {} : { memory: Uint8Array.from(Buffer.from(memory, 'hex')) }),
  };
}
