/** From nothing to a guest that answers: installs, fetches, builds, boots, and asks the kernel what it is. */
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { judgedAbi } from '../../oracle/probe/abi-documented.ts';
import { requestsOf } from '../../oracle/steps/index.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { AccelChoice } from '../../vm/guest/accel.ts';
import { chooseAccel } from '../../vm/guest/accel.ts';
import { kernelFromTree } from '../../vm/build/index.ts';
import { consoleTail } from '../../vm/host/errors.ts';
import type { GuestImage } from '../../vm/guest/image.ts';
import { machineAbi, OWN_MACHINE } from '../../vm/machine/index.ts';
import { ensureRequirements } from '../../vm/host/requirements.ts';
import { buildImage, DEFAULT_RELEASE, EXIT, fetchKernel, kernelFromFile, RingfenceError } from '../../vm/index.ts';
import type { Kernel } from '../../vm/index.ts';
import { abiCase, oddityText } from '../../oracle/probe/abi-cases.ts';
import { Asker, warmUpStop } from '../guests/asker.ts';
import type { Question, Stop } from '../guests/asker.ts';
import { Guests } from '../guests/guests.ts';
import type { GuestPlan } from '../guests/guests.ts';
import type { MachineAbi } from '../../oracle/probe/probe.ts';
import { FeatureMissing, probeAbi } from '../../oracle/probe/probe.ts';
import type { KernelOptions, RunEvents } from './options.ts';
import { SessionEnded } from '../guests/session.ts';
import type { Session } from '../guests/session.ts';

/** This kernel cannot be tested: exit code 125. */
export class Untestable extends RingfenceError {
  constructor(what: string, advice: string, options?: ErrorOptions) {
    super(what, advice, EXIT.untestable, options);
  }
}

/** The kernel lacks the feature: nothing of it can be tested. */
export class Unsupported extends Untestable {
  readonly release: string;
  /** What is missing. */
  readonly lack: string;

  constructor(release: string, lack: string) {
    super(
      `Linux ${release} cannot be tested: ${lack}.`,
      'Use a kernel from 7.0 on with CONFIG_IO_URING, CONFIG_BPF and CONFIG_NET.',
    );
    this.release = release;
    this.lack = lack;
  }
}

/** Milliseconds one scenario may take inside the guest under TCG; hundreds of times the slowest honest one. */
const DEADLINE_MS = 10_000;
/** A kernel that checks itself (KASAN, lockdep) gets so many times as long for everything. */
const SLOW_FACTOR = 4;
/** And so much memory, in MiB. */
const SLOW_MEMORY = 1536;
/** Seconds that a guest with work may be silent, at least: its own deadlines end before. */
const SILENCE = 20;
/** Milliseconds that a guest may take to power off; it takes a quarter of a second. */
const POWER_OFF_MS = 20_000;

/** Everything a run needs, made ready once. */
export interface Prepared {
  readonly kernel: Kernel;
  readonly accel: AccelChoice;
  readonly guests: Guests;
  readonly first: Session;
  /** The profile the kernel is judged by (see judgedAbi). */
  readonly abi: AbiProfile;
  /** Cases to run before all others: the kernel's ABI is not the documented one. */
  readonly urgent: readonly Scenario[];
  /** Questions on which the kernel stopped. */
  readonly stops: readonly Stop[];
  /** All questions that the first guest has answered, by number. */
  readonly asked: ReadonlyMap<number, Question>;
  /** The kernel checks itself, and got more time and memory for it. */
  readonly slow: boolean;
}

/** A kernel that comes to its first call of the feature and does not survive being probed: a verdict, for a run. */
export class KernelStopped extends Untestable {
  /** As far as it came; judged by Linux 7.0. */
  readonly halted: Omit<Prepared, 'first'>;

  constructor(halted: Omit<Prepared, 'first'>) {
    const stop = halted.stops.at(-1)!;
    const console = stop.end === undefined ? '' : `\nEnd of its console:\n${consoleTail(stop.end.console)}`;
    super(
      `Linux ${halted.abi.release} stopped while it was asked what it can do: ${stop.detail}.${console}`,
      '"npx ringfence run" makes a case of it.',
    );
    this.halted = halted;
  }
}

