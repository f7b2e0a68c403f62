/**
 * The result of a run as plain data: what `result.json` holds and every report is made from. This is the one statement
 * of its shape: the types, result.schema.json, the table in README.md and the check of a file that is read come from
 * it. 64-bit numbers are decimal or 0x strings; times are the only fields that differ between two runs with one seed.
 */
import { FAILURES, RUN_VERDICTS } from '../../oracle/judge/verdict.ts';
import type { RunVerdict } from '../../oracle/judge/verdict.ts';
import type { Story } from '../../oracle/explain/story-data.ts';
import { always, amount, anything, byName, count, flag, list, maybe, opaque, record, text, word } from './schema.ts';
import type { Data } from './schema.ts';

/** Version of the format. */
export const RESULT_VERSION = 1;

/** Verdict of a run or matrix. */
export type Verdict = RunVerdict;

const index = count(
  'Number of the scenario in the run, from 0; with the seed and the suites it names the case that was drawn',
);
const suite = text('Suite that drew the scenario');
const scenario = opaque<unknown>('Smallest scenario found, in the form of oracle/scenario/schema.json#/$defs/scenario');
const story = opaque<Story>(
  'The smallest scenario, its programs and what the rules say of it, as in oracle/explain/story-data.ts: ' +
    'what the pictures are made from',
);
const reproduced = text(
  'How often it showed when the case was run alone on a fresh guest, "3/3"; "not repeated" when it was not tried',
  { pattern: '^([0-9]+/[0-9]+|not repeated)$' },
);
const findingId = text('Id, a file of suites/findings');

const origin = record(
  {
    tree: text('Directory of the tree or of the build'),
    built: flag('True: ringfence built it; false: it was found built'),
    version: maybe(text('What the Makefile of the tree calls itself')),
    commit: maybe(text('Commit of the tree')),
    describe: maybe(text('git describe of the tree; -dirty: with changes that are not committed')),
    patches: list(
      record({ name: text('File name'), sha256: text('SHA-256 of the file, hex') }, 'One patch'),
      'Patches that were applied to a copy, in this order',
    ),
    config_sha256: maybe(text("SHA-256 of the kernel's .config, hex")),
    debug: flag('A kernel that checks itself (KASAN, lockdep); all deadlines were longer'),
  },
  'The source tree of a kernel that --linux named, and what was done to it',
);

const kernel = record(
  {
    release: text('uname -r of the guest'),
    machine: text('uname -m of the guest'),
    source: text('Where the kernel came from: "pinned 7.0.13" or the file given with --kernel'),
    sha256: text('SHA-256 of the kernel file, hex'),
    append: text('Extra kernel command line; empty for none'),
    note: maybe(text('Set when another kernel than the one asked for was used, or something of it should be told')),
    origin: maybe(origin),
  },
  'The kernel under test',
);

/** What was asked for. */
export const PLAN = record(
  {
    source: word(['drawn', 'files'], 'drawn: from the seed; files: cases that were given'),
    suites: list(text('Name of a suite'), 'Suites in the order in which they are drawn'),
    cases: count('Scenarios in all; 0: without end'),
  },
  'What was asked for, in all shards together',
);

/** One of several equal parts of a run. */
export const SHARD = record(
  {
    index: count('Which part, from 1', { minimum: 1 }),
    count: count('Into how many parts the run was cut', { minimum: 1 }),
  },
  'The part of the run that this is; absent for a whole run and for merged results',
);

/** One of `count` equal parts of a run; 1 is the first. */
export type Shard = Data<typeof SHARD>;

const policy = record(
  {
    strict: flag('An expectation that is expired, gone or reached by no case fails the run'),
    files: list(
      record(
        { file: text('As it was named on the command line'), sha256: text('SHA-256 of the file, hex') },
        'One file of --expect',
      ),
      'Expectation files; none: the built-in findings',
    ),
  },
  'Where known differences come from; absent when neither --expect nor --strict was given',
);

/** Where known differences come from. */
export type PolicyData = Data<typeof policy>;

const suiteCount = record(
  {
    scenarios: count('Executed and judged'),
    outcomes: count('Kernel answers compared'),
    pass: count('Every answer as predicted'),
    known: count('Answers exactly as known findings predict'),
    divergence: count('Some other answer'),
    other: count('Crash, hang or runner error'),
  },
  'Counts of one suite; unit: scenarios, but for outcomes',
);

