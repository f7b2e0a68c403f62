/** One run from set-up to result: the job behind `ringfence run`, `fuzz` and `replay`. */
import { RULES } from '../../oracle/registry.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { consoleTail } from '../../vm/host/errors.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';
import { Asker } from '../guests/asker.ts';
import { SessionEnded } from '../guests/session.ts';
import { choosePolicy, EXAMINED } from '../known/policy.ts';
import type { Policy, PolicyOptions } from '../known/policy.ts';
import { KnownFindings } from '../known/predictions.ts';
import { Campaign } from './campaign.ts';
import { investigate } from './investigate.ts';
import type { Investigated, InvestigationOptions } from './investigate.ts';
import { Laboratory } from './laboratory.ts';
import type { RunEvents, RunOptions } from './options.ts';
import { planCases, shardSize } from './plan.ts';
import type { PlannedCase } from './plan.ts';
import { prepare, Untestable } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import { buildResult, corrections } from './result.ts';
import { KEEP } from './tally.ts';
import type { Suspect, SuspectGroup } from './tally.ts';
import { toolVersions } from './versions.ts';

/** Milliseconds between two checkpoints while cases run. */
const CHECKPOINT_MS = 10_000;
/** So many times as many failures are repeated alone as are shrunk. */
const CONFIRM_FACTOR = 5;

/** When a run began. */
interface Start {
  readonly startedAt: Date;
  /** The same moment, as performance.now() says. */
  readonly started: number;
}

/** A whole run. @throws RingfenceError set-up problems and untestable kernels */
export async function run(options: RunOptions, events: RunEvents, signal: AbortSignal): Promise<RunResult> {
  const start = { startedAt: new Date(), started: performance.now() };
  const prepared = await prepare(options, events, signal);
  const { guests, abi, kernel, slow } = prepared;
  events.up?.({ kernel, slow });
  const seconds = ((performance.now() - start.started) / 1000).toFixed(1);
  events.note(
    `Linux ${abi.release} (${abi.machine}) is up after ${seconds} s: ` +
      `${abi.op_last} opcodes, context ${abi.ctx_size} bytes`,
  );
  try {
    return await onKernel(prepared, start, options, events, signal);
  } finally {
    await guests.closeAll();
  }
}

/** All that a run does once the kernel is up: known findings, campaign, investigation, result. */
async function onKernel(
  prepared: Prepared,
  start: Start,
  options: RunOptions,
  events: RunEvents,
  signal: AbortSignal,
): Promise<RunResult> {
  const { guests, abi, kernel, accel } = prepared;
  const asker = new Asker(guests, prepared.first);
  const policy = await askPolicy(options, prepared, asker, start.startedAt, signal);
  const known = new KnownFindings(policy.active, abi);
  if (known.active.length > 0)
    events.note(`known findings on this kernel: ${known.active.map(({ id }) => id).join(', ')}`);
  const { cases, total } = plan(options, prepared, asker.fatal);
  const campaign = new Campaign({
    guests,
    cases,
    total,
    jobs: Math.max(1, Math.min(options.jobs, total)),
    known,
    ...(policy.examines ? { keep: EXAMINED } : {}),
    sessions: [asker.session],
    started: start.started,
    signal,
    onAnswer: (planned, answer) => events.answered?.(planned, answer),
    onProgress: withCheckpoints(events, () => snapshot(true)),
  });
  const { tally } = campaign;
  const investigated: Investigated[] = [];
  const versions = toolVersions(options.machine ?? OWN_MACHINE);
  const { missing } = policy;
  const { jit: compiler, interpreter, harden } = prepared.first.hello;
  const bpf = { compiler, interpreter, harden };
  const parts = {
    options,
    tally,
    investigated,
    policy,
    missing,
    abi,
    kernel,
    accel,
    guests,
    bpf,
    rules: RULES,
    versions,
  };
  const snapshot = (unfinished: boolean): RunResult =>
    buildResult({ ...parts, ...start, interrupted: unfinished || signal.aborted });
  events.ready?.(() => snapshot(true));
  await events.asked?.(asker.session);
  try {
    await campaign.run();
  } catch (error) {
    // What was found before it broke off is kept.
    if (tally.scenarios > 0) events.checkpoint(snapshot(true));
    throw error;
  }
  const groups = tally.groups();
  if (groups.length > 0) events.checkpoint(snapshot(false));
  for (const [n, group] of groups.slice(0, options.investigate * CONFIRM_FACTOR).entries()) {
    if (signal.aborted) break;
    const shrinkMs = n < options.investigate ? options.shrinkSeconds * 1000 : 0;
    for await (const one of examine(group, policy, { guests, known, signal, shrinkMs }, events)) investigated.push(one);
    events.checkpoint(snapshot(false));
  }
  const result = snapshot(false);
  const lines = tally.ledger.text(corrections(parts));
  if (lines !== undefined) events.cases?.(lines);
  events.checkpoint(result);
  return result;
}

