/** One run from set-up to result: the job behind `ringfence run`, `fuzz` and `replay`. */
import { cpus } from 'node:os';
import { predict } from '../../oracle/predict.ts';
import { RULES } from '../../oracle/registry.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { RunResult, Shard } from '../../reports/data/result.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import { consoleTail } from '../../vm/host/errors.ts';
import type { Kernel } from '../../vm/index.ts';
import type { TreeOptions } from '../../vm/build/index.ts';
import { Campaign, KEEP } from './campaign.ts';
import type { Suspect } from './campaign.ts';
import { choosePolicy, EXAMINED } from '../known/policy.ts';
import type { PolicyOptions } from '../known/policy.ts';
import { KnownFindings } from '../known/findings.ts';
import { investigate, Laboratory } from './investigate.ts';
import type { Investigated, InvestigationOptions } from './investigate.ts';
import { planCases, shardSize } from './plan.ts';
import type { PlannedCase } from './plan.ts';
import { Asker, prepare, Untestable } from './prepare.ts';
import { buildResult, corrections } from './result.ts';
import { SessionEnded } from '../guests/session.ts';
import { toolVersions } from './versions.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';

export { prepare, Unsupported, Untestable, type Prepared } from './prepare.ts';

export interface RunOptions extends PolicyOptions {
  readonly suites: readonly SuiteName[];
  /** Scenarios in all; Infinity: until interrupted. */
  readonly cases: number;
  readonly seed: number;
  /** Path of a bzImage or vmlinux; undefined: the pinned kernel. */
  readonly kernel?: string;
  /** Release of a fetchable kernel; undefined: the default. */
  readonly release?: string;
  /** A source tree that the kernel is taken from, or built from, instead; `logFile` gets the output of make. */
  readonly tree?: TreeOptions & { readonly logFile: string };
  /** The kernel checks itself: it gets more time and memory. A tree says so itself. */
  readonly slow?: boolean;
  readonly append: string;
  readonly accel: 'auto' | 'kvm' | 'tcg';
  readonly jobs: number;
  /** Seconds a guest may take to boot, or be silent while it has work. */
  readonly timeout: number;
  /** Command line that repeats the run. */
  readonly command: string;
  /** Scenarios to run instead of generated ones (replay). */
  readonly scenarios?: readonly Scenario[];
  /** Draws the cases instead of planCases (a matrix gives all kernels the same). */
  readonly draw?: () => Iterator<PlannedCase>;
  /** Runs one of several equal parts; not with `scenarios`. */
  readonly shard?: Shard;
  /** At most so many distinct differences are shrunk. */
  readonly investigate: number;
  readonly shrinkSeconds: number;
}

export interface RunEvents {
  /** What the run is about to do; shown before the first progress line. */
  note(text: string): void;
  progress(progress: Progress): void;
  /** Called whenever there is something worth keeping on disk. */
  checkpoint(result: RunResult): void;
  /** File for the console of the n-th guest, or undefined. */
  consoleFile(boot: number): string | undefined;
  /** Called at the end with the text of cases.txt (shards/ledger.ts); not called for more cases than fit in memory. */
  cases?(text: string): void;
  /** Called when the first guest is up. */
  up?(what: { readonly kernel: Kernel; readonly slow: boolean }): void;
  /** Called once there is a state that can be kept: gives it as it is at that moment. */
  ready?(snapshot: () => RunResult): void;
  /** Called with every answer, before it is judged. */
  answered?(planned: PlannedCase, answer: RunnerResult): void;
}

/** Milliseconds between two checkpoints while cases run. */
const CHECKPOINT_MS = 10_000;
/** So many times as many failures are repeated alone as are shrunk. */
const CONFIRM_FACTOR = 5;