/** Thrown inside when a question cost the kernel its life. */
class Stopped extends Error {}

/** How often a kernel is probed that stops meanwhile: a machine that is too busy does not do so twice. */
const PROBES = 2;

/** What guests are booted from, made ready once for any number of them. */
export interface Ready {
  readonly kernel: Kernel;
  readonly slow: boolean;
  readonly image: GuestImage;
  readonly accel: AccelChoice;
  /** Boots one; tests put a guest of their own here. */
  readonly start?: GuestPlan['start'];
}

/** How guests are brought up, and whom that tells. */
export type BringOptions = Pick<KernelOptions, 'machine' | 'append' | 'timeout'>;

/**
 * Installs, fetches, builds, boots and probes.
 * @throws RingfenceError set-up problems, and kernels that cannot be tested
 */
export async function prepare(
  options: KernelOptions,
  events: Pick<RunEvents, 'note' | 'consoleFile' | 'opened'>,
  signal: AbortSignal,
): Promise<Prepared> {
  return await bringUp(await makeReady(options, (text) => events.note(text), signal), options, events, signal);
}

/** Installs, fetches and builds. @throws RingfenceError set-up problems, and kernels that cannot be had */
export async function makeReady(
  options: KernelOptions,
  log: (text: string) => void,
  signal: AbortSignal,
): Promise<Ready> {
  const { machine = OWN_MACHINE } = options;
  await ensureRequirements({ log, machine });
  signal.throwIfAborted();
  const { kernel, slow } = await kernelOf(options, log, signal);
  if (kernel.note !== undefined) log(kernel.note);
  signal.throwIfAborted();
  const image = await buildImage({ log, machine });
  signal.throwIfAborted();
  return { kernel, slow, image, accel: await chooseAccel(options.accel, { kernel, image, log, signal }) };
}

/** Boots the first guest and probes it. @throws RingfenceError a kernel that cannot be tested */
export async function bringUp(
  { kernel, slow, image, accel, start }: Ready,
  options: BringOptions,
  events: Pick<RunEvents, 'note' | 'consoleFile' | 'opened'>,
  signal: AbortSignal,
): Promise<Prepared> {
  const log = (text: string): void => events.note(text);
  const factor = slow ? SLOW_FACTOR : 1;
  const patience = options.timeout * 1000 * factor;
  const guests = new Guests({
    boot: {
      kernel,
      image,
      accel: accel.accel,
      append: options.append,
      bootDeadlineMs: patience,
      ...(slow ? { memoryMiB: SLOW_MEMORY } : {}),
      signal,
    },
    patience,
    silence: silenceMs(options.timeout) * factor,
    deadline: DEADLINE_MS * factor,
    powerOff: POWER_OFF_MS * factor,
    consoleFile: (n) => events.consoleFile(n),
    ...(start === undefined ? {} : { start }),
    opened: async (session) => await events.opened?.(session),
  });
  const about = { release: kernel.release, ...machineAbi(options.machine ?? OWN_MACHINE) };
  const stops: Stop[] = [];
  for (let probe = 1; ; probe++) {
    const tried = await probeOnce(guests, about, log, signal);
    stops.push(...tried.stops);
    if ('first' in tried) return { kernel, accel, guests, slow, ...tried, stops };
    const [stop] = tried.stops;
    // No stop, no fault of the kernel's; and what has none of the feature has stopped over something else.
    if (stop === undefined || tried.error instanceof FeatureMissing) {
      await guests.closeAll();
      throw untestable(tried.error, tried.release);
    }
    log(
      `Linux ${tried.release} stopped while it was asked what it can do: ${stop.verdict}, ${stop.detail}` +
        (probe < PROBES ? '; asking another guest' : ''),
    );
    if (probe < PROBES) continue;
    const abi = { ...ABI_7_0, ...about, release: tried.release, machine: tried.machine };
    throw new KernelStopped({ kernel, accel, guests, abi, urgent: [], stops, asked: new Map(), slow });
  }
}

