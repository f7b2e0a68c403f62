/** Measures: outcomes per second per suite, how busy the guests are, the oracle alone, and steps against bare C loops. */
import { planCases } from '../run/plan.ts';
import { Campaign } from '../run/campaign.ts';
import { affects, KnownFindings, loadFindings } from '../known/findings.ts';
import { prepare } from '../run/run.ts';
import type { RunOptions } from '../run/run.ts';
import { predict } from '../../oracle/predict.ts';
import { encodeScenario } from '../../oracle/case/frame.ts';
import { requestsOf } from '../../oracle/steps/index.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import type { SuiteName } from '../../generators/suites.ts';
import { BENCHES } from '../../vm/protocol/frames.ts';
import { runAlone } from '../guests/guests.ts';
import type { Session } from '../guests/session.ts';

export interface SuiteBench {
  readonly suite: SuiteName;
  readonly scenarios: number;
  readonly outcomes_per_s: number;
  readonly guest_busy: number;
  /** Oracle's rate over the guests' rate, in outcomes. */
  readonly oracle_ratio: number;
  /** Milliseconds of host time per scenario: drawing, predicting, encoding. */
  readonly draw_ms: number;
  readonly predict_ms: number;
  readonly encode_ms: number;
}

export interface StepBench {
  readonly step: string;
  /** Microseconds per iteration of the bare C loop, and of the same step inside a scenario. */
  readonly bare_us: number;
  readonly scenario_us: number;
}

const LOOPS: readonly (readonly [name: (typeof BENCHES)[number], iterations: number])[] = [
  ['ring', 200],
  ['fork', 60],
  ['vfork', 200],
  ['register', 500],
  ['refuse', 500],
  ['nop', 3000],
  ['nop64', 100],
];

/** How often a step stands in the longer scenario: rings and tasks have 16 numbers, cheap steps need many to be seen. */
const MOST: Partial<Record<(typeof BENCHES)[number], number>> = { register: 60, refuse: 200, nop: 1000, nop64: 100 };

/** Runs `cases` scenarios of each suite and reports. */
export async function bench(
  options: Pick<RunOptions, 'kernel' | 'release' | 'append' | 'accel' | 'timeout' | 'jobs' | 'seed' | 'suites'>,
  cases: number,
  report: { suite(row: SuiteBench): void; step(row: StepBench): void; note(text: string): void },
): Promise<void> {
  const prepared = await prepare(
    options,
    { note: (text) => report.note(text), consoleFile: () => undefined },
    new AbortController().signal,
  );
  const { guests, abi } = prepared;
  let session: Session | undefined = prepared.first;
  try {
    for (const row of await steps(session)) report.step(row);
    const extra: Session[] = [];
    for (let i = 1; i < options.jobs; i++) extra.push(await guests.open());
    await session.close();
    session = undefined;
    for (const other of extra) await other.close();
    // Without its known findings the kernel would be waited for in vain.
    const known = new KnownFindings(
      loadFindings().filter((finding) => affects(finding, abi.release)),
      abi,
    );
    for (const suite of options.suites) {
      const t0 = performance.now();
      const drawn = [...planCases([suite], abi, options.seed, cases)];
      const t1 = performance.now();
      const predictions = drawn.map(({ scenario }) => predict(scenario, abi));
      const t2 = performance.now();
      for (const { index, scenario } of drawn) encodeScenario(scenario, { id: index, deadline_ms: 1000, waits: [] });
      const t3 = performance.now();
      void predictions;
      const sessions = await Promise.all(Array.from({ length: options.jobs }, () => guests.open()));
      const started = performance.now();
      const campaign = new Campaign({
        guests,
        abi,
        cases: drawn[Symbol.iterator](),
        total: drawn.length,
        jobs: options.jobs,
        known,
        sessions,
        started,
        signal: new AbortController().signal,
      });
      const tally = await campaign.run();
      const seconds = (performance.now() - started) / 1000;
      report.suite({
        suite,
        scenarios: tally.scenarios,
        outcomes_per_s: Math.round(tally.outcomes / seconds),
        guest_busy: tally.exec_ns / 1e9 / (seconds * options.jobs),
        oracle_ratio: tally.outcomes / ((t2 - t1) / 1000) / (tally.outcomes / seconds),
        draw_ms: (t1 - t0) / drawn.length,
        predict_ms: (t2 - t1) / drawn.length,
        encode_ms: (t3 - t2) / drawn.length,
      });
    }
  } finally {
    await guests.closeAll();
  }
}

/** Each step as a bare C loop, and as part of a scenario (difference of a scenario with many and with one). */
async function steps(session: Session): Promise<StepBench[]> {
  const nop = (count: number): Step => ({
    task: 0,
    do: 'submit',
    ring: 0,
    sqes: Array.from({ length: count }, (_, i) => ({ opcode: 0, user_data: BigInt(i) })),
  });
  const ring: Step = { task: 0, do: 'ring', ring: 0, entries: 64, flags: 0 };
  const register = (k: number): Step => ({
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
      program: [{ code: k, jt: 0, jf: 0, k: 1 }],
      placement: 'normal',
      program_placement: 'normal',
    },
  });
  const many = (step: Step, count: number): Step[] => Array.from({ length: count }, () => step);
  const forms: Record<(typeof BENCHES)[number], (count: number) => Step[]> = {
    ring: (count) =>
      Array.from(
        { length: Math.min(count, 15) },
        (_, i): Step => ({ task: 0, do: 'ring', ring: i + 1, entries: 8, flags: 0 }),
      ),
    fork: (count) =>
      Array.from({ length: Math.min(count, 15) }, (_, i): Step[] => [
        { task: 0, do: 'spawn', how: 'fork', child: i + 1 },
        { task: i + 1, do: 'exit' },
      ]).flat(),
    vfork: (count) =>
      Array.from({ length: Math.min(count, 15) }, (_, i): Step[] => [
        { task: 0, do: 'spawn', how: 'vfork', child: i + 1 },
        { task: i + 1, do: 'exit' },
      ]).flat(),
    register: (count) => many(register(0x06), count),
    refuse: (count) => many(register(0xff), count),
    nop: (count) => many(nop(1), count),
    nop64: (count) => many(nop(64), count),
  };
  const out: StepBench[] = [];
  for (const [name, iterations] of LOOPS) {
    const { ns } = await session.bench(BENCHES.indexOf(name), iterations);
    const time = async (count: number): Promise<number> => {
      let best = Infinity;
      const scenario: Scenario = { version: 1, fixtures: [], jit: true, steps: [ring, ...forms[name](count)] };
      const waits = scenario.steps.map((step) => requestsOf(step).length);
      for (let i = 0; i < 9; i++) best = Math.min(best, (await runAlone(session, scenario, waits, 20_000)).exec_ns);
      return best;
    };
    const few = await time(1);
    const most = MOST[name] ?? 15;
    const lots = await time(most);
    out.push({ step: name, bare_us: ns / iterations / 1000, scenario_us: (lots - few) / (most - 1) / 1000 });
  }
  return out;
}
