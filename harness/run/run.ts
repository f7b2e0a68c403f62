/** One run from set-up to result: the job behind `ringfence run`, `fuzz` and `replay`. */
import { RULES } from '../../oracle/registry.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { consoleTail } from '../../vm/host/errors.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';
import { Asker, warmUpStop } from '../guests/asker.ts';
import type { Stop } from '../guests/asker.ts';
import { inWarmUp, SessionEnded } from '../guests/session.ts';
import type { Session } from '../guests/session.ts';
import { choosePolicy, EXAMINED } from '../known/policy.ts';
import type { Policy, PolicyOptions } from '../known/policy.ts';
import { KnownFindings } from '../known/predictions.ts';
import { asCase, Campaign } from './campaign.ts';
import { investigate, isFine } from './investigate.ts';
import type { Investigated, InvestigationOptions } from './investigate.ts';
import { Laboratory } from './laboratory.ts';
import type { RunEvents, RunOptions } from './options.ts';
import { planCases, shardSize } from './plan.ts';
import type { PlannedCase } from './plan.ts';
import { KernelStopped, prepare, Untestable } from './prepare.ts';
import type { Prepared } from './prepare.ts';
import { buildResult, corrections } from './result.ts';
import type { ResultParts } from './result.ts';
import { endSignature, KEEP } from './tally.ts';
import type { CaseTally, Suspect, SuspectGroup } from './tally.ts';
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
  const prepared = await prepareOrHalt(options, events, signal);
  const { guests, abi, kernel, slow } = prepared;
  events.up?.({ kernel, slow });
  const seconds = ((performance.now() - start.started) / 1000).toFixed(1);
  if ('first' in prepared)
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

/** A kernel that is up, or one that stopped while it was probed. */
type Arrived = Prepared | KernelStopped['halted'];

async function prepareOrHalt(options: RunOptions, events: RunEvents, signal: AbortSignal): Promise<Arrived> {
  try {
    return await prepare(options, events, signal);
  } catch (error) {
    if (error instanceof KernelStopped) return error.halted;
    throw error;
  }
}

/** What is known of a kernel when its cases begin. */
interface Learned {
  readonly policy: Policy;
  /** The guest that was asked; absent when there is no other after it. */
  readonly session?: Session;
  /** Questions on which it stopped. */
  readonly stops: readonly Stop[];
  /** All that it was asked, as cases. */
  readonly asked: readonly PlannedCase[];
  /** Why no case is run. */
  readonly hopeless?: string;
}

/** What a kernel is taken for that cannot be asked. */
const NOTHING_KNOWN: Policy = {
  active: [],
  missing: [],
  examines: false,
  match: () => undefined,
  data: undefined,
  results: () => [],
};

/** Asks a kernel about known findings. @throws Untestable when that fails through no fault of the kernel */
async function learn(prepared: Arrived, options: PolicyOptions, now: Date, signal: AbortSignal): Promise<Learned> {
  const asked = [...prepared.asked.values()];
  const none = { policy: NOTHING_KNOWN, asked: [], hopeless: 'it stopped while it was probed, so no case was run' };
  if (!('first' in prepared)) return { ...none, stops: prepared.stops };
  const asker = new Asker(prepared.guests, prepared.first);
  try {
    const policy = await askPolicy(options, prepared, asker, now, signal);
    const { session, stops } = asker;
    return {
      policy,
      session,
      stops: [...prepared.stops, ...stops],
      asked: [...asked, ...asker.asked.values()].map(asCase),
    };
  } catch (error) {
    const early = warmUpStop(error);
    const stops = [...prepared.stops, ...asker.stops, ...(early === undefined ? [] : [early])];
    if (signal.aborted || stops.length === prepared.stops.length) throw error;
    return { ...none, stops };
  }
}