/** Milliseconds that a guest with work may be silent: less than it may take to boot. */
function silenceMs(timeout: number): number {
  return 1000 * Math.max(Math.min(timeout, SILENCE), timeout / 2);
}

type Probed = Pick<Prepared, 'first' | 'abi' | 'urgent' | 'asked'>;

/** A probe that came to no end, and what is known of the kernel all the same. */
interface Unfinished {
  readonly release: string;
  readonly machine: string;
  readonly error: unknown;
}

/** Boots a guest and probes it. */
async function probeOnce(
  guests: Guests,
  about: Omit<MachineAbi, 'machine'>,
  log: (text: string) => void,
  signal: AbortSignal,
): Promise<(Probed | Unfinished) & { readonly stops: readonly Stop[] }> {
  let asker: Asker | undefined;
  let known = { release: about.release, machine: ABI_7_0.machine };
  try {
    asker = new Asker(guests, await guests.open());
    const { release, machine, line } = asker.session.hello;
    known = { release, machine };
    if (line)
      log('this kernel has no virtio console built in: the guest is reached over a serial line, which is slower');
    const { abi, odd } = await profile(asker, { ...about, release, machine }, log);
    return { first: asker.session, abi, urgent: odd, stops: asker.stops, asked: asker.asked };
  } catch (error) {
    signal.throwIfAborted();
    const early = warmUpStop(error);
    const stops = [...(asker?.stops ?? []), ...(early === undefined ? [] : [early])];
    if (asker !== undefined) await asker.session.close();
    return { ...known, error, stops };
  }
}

/** The kernel, from wherever it comes, and whether it checks itself. */
async function kernelOf(
  { kernel, release, tree, slow, machine = OWN_MACHINE }: KernelOptions,
  log: (text: string) => void,
  signal: AbortSignal,
): Promise<{ readonly kernel: Kernel; readonly slow: boolean }> {
  if (tree !== undefined) {
    const built = await kernelFromTree(tree, { log, logFile: tree.logFile, signal });
    return { kernel: built.kernel, slow: built.slow || slow === true };
  }
  return {
    kernel:
      kernel === undefined
        ? await fetchKernel(release ?? DEFAULT_RELEASE, { log, machine, fallback: release === undefined })
        : await kernelFromFile(kernel, { machine }),
    slow: slow === true,
  };
}

/**
 * The ABI that the kernel is judged by, and cases where its own is not the documented one.
 * @throws Stopped when a question was not answered
 */
async function profile(
  asker: Asker,
  about: MachineAbi,
  log: (text: string) => void,
): Promise<{ readonly abi: AbiProfile; readonly odd: readonly Scenario[] }> {
  const probed = await probeAbi(async (scenario) => {
    const answer = await asker.ask(scenario, waitsForProbe(scenario));
    if (answer === undefined) throw new Stopped();
    return answer;
  }, about);
  const { abi, oddities } = judgedAbi(probed);
  for (const oddity of oddities) log(`note: ${oddityText(oddity)}`);
  return { abi, odd: oddities.filter(({ accepted }) => !accepted).map(abiCase) };
}

/** What a failed probe says of the kernel; another error as it is. */
function untestable(error: unknown, release: string): unknown {
  if (error instanceof SessionEnded)
    return new Untestable(
      `Linux ${release} stopped while it was asked what it can do: ${error.end.detail}.\n` +
        `End of its console:\n${consoleTail(error.end.console)}`,
      'This kernel cannot be tested as it is.',
    );
  return error instanceof FeatureMissing ? new Unsupported(release, error.message) : error;
}

/** While probing nothing can be predicted: every SQE is expected to answer, but for one that skips its CQE. */
function waitsForProbe(scenario: Scenario): number[] {
  return scenario.steps.map((step) => requestsOf(step).filter(({ flags = 0 }) => (flags & 0x40) === 0).length);
}
