/**
 * Measures: outcomes per second per suite, how busy the guests are, the oracle alone, and steps against bare C loops.
 */
import { planCases } from '../run/plan.ts';
import { Campaign } from '../run/campaign.ts';
import { affects, loadFindings } from '../known/findings.ts';
import { KnownFindings } from '../known/predictions.ts';
import { prepare } from '../run/prepare.ts';
import type { KernelOptions, RunOptions } from '../run/options.ts';
import { predict } from '../../oracle/predict.ts';
import { encodeScenario } from '../../oracle/case/frame.ts';
import { requestsOf } from '../../oracle/steps/index.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import type { SuiteName } from '../../generators/suites.ts';
import { BENCHES } from '../../vm/protocol/frames.ts';
import { runAlone } from '../guests/guests.ts';
import type { Guests } from '../guests/guests.ts';
import type { Session } from '../guests/session.ts';

/** One suite on the kernel, and its scenarios on the host. */
export interface SuiteBench {
  readonly suite: SuiteName;
  readonly scenarios: number;
  readonly outcomes_per_s: number;
  /** Share of wall time in which the guests executed scenarios, 0..1. */
  readonly guest_busy: number;
  /** Oracle's rate over the guests' rate, in outcomes. */
  readonly oracle_ratio: number;
  /** Milliseconds of host time per scenario: drawing, predicting, encoding. */
  readonly draw_ms: number;
  readonly predict_ms: number;
  readonly encode_ms: number;
}

/** One step inside a scenario against the bare C loop. */
export interface StepBench {
  readonly step: string;
  /** Microseconds per iteration of the bare C loop, and of the same step inside a scenario. */
  readonly bare_us: number;
  readonly scenario_us: number;
}

/** Whom a bench tells. */
export interface BenchReport {
  suite(row: SuiteBench): void;
  step(row: StepBench): void;
  note(text: string): void;
}

/** Which kernel and what of it. */
export interface BenchOptions extends KernelOptions, Pick<RunOptions, 'jobs' | 'seed' | 'suites'> {
  /** Scenarios of each suite. */
  readonly cases: number;
}

/** Runs scenarios of each suite and reports. @throws RingfenceError what keeps the kernel from being tested */
export async function bench(options: BenchOptions, report: BenchReport): Promise<void> {
  const { guests, abi, first } = await prepare(
    options,
    { note: (text) => report.note(text), consoleFile: () => undefined },
    new AbortController().signal,
  );
  try {
    for (const loop of LOOPS) report.step(await benchStep(first, loop));
    await first.close();
    // Without its known findings the kernel would be waited for in vain.
    const known = new KnownFindings(
      loadFindings().filter((finding) => affects(finding, abi.release)),
      abi,
    );
    for (const suite of options.suites) report.suite(await benchSuite(suite, options, guests, known));
  } finally {
    await guests.closeAll();
  }
}

async function benchSuite(
  suite: SuiteName,
  { cases, seed, jobs }: BenchOptions,
  guests: Guests,
  known: KnownFindings,
): Promise<SuiteBench> {
  const timed = <T>(work: () => T): readonly [result: T, ms: number] => {
    const before = performance.now();
    return [work(), performance.now() - before];
  };
  const [drawn, drawMs] = timed(() => [...planCases([suite], known.abi, seed, cases)]);
  const [, predictMs] = timed(() => drawn.map(({ scenario }) => predict(scenario, known.abi)));
  const [, encodeMs] = timed(() => {
    for (const { index, scenario } of drawn) encodeScenario(scenario, { id: index, deadline_ms: 1000, waits: [] });
  });
  const sessions = await Promise.all(Array.from({ length: jobs }, () => guests.open()));
  const started = performance.now();
  const campaign = new Campaign({
    guests,
    cases: drawn[Symbol.iterator](),
    total: drawn.length,
    jobs,
    known,
    sessions,
    started,
    signal: new AbortController().signal,
  });
  const { scenarios, outcomes, execNs } = await campaign.run();
  const seconds = (performance.now() - started) / 1000;
  return {
    suite,
    scenarios,
    outcomes_per_s: Math.round(outcomes / seconds),
    guest_busy: execNs / 1e9 / (seconds * jobs),
    oracle_ratio: seconds / (predictMs / 1000),
    draw_ms: drawMs / drawn.length,
    predict_ms: predictMs / drawn.length,
    encode_ms: encodeMs / drawn.length,
  };
}

