/** The words for what became of a case and of a run: the same from the guest's answer to every report. */

/**
 * What became of one case. `known`: it differs exactly as known findings do; `hang`: it did not end in time;
 * `kernel-crash`: the kernel said so, or ended; `runner-error`: the runner or QEMU failed, and nothing is said of the
 * kernel.
 */
export type CaseVerdict = 'pass' | 'known' | Failure;

/** Verdicts on cases that are looked into. */
export const FAILURES = ['divergence', 'kernel-crash', 'hang', 'runner-error'] as const;

/** One of FAILURES. */
export type Failure = (typeof FAILURES)[number];

/**
 * What became of a run, worst first. `divergent`: a divergence, crash or hang; `interrupted`: stopped early, and
 * nothing bad until then; `untestable`: not every case could be executed.
 */
export const RUN_VERDICTS = ['divergent', 'interrupted', 'untestable', 'conformant'] as const;

/** One of RUN_VERDICTS. */
export type RunVerdict = (typeof RUN_VERDICTS)[number];

/** The worst of what holds; conformant when nothing else does. */
export function worstOf(verdicts: Iterable<RunVerdict>): RunVerdict {
  const all = new Set(verdicts);
  return RUN_VERDICTS.find((verdict) => all.has(verdict)) ?? 'conformant';
}
