/** The text of `ringfence doctor`. */

/** One thing that was looked at. */
export interface DoctorCheck {
  /** What: `QEMU`, `C compiler`, `KVM`, `kernel 7.0.13` ... */
  readonly name: string;
  /** `ok`; `warning`: a run works without it; `missing`: a run cannot start. */
  readonly status: 'ok' | 'warning' | 'missing';
  /** What was found: a version, a path, a reason. */
  readonly detail: string;
  /** What to do, where there is something to do. */
  readonly advice?: string;
}

/** Everything that was looked at. */
export interface DoctorReport {
  /** True when a run can start. */
  readonly ok: boolean;
  readonly checks: readonly DoctorCheck[];
}

const MARK = { ok: 'ok', warning: 'note', missing: 'MISSING' } as const;

/** The report, ending with a newline. */
export function formatDoctor({ ok, checks }: DoctorReport): string {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  const lines = checks.flatMap(({ name, status, detail, advice }) => {
    const indent = ' '.repeat(2 + 9 + width + 2);
    return [
      `  ${MARK[status].padEnd(9)}${name.padEnd(width)}  ${detail.replaceAll('\n', `\n${indent}`)}`,
      ...(advice === undefined ? [] : advice.split('\n').map((line) => `${indent}${line}`)),
    ];
  });
  const missing = checks.filter(({ status }) => status === 'missing').map(({ name }) => name);
  const verdict = ok
    ? 'ready: npm run conformance'
    : missing.length === 0
      ? 'a run cannot start'
      : `a run cannot start: ${missing.join(', ')} missing`;
  return `${lines.join('\n')}\n\n${verdict}\n`;
}
