/**
 * What the generators draw, in numbers. `node_modules/.bin/node generators/measure.ts [cases]` prints the tables of
 * DISTRIBUTION.md; the test beside that file checks them.
 */
import { Open } from '../oracle/open-answer.ts';
import { OpenTally } from '../oracle/judge/open-tally.ts';
import { ABI_7_0, documentedAbi } from '../oracle/probe/abi-documented.ts';
import { Spread, spreadTable } from './spread.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { instructionOf } from '../oracle/bpf/instructions.ts';
import { validate } from '../oracle/bpf/validate.ts';
import { opSpec } from '../oracle/opcodes/index.ts';
import { predict } from '../oracle/predict.ts';
import type { Program } from '../oracle/bpf/program.ts';
import type { PredictedStep } from '../oracle/scenario/prediction.ts';
import type { Sqe } from '../oracle/scenario/types.ts';
import { filterOf, madeBy, requestsOf } from '../oracle/steps/index.ts';
import type { Scenario, Step } from '../oracle/steps/index.ts';
import { RefusalTally } from './pairs/refusals.ts';
import { pairTable, refusalTable } from './pairs/table.ts';
import { PairTally } from './pairs/tally.ts';
import { scenarioAt } from './scenarios.ts';
import { SUITE_NAMES } from './suites.ts';
import type { SuiteName } from './suites.ts';
import { OPENING, turns } from './turns.ts';

/** Counts by name. */
class Tally {
  readonly counts = new Map<string, number>();
  total = 0;
  add(name: string, by = 1): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + by);
    this.total += by;
  }
  get(name: string): number {
    return this.counts.get(name) ?? 0;
  }
}

/** Everything that is measured over a number of scenarios. */
export class Measure {
  scenarios = 0;
  steps = 0;
  rings = 0;
  tasks = 0;
  requests = 0;
  /** Kernel answers that the oracle judges: return values and CQEs. */
  outcomes = 0;
  /** Requests, and those judged by an open answer. */
  readonly open = new OpenTally();
  registrations = 0;
  accepted = 0;
  programs = 0;
  valid = 0;
  allowed = 0;
  denied = 0;
  /** Scenarios by deepest stack on one opcode: 0, 1, 2-4, 5-16, 17-64, 65-511, 512-4095, over 4095. */
  readonly depth = new Tally();
  /** Programs by length: 1, 2-8, 9-40, 41-400, 401-4095, 4096. */
  readonly length = new Tally();
  readonly opcodes = new Tally();
  readonly forms = new Set<string>();
  /** Accepted instructions that stand in valid programs, by `mnemonic code`. */
  readonly instructions = new Tally();
  /** Why programs are refused. */
  readonly refusals = new Tally();
  readonly spawns = new Tally();
  readonly stepsByKind = new Tally();
  readonly setup_flags = new Tally();
  /** Rules that decided or contributed, with how often. */
  readonly rules = new Map<string, number>();

  /** Takes one scenario into account. */
  add(scenario: Scenario, abi: AbiProfile): void {
    this.scenarios++;
    const depth = new Map<string, number>();
    const prediction = predict(scenario, abi);
    for (const [rule, hits] of prediction.hits) this.#rule(rule, hits);
    this.allowed += prediction.hits.get('filter.allow') ?? 0;
    // Counted once per denied request.
    this.denied += prediction.hits.get('filter.no-effect') ?? 0;
    this.open.add(scenario, prediction);
    scenario.steps.forEach((step, index) => {
      const answer = prediction.steps[index]!;
      this.steps++;
      this.#step(step, abi);
      this.#answer(answer);
      const filter = filterOf(step);
      if (filter === undefined) return;
      this.registrations++;
      if (Open.is(answer.returns) || answer.returns[0] !== 0) return;
      this.accepted++;
      const key = `${placeOf(step)} ${filter.opcode}`;
      depth.set(key, (depth.get(key) ?? 0) + timesOf(step));
    });
    this.depth.add(bucket(Math.max(0, ...depth.values()), [0, 1, 4, 16, 64, 511, 4095]));
  }

  #answer({ returns, rule, cqes }: PredictedStep): void {
    if (!Open.is(returns)) this.outcomes += returns.length;
    this.#rule(rule);
    if (Open.is(cqes)) return;
    this.outcomes += cqes.length;
    for (const cqe of cqes) this.#rule(cqe.rule);
  }

  #rule(rule: string, hits = 1): void {
    this.rules.set(rule, (this.rules.get(rule) ?? 0) + hits);
  }

  #step(step: Step, abi: AbiProfile): void {
    this.stepsByKind.add(step.do);
    const { ring, task, how = '' } = madeBy(step);
    if (ring !== undefined) this.rings++;
    if (step.do === 'ring')
      for (let bit = 0; bit < 32; bit++) if ((step.flags >>> bit) & 1) this.setup_flags.add(String(bit));
    if (task !== undefined) {
      this.tasks++;
      this.spawns.add(how);
    }
    for (const sqe of requestsOf(step)) this.#request(sqe);
    const filter = filterOf(step);
    if (filter !== undefined) this.#program(filter.program, abi);
  }

  #program(program: Program, abi: AbiProfile): void {
    this.programs++;
    this.length.add(bucket(program.length, [1, 8, 40, 400, 4095, 4096]));
    const verdict = validate(program, abi);
    if (verdict.verdict === 'rejected') {
      this.refusals.add(verdict.rule);
      return;
    }
    this.valid++;
    for (const { code } of program) {
      const row = instructionOf(code);
      if (row !== undefined) this.instructions.add(`${row.mnemonic} ${row.operand}`);
    }
  }

  #request(sqe: Sqe): void {
    this.requests++;
    this.opcodes.add(String(sqe.opcode));
    const form = opSpec(sqe.opcode)?.forms.find((known) =>
      FORM_FIELDS.every((field) => known.sqe[field] === sqe[field]),
    );
    if (form !== undefined) this.forms.add(`${sqe.opcode} ${form.name}`);
  }
}