/** One of the runner's loops in C. */
interface Loop {
  readonly name: (typeof BENCHES)[number];
  readonly iterations: number;
  /** The same work as steps of a scenario. */
  readonly steps: (count: number) => readonly Step[];
  /** How often it stands in the longer scenario: rings and tasks have 16 numbers, cheap steps need many to be seen. */
  readonly most: number;
}

const RING: Step = { task: 0, do: 'ring', ring: 0, entries: 64, flags: 0 };

const times =
  (step: Step) =>
  (count: number): readonly Step[] =>
    Array.from({ length: count }, () => step);

const each =
  (steps: (child: number) => readonly Step[]) =>
  (count: number): readonly Step[] =>
    Array.from({ length: count }, (_, i) => steps(i + 1)).flat();

const made = (how: 'fork' | 'vfork'): Loop['steps'] =>
  each((child) => [
    { task: 0, do: 'spawn', how, child },
    { task: child, do: 'exit' },
  ]);

function nops(count: number): Step {
  return {
    task: 0,
    do: 'submit',
    ring: 0,
    sqes: Array.from({ length: count }, (_, i) => ({ opcode: 0, user_data: BigInt(i) })),
  };
}

/** @param code of its one instruction */
function registration(code: number): Step {
  return {
    task: 0,
    do: 'register_bpf_filter',
    on: { kind: 'ring', ring: 0 },
    nr_args: 1,
    arg: {
      cmd_type: 1,
      cmd_flags: 0,
      resv: 0,
      opcode: 1,
      flags: 0,
      filter_len: 1,
      pdu_size: 0,
      resv_filter: [0, 0, 0],
      resv2: [0n, 0n, 0n, 0n, 0n],
      program: [{ code, jt: 0, jf: 0, k: 1 }],
      placement: 'normal',
      program_placement: 'normal',
    },
  };
}

const LOOPS: readonly Loop[] = [
  {
    name: 'ring',
    iterations: 200,
    steps: each((ring) => [{ task: 0, do: 'ring', ring, entries: 8, flags: 0 }]),
    most: 15,
  },
  { name: 'fork', iterations: 60, steps: made('fork'), most: 15 },
  { name: 'vfork', iterations: 200, steps: made('vfork'), most: 15 },
  // BPF_RET|BPF_K, and no instruction at all.
  { name: 'register', iterations: 500, steps: times(registration(0x06)), most: 60 },
  { name: 'refuse', iterations: 500, steps: times(registration(0xff)), most: 200 },
  { name: 'nop', iterations: 3000, steps: times(nops(1)), most: 1000 },
  { name: 'nop64', iterations: 100, steps: times(nops(64)), most: 100 },
];

/** Scenarios are run so often; the fastest counts. */
const BEST_OF = 9;

/** A step as a bare C loop, and as part of a scenario (difference of a scenario with many and with one). */
async function benchStep(session: Session, { name, iterations, steps, most }: Loop): Promise<StepBench> {
  const { ns } = await session.bench(BENCHES.indexOf(name), iterations);
  const time = async (count: number): Promise<number> => {
    let best = Infinity;
    const scenario: Scenario = { version: 1, fixtures: [], jit: true, steps: [RING, ...steps(count)] };
    const waits = scenario.steps.map((step) => requestsOf(step).length);
    for (let i = 0; i < BEST_OF; i++) best = Math.min(best, (await runAlone(session, scenario, waits, 20_000)).exec_ns);
    return best;
  };
  const few = await time(1);
  const lots = await time(most);
  return { step: name, bare_us: ns / iterations / 1000, scenario_us: (lots - few) / (most - 1) / 1000 };
}