/** Requests, and those that the rules leave open. */
const openCount = record(
  {
    requests: count('Requests of steps that ran'),
    open: count('Those of which more than one answer was right'),
    numbers: count('Those of which one was, but for a number that the kernel picks, such as a descriptor'),
  },
  'Requests of one suite',
);

/** Answers that the rules leave open. */
const openAnswers = record(
  {
    suites: byName(openCount, 'Requests by suite'),
    places: byName(
      count(),
      'How often each place left an answer open, of requests, calls and bytes, by id (npx ringfence rules --open)',
    ),
  },
  'Answers that the rules leave open',
);

/** Counts of one suite. */
export type SuiteCount = Data<typeof suiteCount>;

const divergence = record(
  {
    rule: text('Id of the rule that the prediction rests on'),
    suite,
    index,
    scenario,
    step: count('Step of the smallest scenario at which it differs, from 0'),
    what: text('What differs: return, cqe, memory, reached or steps'),
    predicted: text('What the rules say'),
    observed: text('What the kernel answered'),
    statement: text('Statement of the rule'),
    source: text('Citation of the rule'),
    reproduced,
    count: count('Scenarios of this run that differ in the same way', { minimum: 1 }),
    group: text(
      'What these scenarios have in common as they were drawn, as 16 hex digits: the same in all shards of a run',
    ),
    text: text('Full text for people: task tree, programs, and what the rules say step by step'),
    story: maybe(story),
  },
  'One kind of difference',
);

/** One kind of difference from the rules. */
export type Divergence = Data<typeof divergence>;

const crash = record(
  {
    suite,
    index,
    kind: text(
      'Kind: oops, bug, warning, panic, kasan ...; gone: it ended without a report; signal: a task was killed',
    ),
    title: text('First line of the report'),
    console: text("Guest's console around it"),
    scenario,
    story: maybe(story),
    reproduced,
  },
  'One crash',
);

/** A crash or warning of the kernel. */
export type Crash = Data<typeof crash>;

const hang = record(
  {
    suite,
    index,
    scenario,
    story: maybe(story),
    reproduced,
    detail: text('What was waited for, and how long; or where a task that cannot be killed stands'),
    console: maybe(text('What the kernel said of it: stacks of tasks that cannot be killed, or its report; if it did')),
  },
  'One hang',
);

/** A scenario that did not end in time. */
export type Hang = Data<typeof hang>;

const runnerError = record({ index, detail: text('What went wrong') }, 'One of them');

/** A scenario that could not be judged. */
export type RunnerError = Data<typeof runnerError>;

const unconfirmed = record(
  {
    suite,
    index,
    verdict: word(FAILURES, 'What it looked like in the batch'),
    rule: maybe(text('The rule that seemed broken; only for a divergence')),
    detail: text('What was predicted and observed, or what went wrong'),
    scenario: opaque<unknown>('The scenario as drawn, in the form of oracle/scenario/schema.json#/$defs/scenario'),
    reproduced,
  },
  'One of them',
);

/** A case that failed in a batch and passed each time it was run alone. It does not fail the verdict. */
export type Unconfirmed = Data<typeof unconfirmed>;

const known = record(
  {
    id: findingId,
    rule: text('The promise it breaks'),
    title: text('One line'),
    scenarios: count("Scenarios whose answers are exactly those of the finding's model"),
  },
  'One finding',
);

/** How often a known finding showed. */
export type KnownCount = Data<typeof known>;

const expectation = record(
  {
    id: text('Id of the entry'),
    rule: text('The promise that is expected to be broken'),
    finding: maybe(text("Built-in finding that says what is expected; absent: the entry's own case does")),
    kernels: text('Range of kernels for which it is expected'),
    reason: text('Why the gate accepts it'),
    link: text('Where it is tracked'),
    expires: text('Last day on which it is valid, UTC'),
    expired: flag('That day was over when the run started'),
    file: text('File that holds the entry'),
    state: word(
      ['met', 'unreached', 'gone', 'changed', 'out of range'],
      'met: it showed, in its own smallest case and in cases of the run; unreached: in its own case only; ' +
        'gone: its own case answers as the rules say; changed: its own case answers in a third way; ' +
        'out of range: not for this kernel',
    ),
    scenarios: count('Scenarios of the run that it explains'),
    problem: text('What is wrong with it, and what to do; empty when nothing is'),
  },
  'One expectation',
);

/** What became of one expectation. */
export type ExpectationResult = Data<typeof expectation>;

/** What became of one expectation, in a word. */
export type ExpectationState = ExpectationResult['state'];

