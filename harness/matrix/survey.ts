/** The first look at a kernel: does it boot, has it the feature, what is its ABI, which findings does it show. */
import { predict } from '../../oracle/predict.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type { FindingState } from '../../reports/data/matrix.ts';
import { FetchError } from '../../vm/kernels/apt.ts';
import { EXIT, fetchKernel, RingfenceError } from '../../vm/index.ts';
import type { Accel } from '../../vm/guest/qemu.ts';
import { consoleTail } from '../../vm/host/errors.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { affects, quirksOf } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import { Asker, prepare, Unsupported } from '../run/prepare.ts';
import type { RunOptions } from '../run/run.ts';
import { SessionEnded } from '../guests/session.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';
import type { Column } from './column.ts';

/** What the smallest scenario of a finding shows. */
export function findingState(
  finding: Finding,
  expected: readonly Finding[],
  abi: AbiProfile,
  observation: Observation,
): FindingState {
  const fits = (findings: readonly Finding[]): boolean =>
    compare(predict(finding.scenario, abi, { quirks: quirksOf(findings) }), observation).difference === undefined;
  if (fits([])) return 'absent';
  return fits([finding]) || fits([...expected, finding]) ? 'shown' : 'other';
}

export interface SurveyOptions extends Pick<RunOptions, 'append' | 'timeout'> {
  readonly accel: 'auto' | Accel;
  readonly findings: readonly Finding[];
  readonly note: (text: string) => void;
  readonly consoleFile: (boot: number) => string | undefined;
}

/** What `prepare` needs to know of a column's kernel. */
export function kernelOptions({ spec }: Pick<Column, 'spec'>): Pick<RunOptions, 'kernel' | 'release' | 'tree'> {
  if (spec.tree !== undefined) return { tree: spec.tree };
  return spec.release !== undefined ? { release: spec.release } : { kernel: spec.file! };
}

/**
 * Fills in the column; answers the accelerator that was used, undefined where it was not booted. A kernel that fails says so in
 * its column. @throws Ctrl-C, and mistakes of our own
 */
export async function survey(column: Column, options: SurveyOptions, signal: AbortSignal): Promise<Accel | undefined> {
  try {
    // Whether it can be had is known before anything of the machine is blamed.
    if (column.spec.release !== undefined) await fetchKernel(column.spec.release, { log: options.note });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RingfenceError)) throw error;
    column.state = 'unavailable';
    column.reason = error.message.split('\n')[0]!;
    options.note(error instanceof FetchError ? error.message : column.reason);
    return undefined;
  }
  try {
    const prepared = await prepare(
      { ...kernelOptions(column), append: options.append, accel: options.accel, timeout: options.timeout },
      { note: options.note, consoleFile: options.consoleFile },
      signal,
    );
    const { abi, first, guests } = prepared;
    column.kernel = prepared.kernel;
    column.slow = prepared.slow;
    column.abi = abi;
    column.release = abi.release;
    try {
      const expected = options.findings.filter((finding) => affects(finding, abi.release));
      // A kernel that does not survive a question will be asked it again by its run, which makes a case of it.
      const asker = new Asker(guests, first);
      for (const finding of options.findings) {
        const answer = await asker.ask(finding.scenario, waitsOf(predict(finding.scenario, abi)));
        if (answer !== undefined) column.findings.set(finding.id, findingState(finding, expected, abi, answer));
      }
      column.active = expected.filter(({ id }) => column.findings.get(id) === 'shown');
    } finally {
      await guests.closeAll();
    }
    return prepared.accel.accel;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SessionEnded) {
      untestable(
        column,
        `it stopped while it was asked about known findings: ${error.end.detail}`,
        consoleTail(error.end.console),
      );
    } else if (error instanceof Unsupported) {
      column.state = 'unsupported';
      column.reason = error.message.split('\n')[0]!.replace(/^Linux \S+ cannot be tested: /, '');
      column.release = /^Linux (\S+) /.exec(error.message)?.[1] ?? column.release;
    } else if (error instanceof RingfenceError) {
      // Whether the machine is to blame shows with the other kernels.
      if (error.exitCode !== EXIT.untestable) column.setup = error;
      untestable(column, error.message.split('\n')[0]!, error.message.split('\n').slice(1).join('\n'));
    } else throw error;
    options.note(
      `${column.state}: ${column.reason}${column.detail === undefined || column.detail === '' ? '' : `\n${column.detail}`}`,
    );
    return undefined;
  }
}

function untestable(column: Column, reason: string, rest: string): void {
  column.state = 'untestable';
  column.reason = reason;
  column.detail = rest;
  delete column.abi;
}