/** All that a run does once the kernel is up: known findings, campaign, investigation, result. */
async function onKernel(
  prepared: Arrived,
  start: Start,
  options: RunOptions,
  events: RunEvents,
  signal: AbortSignal,
): Promise<RunResult> {
  const { guests, abi, kernel, accel } = prepared;
  const { policy, session, stops, asked, hopeless } = await learn(prepared, options, start.startedAt, signal);
  const known = new KnownFindings(policy.active, abi);
  if (known.active.length > 0)
    events.note(`known findings on this kernel: ${known.active.map(({ id }) => id).join(', ')}`);
  const { cases, total } = plan(options, prepared);
  const told = new Teller(events, () => snapshot(true));
  const campaign = new Campaign({
    guests,
    cases,
    total,
    jobs: Math.max(1, Math.min(options.jobs, total)),
    known,
    ...(policy.examines ? { keep: EXAMINED } : {}),
    sessions: session === undefined ? [] : [session],
    asked,
    started: start.started,
    signal,
    onAnswer: (planned, answer) => events.answered?.(planned, answer),
    onProgress: withCheckpoints(events, () => snapshot(true)),
    onSuspect: (suspect) => told.suspect(suspect),
  });
  const { tally } = campaign;
  const investigated: Investigated[] = [];
  const { missing } = policy;
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
    bpf: bpfOf(session),
    rules: RULES,
    versions: toolVersions(options.machine ?? OWN_MACHINE),
  };
  const snapshot = (unfinished: boolean): RunResult =>
    buildResult({ ...parts, ...start, interrupted: unfinished || signal.aborted });
  events.ready?.(() => snapshot(true));
  if (session !== undefined) await events.asked?.(session);
  for (const stop of stops) blame(stop, tally, known, { shard: options.shard, unjudged: !('first' in prepared) });
  tally.gaveUp = hopeless;
  try {
    if (hopeless === undefined) await campaign.run();
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

/** A question that stopped the kernel is a case that did not come to its end. */
function blame(
  stop: Stop,
  tally: CaseTally,
  known: KnownFindings,
  { shard, unjudged }: { readonly shard: RunOptions['shard']; readonly unjudged: boolean },
): void {
  const { others, end, verdict, detail } = stop;
  const planned = asCase(stop);
  const predictions = known.predictions(planned.scenario);
  const how = end === undefined ? { detail } : { end, detail };
  const suspect = { planned, predictions, others: others.map(asCase), verdict, unjudged, ...how };
  const signature = endSignature(end?.reason ?? verdict, end ?? { reports: [], detail });
  // Each shard finds the same, and it is counted once.
  if (shard === undefined || shard.index === 1) tally.broken(suspect, signature);
  else tally.suspect({ ...suspect, uncounted: true }, signature);
}

/** How this kernel can be told to run programs. */
function bpfOf(session: Session | undefined): ResultParts['bpf'] {
  if (session === undefined) return undefined;
  const { jit: compiler, interpreter, harden } = session.hello;
  return { compiler, interpreter, harden };
}

/** Crashes and hangs that are told at once; all of them stand in the result. */
const MOST_TOLD = 5;

/** Tells of a kernel that fails as soon as it does. */
class Teller {
  readonly #events: RunEvents;
  readonly #snapshot: () => RunResult;
  readonly #told = new Set<string>();

  constructor(events: RunEvents, snapshot: () => RunResult) {
    this.#events = events;
    this.#snapshot = snapshot;
  }

  suspect({ verdict, planned, end, detail = '' }: Suspect): void {
    if (verdict === 'divergence') return;
    const what = end?.reports[0]?.title ?? end?.detail ?? detail;
    if (this.#told.has(what) || this.#told.size >= MOST_TOLD) return;
    this.#told.add(what);
    this.#events.note(`case ${planned.index}: ${verdict}, ${what}`);
    this.#events.checkpoint(this.#snapshot());
  }
}

/** Questions that may stop a kernel before no more are asked. */
const MAX_STOPS = 3;

/**
 * Asks the kernel what is known of it.
 * @throws Untestable when it does not survive that through no fault of its own
 * @throws SessionEnded when it does not come up again
 */
export async function askPolicy(
  options: PolicyOptions,
  { abi }: Pick<Prepared, 'abi'>,
  asker: Asker,
  now: Date,
  signal: AbortSignal,
): Promise<Policy> {
  try {
    // A kernel that stopped has answered nothing.
    return await choosePolicy(options, abi, now, async (scenario, waits) => {
      const answer = asker.stops.length < MAX_STOPS ? await asker.ask(scenario, waits) : undefined;
      return answer ?? { steps: [] };
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof SessionEnded) || asker.stops.length > 0 || inWarmUp(error.end))
      throw error;
    throw new Untestable(
      `Linux ${abi.release} stopped while it was asked about known findings: ${error.end.detail}.\n` +
        `End of its console:\n${consoleTail(error.end.console)}`,
      'Replay suites/findings/*.json one by one to see which does it.',
    );
  }
}

/** The cases in their order: those that show an odd ABI come first. */
function plan(
  options: RunOptions,
  prepared: Pick<Prepared, 'abi' | 'urgent'>,
): { readonly cases: Iterator<PlannedCase>; readonly total: number } {
  const { suites, seed, shard, scenarios, draw } = options;
  // Each shard would find the same.
  const urgent = shard === undefined || shard.index === 1 ? prepared.urgent : [];
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
    // One that shows again speaks for its group, and so do the kernel's words; otherwise the others get their chance.
    if (one.reproduced > 0 || !isFine(one.outcome) || ++misses >= KEEP) return;
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
  const laboratory = new Laboratory(setup.guests, {
    settle: suspect.verdict === 'kernel-crash',
    ending: suspect.ending === true,
  });
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

/** Cases on which the kernel has shown an odd ABI, before all others. */
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