/** The fields that make a request one of the ready-made ones. */
const FORM_FIELDS = [
  'fd',
  'off',
  'addr',
  'len',
  'op_flags',
  'file_index',
  'buf_index',
  'addr3',
  'ioprio',
] as const satisfies readonly (keyof Sqe)[];

/** How many filters a step registers, if it does. */
function timesOf(step: Step): number {
  return 'times' in step ? (step.times ?? 1) : 1;
}

/** What a registration binds: a ring, or what the task makes from now on. */
function placeOf(step: Step): string {
  const on = 'on' in step ? step.on : undefined;
  return `${on?.kind} ${on?.kind === 'ring' ? on.ring : step.task}`;
}

/** Name of the range of `bounds` a value falls in: "2-4" and so on. */
function bucket(value: number, bounds: readonly number[]): string {
  let low = 0;
  for (const high of bounds) {
    if (value <= high) return low >= high ? String(high) : `${low}-${high}`;
    low = high + 1;
  }
  return `over ${bounds[bounds.length - 1]}`;
}

/** Measures the first `count` scenarios of a suite. */
export function measureSuite(suite: SuiteName, count: number, seed: number, abi: AbiProfile = ABI_7_0): Measure {
  const measure = new Measure();
  for (let n = 0; n < count; n++) measure.add(scenarioAt(suite, abi, seed, n), abi);
  return measure;
}

const share = (part: number, whole: number): string => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(0)} %`);
const mean = (sum: number, count: number): string => (sum / count).toFixed(1);

function print(cases: number): void {
  const row = (...cells: (string | number)[]): string => `| ${cells.join(' | ')} |`;
  const lines = [
    row(
      'suite',
      'steps',
      'rings',
      'children',
      'requests',
      'outcomes',
      'judged exactly',
      'programs valid',
      'registrations taken',
      'requests denied by filters',
    ),
    row(...new Array<string>(10).fill('---')),
  ];
  const all = new Measure();
  for (const suite of SUITE_NAMES) {
    const m = measureSuite(suite, cases, 1);
    lines.push(
      row(
        suite,
        mean(m.steps, m.scenarios),
        mean(m.rings, m.scenarios),
        mean(m.tasks, m.scenarios),
        mean(m.requests, m.scenarios),
        mean(m.outcomes, m.scenarios),
        `${((100 * (m.open.requests - m.open.open)) / m.open.requests).toFixed(2)} %`,
        share(m.valid, m.programs),
        share(m.accepted, m.registrations),
        share(m.denied, m.allowed + m.denied),
      ),
    );
    for (let n = 0; n < cases; n++) all.add(scenarioAt(suite, ABI_7_0, 2, n), ABI_7_0);
  }
  const table = (title: string, tally: Tally): void => {
    lines.push('', title, '');
    for (const [name, count] of [...tally.counts].sort((a, b) => b[1] - a[1]))
      lines.push(`${name.padEnd(36)} ${((100 * count) / tally.total).toFixed(2).padStart(6)} %`);
  };
  table('deepest stack of a scenario', all.depth);
  table('length of programs', all.length);
  table('why programs are refused', all.refusals);
  table('instructions of valid programs', all.instructions);
  table('children', all.spawns);
  table('steps', all.stepsByKind);
  table('opcodes', all.opcodes);
  lines.push('', `forms of requests seen: ${all.forms.size}`, '', ...planned());
  console.log(lines.join('\n'));
}

/** The kernel whose filters see most. */
const SEES_ALL = documentedAbi('7.3');

/** What the first cases of a run, those of --quick, have of pairs and refusals. */
function planned(): string[] {
  const pairs = new PairTally();
  const refusals = new RefusalTally();
  const spread = new Spread();
  const drawn = new Map<SuiteName, number>();
  for (const suite of turns(SUITE_NAMES)) {
    const n = drawn.get(suite) ?? 0;
    drawn.set(suite, n + 1);
    const scenario = scenarioAt(suite, ABI_7_0, 1, n);
    const prediction = predict(scenario, ABI_7_0);
    pairs.add(scenario, ABI_7_0, prediction);
    spread.add(scenario, SEES_ALL);
    refusals.add(scenario, ABI_7_0, prediction);
    if ([...drawn.values()].reduce((sum, count) => sum + count, 0) === OPENING) break;
  }
  return [
    `pairs in the first ${OPENING} cases`,
    '',
    ...pairTable(pairs),
    '',
    `not drawn: ${pairs
      .missing()
      .map((pair) => pair.join(' with '))
      .join('; ')}`,
    '',
    `refusals in the first ${OPENING} cases`,
    '',
    ...refusalTable(refusals),
    '',
    `bits that were 0 and 1 in the first ${OPENING} cases`,
    '',
    ...spreadTable(spread),
  ];
}

if (import.meta.main) print(Number(process.argv[2] ?? 1000));
