/**
 * The job behind `ringfence matrix`: a first look at every kernel, then the same scenarios on each, then kernel against
 * kernel.
 */
import { RULES } from '../../oracle/registry.ts';
import type { SuiteName } from '../../generators/suites.ts';
import type { Comparison, MatrixResult } from '../../reports/data/matrix.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { RingfenceError } from '../../vm/index.ts';
import { loadFindings } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import type { PlannedCase } from '../run/plan.ts';
import { prepare } from '../run/prepare.ts';
import { run } from '../run/run.ts';
import type { RunOptions } from '../run/options.ts';
import { toolVersions } from '../run/versions.ts';
import { digestOf } from './answers.ts';
import { buildMatrix } from './build.ts';
import { modelOf } from './column.ts';
import type { Column } from './column.ts';
import { compareKernels, differing, questions } from './differences.ts';
import type { Compared } from './differences.ts';
import { examine } from './examine.ts';
import type { Examined } from './examine.ts';
import { distinctProfiles, matrixCases } from './plan.ts';
import { kernelOptions, machineOf, survey } from './survey.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';

/** All of a matrix. */
export interface MatrixOptions
  extends Omit<RunOptions, 'kernel' | 'release' | 'tree' | 'slow' | 'shard' | 'scenarios' | 'draw'> {
  readonly suites: readonly SuiteName[];
  /** Oldest first, with unique names. */
  readonly columns: readonly Column[];
}

/** What happens on the way. */
export interface MatrixEvents {
  note(text: string): void;
  progress(progress: Progress): void;
  /** The progress line of one kernel ends. */
  finished(): void;
  /** A kernel's result so far. */
  kernel(name: string, result: RunResult): void;
  /** The digests of a kernel that has answered everything it was asked. */
  answered(name: string, lines: readonly string[]): void;
  /** The whole so far. */
  checkpoint(result: MatrixResult): void;
  consoleFile(name: string, boot: number): string | undefined;
  /** Called at the start: gives the state as it is at that moment. */
  ready(snapshot: () => MatrixResult): void;
}

/** Differences that were counted and not looked into. */
function onlyCounted(columns: readonly Column[]): Comparison {
  const answered = columns.filter(({ answers }) => answers.size > 0);
  return {
    pairs: answered.slice(0, -1).map((a, i) => {
      const b = answered[i + 1]!;
      const { shared, different } = differing(a, b);
      return {
        from: a.name,
        to: b.name,
        shared,
        same: shared - different.length,
        varying: 0,
        explained: 0,
        unexplained: 0,
        unexamined: different.length,
      };
    }),
    changes: [],
  };
}

/** A whole matrix. @throws set-up problems that concern every kernel */
export async function matrix(options: MatrixOptions, events: MatrixEvents, signal: AbortSignal): Promise<MatrixResult> {
  const { columns } = options;
  const startedAt = new Date();
  const started = performance.now();
  const findings = loadFindings();
  const versions = toolVersions(options.machine ?? OWN_MACHINE);
  let comparison: Comparison | undefined;
  const snapshot = (unfinished = true): MatrixResult =>
    buildMatrix({
      columns,
      comparison: comparison ?? onlyCounted(columns),
      findings,
      rules: RULES,
      seed: options.seed,
      cases: options.cases,
      suites: options.suites,
      append: options.append,
      command: options.command,
      versions,
      started: startedAt,
      wall_s: (performance.now() - started) / 1000,
      interrupted: unfinished || signal.aborted,
    });
  events.ready(snapshot);
  try {
    const accel = await surveyAll(options, findings, events, signal);
    const ready = columns.filter(({ abi }) => abi !== undefined);
    const profiles = distinctProfiles(ready.map(({ abi }) => abi!));
    const draw = (): Generator<PlannedCase> => matrixCases(profiles, options.suites, options.seed, options.cases);
    if (ready.length > 0)
      events.note(
        `${options.cases} scenarios, the same for ${counted(ready.length, 'kernel')}, ` +
          `drawn for ${counted(profiles.length, 'ABI profile')}`,
      );
    events.checkpoint(snapshot());
    for (const [n, column] of ready.entries()) {
      signal.throwIfAborted();
      events.note(`${place(column, n, ready)}: ${options.cases} scenarios`);
      await runOne(column, { ...options, accel }, draw, events, signal);
      events.finished();
      events.checkpoint(snapshot());
    }
    comparison = await confirm(ready, { ...options, accel }, draw, events, signal);
  } catch (error) {
    // What was found before it broke off is kept.
    events.finished();
    events.checkpoint(snapshot());
    if (!signal.aborted) throw error;
  }
  const result = snapshot(signal.aborted);
  events.checkpoint(result);
  return result;
}

