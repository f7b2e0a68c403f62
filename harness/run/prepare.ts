/** From nothing to a guest that answers: installs, fetches, builds, boots, and asks the kernel what it is. */
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { judgedAbi } from '../../oracle/probe/abi-documented.ts';
import { requestsOf } from '../../oracle/steps/index.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { AccelChoice } from '../../vm/guest/accel.ts';
import { chooseAccel } from '../../vm/guest/accel.ts';
import { kernelFromTree } from '../../vm/build/index.ts';
import { consoleTail } from '../../vm/host/errors.ts';
import { ensureRequirements } from '../../vm/host/requirements.ts';
import { buildImage, DEFAULT_RELEASE, EXIT, fetchKernel, kernelFromFile, RingfenceError } from '../../vm/index.ts';
import type { Kernel } from '../../vm/index.ts';
import { abiCase, oddityText } from '../../oracle/probe/abi-cases.ts';
import { Guests, observe } from '../guests/guests.ts';
import { FeatureMissing, probeAbi } from '../../oracle/probe/probe.ts';
import type { RunEvents, RunOptions } from './run.ts';
import { SessionEnded } from '../guests/session.ts';
import type { Session } from '../guests/session.ts';
import type { Waits } from '../../oracle/judge/waits.ts';

/** This kernel cannot be tested: exit code 125. */
export class Untestable extends RingfenceError {
  constructor(what: string, advice: string, options?: ErrorOptions) {
    super(what, advice, EXIT.untestable, options);
  }
}

/** The kernel lacks the feature: nothing of it can be tested. */
export class Unsupported extends Untestable {}

/** Milliseconds one scenario may take inside the guest under TCG; hundreds of times the slowest honest one. */
const DEADLINE_MS = 10_000;
/** A kernel that checks itself (KASAN, lockdep) gets so many times as long for everything. */
const SLOW_FACTOR = 4;
/** And so much memory, in MiB. */
const SLOW_MEMORY = 1536;

/** Everything a run needs, made ready once. */
export interface Prepared {
  readonly kernel: Kernel;
  readonly accel: AccelChoice;
  readonly guests: Guests;
  readonly first: Session;
  /** The profile the kernel is judged by (see judgedAbi). */
  readonly abi: AbiProfile;
  /** Cases to run before all others: on them the kernel stopped, or its ABI is not the documented one. */
  readonly urgent: readonly Scenario[];
  /** The kernel checks itself, and got more time and memory for it. */
  readonly slow: boolean;
}

/** Asks a guest one thing after the other; a kernel that crashes or falls silent over a question gets the question as a case of the run. */
export class Asker {
  readonly #guests: Guests;
  session: Session;
  /** Questions that stopped the kernel. */
  readonly fatal: Scenario[] = [];
  #last: Scenario | undefined;

  constructor(guests: Guests, session: Session) {
    this.#guests = guests;
    this.session = session;
  }

  /** The answer, or undefined when the kernel did not survive the question. @throws SessionEnded when it was not the kernel's fault */
  async ask(scenario: Scenario, waits: readonly number[] | Waits): Promise<Observation | undefined> {
    const last = this.#last;
    this.#last = scenario;
    try {
      return await observe(this.session, scenario, waits, this.#guests.plan.deadline);
    } catch (error) {
      const stopped = error instanceof SessionEnded && (error.end.reason === 'crash' || error.end.reason === 'silent');
      if (!stopped || this.#guests.plan.boot.signal?.aborted === true) throw error;
      // The kernel may have complained a moment after its last answer.
      if (error.end.running === undefined && last !== undefined) this.fatal.push(last);
      this.fatal.push(scenario);
      this.session = await this.#guests.open();
      return undefined;
    }
  }
}

/** Thrown inside when a question cost the kernel its life. */
class Stopped extends Error {}

/** Installs, fetches, builds, boots and probes. */
export async function prepare(
  options: Pick<RunOptions, 'kernel' | 'release' | 'tree' | 'slow' | 'append' | 'accel' | 'timeout'>,
  events: Pick<RunEvents, 'note' | 'consoleFile'>,
  signal: AbortSignal,
): Promise<Prepared> {
  const log = (text: string): void => events.note(text);
  await ensureRequirements({ log });
  signal.throwIfAborted();
  const own =
    options.tree === undefined
      ? undefined
      : await kernelFromTree(options.tree, { log, logFile: options.tree.logFile, signal });
  const kernel =
    own !== undefined
      ? own.kernel
      : options.kernel === undefined
        ? await fetchKernel(options.release ?? DEFAULT_RELEASE, { log, fallback: options.release === undefined })
        : await kernelFromFile(options.kernel);
  if (kernel.note !== undefined) log(kernel.note);
  signal.throwIfAborted();
  const image = await buildImage({ log });
  signal.throwIfAborted();
  const accel = await chooseAccel(options.accel, { kernel, image, log, signal });
  const slow = own?.slow === true || options.slow === true ? SLOW_FACTOR : 1;
  const deadline = DEADLINE_MS * slow;
  const boot = {
    kernel,
    image,
    accel: accel.accel,
    append: options.append,
    bootDeadlineMs: options.timeout * 1000 * slow,
    ...(slow > 1 ? { memoryMiB: SLOW_MEMORY } : {}),
    signal,
  };
  const guests = new Guests({
    boot,
    patience: options.timeout * 1000 * slow,
    deadline,
    consoleFile: (n) => events.consoleFile(n),
  });
  const asker = new Asker(guests, await guests.open());
  const { release, machine, line } = asker.session.hello;
  if (line) log('this kernel has no virtio console built in: the guest is reached over a serial line, which is slower');
  try {
    const about = { release, machine, little_endian: true };
    const probed = await probeAbi(async (scenario) => {
      const answer = await asker.ask(scenario, waitsForProbe(scenario));
      if (answer === undefined) throw new Stopped();
      return answer;
    }, about).catch((error: unknown) => {
      if (!(error instanceof Stopped)) throw error;
      log(
        `Linux ${release} stopped while it was asked what it can do: this is the first case of the run, and Linux 7.0 the measure`,
      );
      return { ...ABI_7_0, ...about };
    });
    const { abi, oddities } = judgedAbi(probed);
    for (const oddity of oddities) log(`note: ${oddityText(oddity)}`);
    const odd = asker.fatal.length > 0 ? [] : oddities.filter(({ accepted }) => !accepted).map(abiCase);
    return { kernel, accel, guests, first: asker.session, abi, urgent: [...asker.fatal, ...odd], slow: slow > 1 };
  } catch (error) {
    await guests.closeAll();
    if (error instanceof SessionEnded)
      throw new Untestable(
        `Linux ${release} stopped while it was asked what it can do: ${error.end.detail}.\nEnd of its console:\n${consoleTail(error.end.console)}`,
        'This kernel cannot be tested as it is.',
      );
    if (error instanceof FeatureMissing)
      throw new Unsupported(
        `Linux ${release} cannot be tested: ${error.message}.`,
        'Use a kernel from 7.0 on with CONFIG_IO_URING, CONFIG_BPF and CONFIG_NET.',
      );
    throw error;
  }
}

/** While probing nothing can be predicted: every SQE is expected to answer, but for one that skips its CQE. */
function waitsForProbe(scenario: Scenario): number[] {
  return scenario.steps.map((step) => requestsOf(step).filter(({ flags = 0 }) => (flags & 0x40) === 0).length);
}