/** Tells the progress, and now and then the result so far. */
function withCheckpoints(events: RunEvents, snapshot: () => RunResult): (progress: Progress) => void {
  let checkpointAt = performance.now();
  return (progress) => {
    events.progress(progress);
    if (performance.now() - checkpointAt < CHECKPOINT_MS) return;
    checkpointAt = performance.now();
    events.checkpoint(snapshot());
  };
}

/** Asks the kernel what is known of it. @throws Untestable when it does not survive that */
export async function askPolicy(
  options: PolicyOptions,
  { abi }: Pick<Prepared, 'abi'>,
  asker: Asker,
  now: Date,
  signal: AbortSignal,
): Promise<Policy> {
  try {
    // A kernel that stopped has answered nothing.
    return await choosePolicy(
      options,
      abi,
      now,
      async (scenario, waits) => (await asker.ask(scenario, waits)) ?? { steps: [] },
    );
  } catch (error) {
    if (signal.aborted || !(error instanceof SessionEnded)) throw error;
    throw new Untestable(
      `Linux ${abi.release} stopped while it was asked about known findings: ${error.end.detail}.\n` +
        `End of its console:\n${consoleTail(error.end.console)}`,
      'Replay suites/findings/*.json one by one to see which does it.',
    );
  }
}

/** The cases in their order: those on which the kernel has stopped come first. */
function plan(
  options: RunOptions,
  prepared: Prepared,
  fatal: readonly Scenario[],
): { readonly cases: Iterator<PlannedCase>; readonly total: number } {
  const { suites, seed, shard, scenarios, draw } = options;
  // Each shard would find the same.
  const urgent = shard === undefined || shard.index === 1 ? [...prepared.urgent, ...fatal] : [];
  const ordinary =
    draw?.() ??
    (scenarios === undefined ? planCases(suites, prepared.abi, seed, options.cases, shard) : replayCases(scenarios));
  return {
    cases: urgent.length === 0 ? ordinary : urgentFirst(urgent, ordinary),
    total: urgent.length + (scenarios?.length ?? shardSize(options.cases, shard)),
  };
}

/** Looks into the cases of a group, until one speaks for it. */
async function* examine(
  { cases }: SuspectGroup,
  policy: Policy,
  setup: InvestigationOptions,
  events: RunEvents,
): AsyncGenerator<Investigated> {
  let misses = 0;
  for (const suspect of cases) {
    const { planned, verdict, difference } = suspect;
    const rule = difference === undefined ? '' : `, ${difference.rule}`;
    events.note(`looking into case ${planned.index} (${verdict}${rule})`);
    const one = await lookInto(suspect, setup, events);
    if (one === undefined) return;
    yield one;
    // What is expected speaks for itself alone.
    if (isExpected(one, policy)) continue;
    // One that shows again speaks for its group; otherwise the others get their chance.
    if (one.reproduced > 0 || one.outcome.verdict === 'kernel-crash' || ++misses >= KEEP) return;
  }
}

function isExpected({ outcome, predictions }: Investigated, policy: Policy): boolean {
  return outcome.verdict === 'divergence' && policy.match(predictions.scenario, outcome.difference) !== undefined;
}

/** One case alone; undefined when nothing could be said, for example because of Ctrl-C. */
async function lookInto(
  suspect: Suspect,
  setup: InvestigationOptions,
  events: RunEvents,
): Promise<Investigated | undefined> {
  const laboratory = new Laboratory(setup.guests, suspect.verdict === 'kernel-crash');
  try {
    const one = await investigate(suspect, laboratory, setup);
    // An answer that Ctrl-C cut short is none.
    return setup.signal.aborted ? undefined : one;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    if (!setup.signal.aborted) events.note(`case ${suspect.planned.index} could not be looked into: ${why}`);
    return undefined;
  } finally {
    await laboratory.fresh();
  }
}

/** Index of the first urgent case; cases of a run are numbered from 0. */
export const URGENT = 0x3000_0000;

/** Cases on which the kernel has stopped, or shown an odd ABI, before all others. */
export function* urgentFirst(urgent: readonly Scenario[], ordinary: Iterator<PlannedCase>): Generator<PlannedCase> {
  for (const [i, scenario] of urgent.entries()) yield { index: URGENT + i, suite: 'arguments', scenario };
  for (let next = ordinary.next(); next.done !== true; next = ordinary.next()) yield next.value;
}

function* replayCases(scenarios: readonly Scenario[]): Generator<PlannedCase> {
  for (const [index, scenario] of scenarios.entries()) {
    const suite = SUITE_NAMES.find((name) => name === scenario.suite) ?? 'escape';
    yield { index, suite, scenario };
  }
}