const times = record(
  {
    started: text('Start of the run, ISO 8601, UTC'),
    wall_s: amount('Wall time, seconds'),
    boot_s: amount('From the start of QEMU to the first answer of a guest, seconds'),
    first_result_s: amount('From the start of the run to its first verdict, seconds'),
    outcomes_per_s: amount('Outcomes divided by wall time, 1/s'),
    guest_busy: amount('Share of wall time in which the guests executed scenarios, 0 to 1'),
    oracle_s: amount('Time the oracle took in all, seconds'),
    reboots: count('Guests that had to be booted again'),
  },
  'Times and rates: the only fields that differ between two runs with one seed',
);

/** Times and rates of a run. */
export type Times = Data<typeof times>;

const jit = record(
  {
    compiler: flag('The kernel has a compiler for BPF programs, and it was on but where a case says otherwise'),
    interpreter: flag('The compiler can be switched off; false: cases that ask for the interpreter were compiled'),
    harden: flag('Constants can be hidden (bpf_jit_harden); false: cases that ask for it ran without'),
    watched: count('Programs that were registered while the kernel told what it compiles'),
    compiled: count(
      'Those that were compiled. The compiler gave up on the others: they were interpreted, and the two ways to run ' +
        'them were not compared',
    ),
  },
  'How the kernel ran programs',
);

/** How the kernel ran programs. */
export type JitResult = Data<typeof jit>;

/** The shape of result.json. */
export const RESULT_SCHEMA = record(
  {
    version: always(RESULT_VERSION, 'Version of this format'),
    verdict: word(
      RUN_VERDICTS,
      'conformant: no unexplained difference; divergent: a divergence, crash or hang; ' +
        'untestable: nothing could be judged; interrupted: stopped early, nothing bad so far',
    ),
    reason: maybe(text('Why, in one sentence; absent when conformant')),
    seed: count('Seed of the generators, u32', { maximum: 0xffff_ffff }),
    command: text('Command line that repeats the run'),
    kernel,
    abi: byName(
      anything(),
      'ABI profile probed from the running kernel: the members of AbiProfile in oracle/uapi/abi.ts (sizes in bytes)',
    ),
    accel: record(
      { name: word(['kvm', 'tcg'], 'kvm or tcg'), reason: text('Why this one') },
      'Accelerator of the guests',
    ),
    jobs: count('Guests side by side', { minimum: 1 }),
    versions: byName(text(), 'Versions of ringfence and of the tools it used, by name'),
    plan: PLAN,
    shard: maybe(SHARD),
    policy: maybe(policy),
    digest: text(
      'Over every case: its number, suite, bytes, and what it answered, up to what the rules leave open. ' +
        'Equal digests: the two runs agree outcome for outcome. The digests of shards add up (modulo 2^256) ' +
        'to that of the whole run. The lines are in cases.txt',
      { pattern: '^[0-9a-f]{64}$' },
    ),
    scenarios: count('Scenarios executed and judged'),
    outcomes: count('Kernel answers compared: return values, CQEs, write-backs'),
    jit: maybe(jit),
    suites: byName(suiteCount, 'Counts by suite'),
    rules: byName(
      count(),
      'How often each rule decided or contributed, by id; rules that were never reached are listed with 0',
    ),
    unreachable: maybe(
      byName(
        text('Why'),
        'Rules that no case can come to on this kernel, by id; those whose reason begins with "not on this kernel" ' +
          'are of opcodes that it does not have',
      ),
    ),
    open: maybe(openAnswers),
    divergences: list(divergence, 'Differences from the rules, grouped: one entry per rule and shape'),
    crashes: list(crash, 'Kernel crashes and warnings'),
    hangs: list(hang, 'Scenarios that did not end in time'),
    runner_errors: list(runnerError, 'Scenarios that could not be judged'),
    unconfirmed: list(
      unconfirmed,
      'Cases that failed in a batch and passed every time they were run alone: counted as passed, and told, ' +
        'because a race may hide there',
    ),
    known: list(known, 'Known findings that showed, by id'),
    missing_findings: list(
      record({ id: findingId, reason: text('Why it should have shown') }, 'One finding'),
      'Findings that should show on this kernel and did not',
    ),
    expectations: list(expectation, 'What became of each expectation of --expect, in the order of the files'),
    times,
  },
  'Result of one run. Two runs with the same seed, options and kernel differ in `times` alone.',
);

/** The result of a run. */
export type RunResult = Data<typeof RESULT_SCHEMA>;