/** A whole run. @throws RingfenceError set-up problems and untestable kernels */
export async function run(options: RunOptions, events: RunEvents, signal: AbortSignal): Promise<RunResult> {
  const startedAt = new Date();
  const started = performance.now();
  const prepared = await prepare(options, events, signal);
  const { guests, abi, kernel, accel } = prepared;
  const asker = new Asker(guests, prepared.first);
  events.up?.({ kernel, slow: prepared.slow });
  events.note(
    `Linux ${abi.release} (${abi.machine}) is up after ${((performance.now() - started) / 1000).toFixed(1)} s: ${abi.op_last} opcodes, context ${abi.ctx_size} bytes`,
  );
  try {
    const policy = await choosePolicy(
      options,
      abi,
      startedAt,
      async (scenario) => (await asker.ask(scenario, waitsOf(predict(scenario, abi)))) ?? NO_ANSWER,
    ).catch((error: unknown) => {
      if (signal.aborted || !(error instanceof SessionEnded)) throw error;
      throw new Untestable(
        `Linux ${abi.release} stopped while it was asked about known findings: ${error.end.detail}.\nEnd of its console:\n${consoleTail(error.end.console)}`,
        'Replay suites/findings/*.json one by one to see which does it.',
      );
    });
    // Each shard would find the same.
    const urgent = options.shard === undefined || options.shard.index === 1 ? [...prepared.urgent, ...asker.fatal] : [];
    const known = new KnownFindings(policy.active, abi);
    if (known.active.length > 0)
      events.note(`known findings on this kernel: ${known.active.map(({ id }) => id).join(', ')}`);

    const versions = toolVersions();
    const total = urgent.length + (options.scenarios?.length ?? shardSize(options.cases, options.shard));
    const ordinary =
      options.draw !== undefined
        ? options.draw()
        : options.scenarios === undefined
          ? planCases(options.suites, abi, options.seed, options.cases, options.shard)
          : replayCases(options.scenarios);
    const cases = urgent.length === 0 ? ordinary : urgentFirst(urgent, ordinary);
    let checkpointAt = performance.now();
    const campaign = new Campaign({
      guests,
      abi,
      cases,
      total,
      jobs: Math.max(1, Math.min(options.jobs, total)),
      known,
      ...(policy.examines ? { keep: EXAMINED } : {}),
      sessions: [asker.session],
      started,
      signal,
      ...(events.answered === undefined ? {} : { onAnswer: (planned, answer) => events.answered?.(planned, answer) }),
      onProgress: (progress) => {
        events.progress(progress);
        if (performance.now() - checkpointAt < CHECKPOINT_MS) return;
        checkpointAt = performance.now();
        events.checkpoint(snapshot([], true));
      },
    });
    const snapshot = (investigated: readonly Investigated[], unfinished = false): RunResult =>
      buildResult({
        options,
        tally: campaign.tally,
        investigated,
        missing: policy.missing,
        policy,
        abi,
        kernel,
        accel,
        guests,
        rules: RULES,
        startedAt,
        started,
        interrupted: unfinished || signal.aborted,
        versions,
      });
    const investigated: Investigated[] = [];
    events.ready?.(() => snapshot(investigated, true));
    try {
      await campaign.run();
    } catch (error) {
      // What was found before it broke off is kept.
      if (campaign.tally.scenarios > 0) events.checkpoint(snapshot(investigated, true));
      throw error;
    }
    const setup: InvestigationOptions = { guests, abi, known, signal, shrinkMs: options.shrinkSeconds * 1000 };
    const groups = [...campaign.tally.suspects.values()].sort(
      (a, b) => a.cases[0]!.planned.index - b.cases[0]!.planned.index,
    );
    if (groups.length > 0) events.checkpoint(snapshot(investigated));
    for (const [n, group] of groups.slice(0, options.investigate * CONFIRM_FACTOR).entries()) {
      if (signal.aborted) break;
      let misses = 0;
      for (const suspect of group.cases) {
        events.note(
          `looking into case ${suspect.planned.index} (${suspect.verdict}${suspect.difference === undefined ? '' : `, ${suspect.difference.rule}`})`,
        );
        const one = await lookInto(suspect, n < options.investigate ? setup : { ...setup, shrinkMs: 0 }, events);
        if (one !== undefined) investigated.push(one);
        // What is expected speaks for itself alone.
        if (one !== undefined && policy.match(one) !== undefined) continue;
        // One that shows again speaks for its group; otherwise the others get their chance.
        if (one === undefined || one.reproduced > 0 || one.outcome.kind === 'crash' || ++misses >= KEEP) break;
      }
      events.checkpoint(snapshot(investigated));
    }
    const result = snapshot(investigated);
    const lines = campaign.tally.ledger.text(corrections({ tally: campaign.tally, investigated, abi, policy }));
    if (lines !== undefined) events.cases?.(lines);
    events.checkpoint(result);
    return result;
  } finally {
    await guests.closeAll();
  }
}

/** One case alone; undefined when nothing could be said, for example because of Ctrl-C. */
async function lookInto(
  suspect: Suspect,
  setup: InvestigationOptions,
  events: RunEvents,
): Promise<Investigated | undefined> {
  const laboratory = new Laboratory(setup, suspect.verdict === 'kernel-crash');
  try {
    const one = await investigate(suspect, laboratory, setup);
    // An answer that Ctrl-C cut short is none.
    return setup.signal.aborted ? undefined : one;
  } catch (error) {
    if (!setup.signal.aborted)
      events.note(
        `case ${suspect.planned.index} could not be looked into: ${error instanceof Error ? error.message : String(error)}`,
      );
    return undefined;
  } finally {
    await laboratory.fresh();
  }
}

/** What a kernel that stopped has answered. */
const NO_ANSWER: Observation = { steps: [] };
/** Index of the first urgent case; cases of a run are numbered from 0. */
const URGENT = 0x3000_0000;

function* urgentFirst(urgent: readonly Scenario[], ordinary: Iterator<PlannedCase>): Generator<PlannedCase> {
  for (const [i, scenario] of urgent.entries()) yield { index: URGENT + i, suite: 'arguments', scenario };
  for (let next = ordinary.next(); next.done !== true; next = ordinary.next()) yield next.value;
}

function* replayCases(scenarios: readonly Scenario[]): Generator<PlannedCase> {
  for (const [index, scenario] of scenarios.entries()) {
    const suite = SUITE_NAMES.find((name) => name === scenario.suite) ?? 'escape';
    yield { index, suite, scenario };
  }
}

/** Guests side by side when nothing is said: one per processor. */
export function defaultJobs(): number {
  return Math.max(1, cpus().length);
}
