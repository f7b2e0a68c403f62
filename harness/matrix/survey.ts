/** The first look at a kernel: does it boot, has it the feature, what is its ABI, which findings does it show. */
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { FindingState } from '../../reports/data/matrix.ts';
import { FetchError } from '../../vm/kernels/apt.ts';
import { EXIT, fetchKernel, RingfenceError } from '../../vm/index.ts';
import type { Accel } from '../../vm/guest/qemu.ts';
import { consoleTail } from '../../vm/host/errors.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { affects } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import { Asker } from '../guests/asker.ts';
import { Predictions } from '../known/predictions.ts';
import { KernelStopped, prepare, Unsupported } from '../run/prepare.ts';
import type { Prepared } from '../run/prepare.ts';
import type { KernelOptions } from '../run/options.ts';
import { SessionEnded } from '../guests/session.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';
import type { Column } from './column.ts';

/** What the smallest scenario of a finding shows. @param expected findings that the kernel should show */
function findingState(
  finding: Finding,
  expected: readonly Finding[],
  predictions: Predictions,
  observation: Observation,
): FindingState {
  const fits = (findings: readonly Finding[]): boolean =>
    compare(predictions.under(findings), observation).difference === undefined;
  if (fits([])) return 'absent';
  return fits([finding]) || fits([...expected, finding]) ? 'shown' : 'other';
}

/** What a survey is made of. */
export interface SurveyOptions extends Pick<KernelOptions, 'append' | 'timeout' | 'machine'> {
  readonly accel: 'auto' | Accel;
  readonly findings: readonly Finding[];
  readonly note: (text: string) => void;
  readonly consoleFile: (boot: number) => string | undefined;
}

/** What `prepare` needs to know of a column's kernel. */
export function kernelOptions({ spec }: Pick<Column, 'spec'>): Pick<KernelOptions, 'kernel' | 'release' | 'tree'> {
  if (spec.tree !== undefined) return { tree: spec.tree };
  return spec.release !== undefined ? { release: spec.release } : { kernel: spec.file! };
}

/** What the guests are, where it was said. */
export function machineOf({ machine }: Pick<KernelOptions, 'machine'>): Pick<KernelOptions, 'machine'> {
  return machine === undefined ? {} : { machine };
}

/**
 * Fills in the column; answers the accelerator that was used, undefined where it was not booted. A kernel that fails
 * says so in its column.
 * @throws Ctrl-C, and mistakes of our own
 */
export async function survey(column: Column, options: SurveyOptions, signal: AbortSignal): Promise<Accel | undefined> {
  if (!(await available(column, options, signal))) return undefined;
  const { append, accel, timeout } = options;
  try {
    const prepared = await prepare(
      { ...kernelOptions(column), append, accel, timeout, ...machineOf(options) },
      { note: options.note, consoleFile: options.consoleFile },
      signal,
    );
    fill(column, prepared);
    try {
      await askFindings(column, prepared, options.findings);
    } finally {
      await prepared.guests.closeAll();
    }
    return prepared.accel.accel;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof KernelStopped) {
      // Its run stops in the same way, and makes a verdict of it.
      fill(column, error.halted);
      await error.halted.guests.closeAll();
      return error.halted.accel.accel;
    }
    failed(column, error);
    const detail = column.detail === undefined || column.detail === '' ? '' : `\n${column.detail}`;
    options.note(`${column.state}: ${column.reason}${detail}`);
    return undefined;
  }
}

/** What is known of a kernel that came to its first call of the feature. */
function fill(column: Column, { kernel, slow, abi }: Pick<Prepared, 'kernel' | 'slow' | 'abi'>): void {
  column.kernel = kernel;
  column.slow = slow;
  column.abi = abi;
  column.release = abi.release;
}

/** Whether the kernel can be had: known before anything of the machine is blamed. */
async function available(column: Column, options: SurveyOptions, signal: AbortSignal): Promise<boolean> {
  try {
    if (column.spec.release !== undefined)
      await fetchKernel(column.spec.release, { log: options.note, ...machineOf(options) });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof RingfenceError)) throw error;
    column.state = 'unavailable';
    column.reason = error.message.split('\n')[0]!;
    options.note(error instanceof FetchError ? error.message : column.reason);
    return false;
  }
}

/** Asks for every finding, expected or not. */
async function askFindings(
  column: Column,
  { abi, first, guests }: Prepared,
  findings: readonly Finding[],
): Promise<void> {
  const expected = findings.filter((finding) => affects(finding, abi.release));
  // A kernel that does not survive a question will be asked it again by its run, which makes a case of it.
  const asker = new Asker(guests, first);
  try {
    for (const finding of findings) {
      const predictions = new Predictions(finding.scenario, abi, expected);
      const answer = await asker.ask(finding.scenario, waitsOf(predictions.pure));
      if (answer !== undefined) column.findings.set(finding.id, findingState(finding, expected, predictions, answer));
    }
  } catch (error) {
    // Nor does one that does not come up again after such a question.
    if (asker.stops.length === 0) throw error;
  }
  column.active = expected.filter(({ id }) => column.findings.get(id) === 'shown');
}

/** Writes what went wrong into the column. @throws mistakes of our own */
function failed(column: Column, error: unknown): void {
  if (error instanceof SessionEnded) {
    const reason = `it stopped while it was asked about known findings: ${error.end.detail}`;
    untestable(column, reason, consoleTail(error.end.console));
  } else if (error instanceof Unsupported) {
    column.state = 'unsupported';
    column.reason = `${error.lack}.`;
    column.release = error.release;
  } else if (error instanceof RingfenceError) {
    // Whether the machine is to blame shows with the other kernels.
    if (error.exitCode !== EXIT.untestable) column.setup = error;
    const [reason = '', ...rest] = error.message.split('\n');
    untestable(column, reason, rest.join('\n'));
  } else throw error;
}

function untestable(column: Column, reason: string, rest: string): void {
  column.state = 'untestable';
  column.reason = reason;
  column.detail = rest;
  delete column.abi;
}