function place(column: Column, n: number, of: readonly Column[]): string {
  return `[${n + 1}/${of.length}] ${column.name}`;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

/** The first look at each kernel; answers the accelerator for what follows. @throws what is the machine's fault */
async function surveyAll(
  options: MatrixOptions,
  findings: readonly Finding[],
  events: MatrixEvents,
  signal: AbortSignal,
): Promise<MatrixOptions['accel']> {
  const { columns } = options;
  let { accel } = options;
  for (const [n, column] of columns.entries()) {
    events.note(`${place(column, n, columns)}: first look`);
    const note = quietly(events, column.name);
    const consoleFile = (boot: number): string | undefined => events.consoleFile(column.name, boot);
    const used = await survey(column, { ...options, accel, findings, note, consoleFile }, signal);
    // What does not work with one kernel is not tried with all of them.
    if (used === 'tcg') accel = 'tcg';
    if (column.abi === undefined) continue;
    const { op_last, ctx_size } = column.abi;
    const shown = column.active.map(({ id }) => id).join(', ') || 'none';
    events.note(`${column.name}: ${op_last} opcodes, context ${ctx_size} bytes; findings: ${shown}`);
  }
  // All of them for a reason that is no kernel's: it is the machine's.
  const tried = columns.filter(({ state }) => state !== 'unavailable');
  if (tried.length > 0 && tried.every(({ setup }) => setup !== undefined)) throw tried[0]!.setup!;
  return accel;
}

/** Passes each text on once, with the kernel's name. */
function quietly(events: MatrixEvents, name: string): (text: string) => void {
  const said = new Set<string>();
  return (text) => {
    if (said.has(text)) return;
    said.add(text);
    events.note(`${name}: ${text}`);
  };
}

/** One kernel's run; what goes wrong with it stays in its column. */
async function runOne(
  column: Column,
  options: MatrixOptions,
  draw: () => Generator<PlannedCase>,
  events: MatrixEvents,
  signal: AbortSignal,
): Promise<void> {
  const before = performance.now();
  const { columns: _, ...rest } = options;
  try {
    column.result = await run(
      { ...rest, ...kernelOptions(column), draw },
      {
        note: quietly(events, column.name),
        progress: (progress) => events.progress(progress),
        checkpoint: (result) => {
          column.result = result;
          events.kernel(column.name, result);
        },
        consoleFile: (boot) => events.consoleFile(column.name, boot),
        answered: ({ index, scenario }, { status, observation }) => {
          // The run's own questions come beside those of the plan.
          if (status === STATUS.done && index < options.cases)
            column.answers.set(index, digestOf(scenario, observation));
        },
      },
      signal,
    );
    column.state = column.result.verdict;
    if (column.result.reason !== undefined) column.reason = column.result.reason;
  } catch (error) {
    if (signal.aborted) {
      if (column.result !== undefined) column.state = 'interrupted';
      throw error;
    }
    if (!(error instanceof RingfenceError)) throw error;
    // A divergence that was seen before the kernel failed is worse than its failure.
    column.state = column.result?.verdict === 'divergent' ? 'divergent' : 'untestable';
    column.reason = error.message.split('\n')[0]!;
    events.note(`${column.name}: ${error.message}`);
  } finally {
    column.wall_s = (performance.now() - before) / 1000;
    if (column.answers.size > 0)
      events.answered(
        column.name,
        [...column.answers].sort(([a], [b]) => a - b).map(([index, digest]) => `${index} ${digest}`),
      );
  }
}

/** Asks again what neighbours answered differently, and finds the causes. */
async function confirm(
  ready: readonly Column[],
  options: MatrixOptions,
  draw: () => Generator<PlannedCase>,
  events: MatrixEvents,
  signal: AbortSignal,
): Promise<Comparison> {
  const answered = ready.filter(({ answers }) => answers.size > 0);
  const asked = questions(answered);
  const wanted = new Set(asked.flat());
  const cases = new Map<number, PlannedCase>();
  if (wanted.size > 0) for (const planned of draw()) if (wanted.has(planned.index)) cases.set(planned.index, planned);
  const compared: Compared[] = [];
  for (const [n, column] of answered.entries()) {
    const again = asked[n]!.map((index) => cases.get(index)!);
    let examined: ReadonlyMap<number, Examined> = new Map();
    if (again.length > 0 && !signal.aborted) {
      const number = place(column, n, answered);
      events.note(`${number}: asking ${again.length} scenarios again that a neighbour answers differently`);
      examined = await askAgain(column, again, options, events, signal);
    }
    compared.push({ name: column.name, model: modelOf(column)!, answers: column.answers, examined });
  }
  return compareKernels(compared, cases);
}

/** A kernel that cannot be booted again says so, and answers nothing. */
async function askAgain(
  column: Column,
  cases: readonly PlannedCase[],
  options: MatrixOptions,
  events: MatrixEvents,
  signal: AbortSignal,
): Promise<ReadonlyMap<number, Examined>> {
  const { append, accel, timeout } = options;
  const kernel =
    column.spec.tree === undefined
      ? kernelOptions(column)
      : { kernel: column.kernel!.path, slow: column.slow === true };
  try {
    const { guests, first } = await prepare(
      { ...kernel, append, accel, timeout, ...machineOf(options) },
      { note: () => {}, consoleFile: () => undefined },
      signal,
    );
    try {
      return await examine(guests, first, modelOf(column)!, cases, column.answers, signal);
    } finally {
      await guests.closeAll();
    }
  } catch (error) {
    if (!signal.aborted && !(error instanceof RingfenceError)) throw error;
    if (!signal.aborted)
      events.note(`${column.name}: could not be asked again: ${(error as Error).message.split('\n')[0]}`);
    return new Map();
  }
}
