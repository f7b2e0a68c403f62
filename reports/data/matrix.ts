/**
 * A matrix of kernels as plain data: what `matrix.json` holds, and what its table and page are made from. As in
 * result.ts, this is the one statement of its shape.
 * Wherever a row has `cells` or `values`, they stand in the order of `kernels`: oldest release first.
 */
import { RUN_VERDICTS } from '../../oracle/judge/verdict.ts';
import {
  always,
  amount,
  byName,
  count,
  flag,
  list,
  maybe,
  oneOf,
  opaque,
  orNull,
  record,
  text,
  word,
} from './schema.ts';
import type { Data } from './schema.ts';

/** Version of the format. */
export const MATRIX_VERSION = 1;

const kernel = record(
  {
    name: text('Heading of the column, unique; also its directory below the output directory'),
    requested: text('What the user typed: a release, a file or a source tree'),
    release: text('uname -r of the guest; what the file says where it did not boot; empty where nothing is known'),
    source: word(['pinned', 'file', 'tree'], 'Where it came from'),
    sha256: text('SHA-256 of the image that was booted, hex; empty where there was none'),
    state: word(
      ['conformant', 'divergent', 'untestable', 'interrupted', 'unsupported', 'unavailable', 'not-run'],
      'What became of it. unsupported: it lacks the feature, which is no failure; unavailable: it could not be had; ' +
        "not-run: the matrix ended before its turn; the others as a run's verdict",
    ),
    reason: maybe(text('Why, in one sentence; absent when conformant')),
    note: maybe(text('Something worth telling of the kernel itself')),
    scenarios: count('Scenarios executed and judged'),
    outcomes: count('Kernel answers compared with the rules'),
    known: count('Scenarios that answered exactly as known findings predict'),
    divergences: count('Distinct divergences; its result.json has them whole'),
    crashes: count('Distinct crashes'),
    hangs: count('Scenarios that did not end in time'),
    unconfirmed: count('Cases that failed in a batch and passed every time they were run alone'),
    result: maybe(text('Path of its result.json below the output directory; absent where it has none')),
    wall_s: amount('Seconds its scenarios took, boot included'),
  },
  'One kernel',
);

/** One column. */
export type MatrixKernel = Data<typeof kernel>;

/** What became of one kernel. */
export type KernelState = MatrixKernel['state'];

const abiRow = record(
  {
    field: text('Member of AbiProfile in oracle/uapi/abi.ts; pdu_size.CONNECT for one opcode'),
    values: list(orNull(text(), 'Value'), 'As people read it, by kernel; null where it was not probed'),
    differs: flag('Whether two kernels differ'),
    story: text('Where it changes; empty when it does not'),
  },
  'One member',
);

/** One member of the ABI profile, as probed: its story is "40 on 7.0.4..7.1.13, 56 from 7.2.6". */
export type AbiRow = Data<typeof abiRow>;

const suiteCell = record({
  scenarios: count('Executed and judged'),
  outcomes: count('Kernel answers compared'),
  known: count('Answers exactly as known findings predict'),
  divergence: count('Some other answer'),
  other: count('Crash, hang or runner error'),
});

/** Counts of one suite on one kernel. */
export type SuiteCell = Data<typeof suiteCell>;

const suiteRow = record(
  {
    suite: text('Name'),
    cells: list(
      orNull(suiteCell, 'Counts: scenarios, outcomes, known, divergence, other, as in result.json'),
      'By kernel; null where it did not run',
    ),
  },
  'One suite',
);

/** Counts of one suite, by kernel. */
export type SuiteRow = Data<typeof suiteRow>;

const ruleCell = record({
  state: word(
    ['kept', 'known', 'broken', 'unreached'],
    'kept: reached and kept; known: broken in the way of a known finding; broken: a divergence; ' +
      'unreached: no scenario came to it',
  ),
  hits: count('How often it decided or contributed'),
});

/** One rule on one kernel. */
export type RuleCell = Data<typeof ruleCell>;

/** What became of one rule on one kernel. */
export type RuleState = RuleCell['state'];

const ruleRow = record(
  {
    rule: text('Id'),
    statement: text('What it promises'),
    source: text('Where'),
    cells: list(
      orNull(ruleCell, 'state (kept, known: broken in the way of a known finding, broken, unreached) and hits'),
      'By kernel; null where it did not run',
    ),
    story: text('Where it begins, ends or changes; empty where it is kept wherever it was reached'),
  },
  'One rule',
);

/** One rule, by kernel: its story is "known finding on 7.0.4..7.1.7, gone from 7.1.8". */
export type RuleRow = Data<typeof ruleRow>;

const findingCell = record({
  state: word(
    ['shown', 'absent', 'other'],
    "What the finding's own case answered. shown: exactly as its model says; absent: as the rules say; other: neither",
  ),
  expected: flag("Whether the finding's own list of kernels says the same"),
  scenarios: count('Scenarios of the run that showed it'),
});

/** One finding on one kernel. */
export type FindingCell = Data<typeof findingCell>;

/** What the smallest scenario of a finding answered. */
export type FindingState = FindingCell['state'];

const findingRow = record(
  {
    id: text('Id, a file of suites/findings'),
    rule: text('The promise it breaks'),
    title: text('One line'),
    cells: list(
      orNull(
        findingCell,
        'state of its own case (shown, absent, other), expected (as its list of kernels says) and scenarios',
      ),
      'By kernel; null where it was not asked',
    ),
    story: text('Where it begins and ends'),
  },
  'One finding',
);

/** One finding, by kernel: its story is "on 7.0.4..7.1.7, gone from 7.1.8". */
export type FindingRow = Data<typeof findingRow>;

const findingId = text('Of the finding or expectation');
const causeRule = text('Rule that is broken, or that leaves the answer open');
const shownOn = word(['from', 'to'], 'Which of the two kernels shows it');

const cause = oneOf(
  [
    record({
      kind: always('finding', 'a known finding that only one of them shows'),
      id: findingId,
      rule: causeRule,
      shown_on: shownOn,
    }),
    record({
      kind: always('expected', 'an entry of --expect with a case of its own that only one meets'),
      id: findingId,
      rule: causeRule,
      shown_on: shownOn,
    }),
    record({
      kind: always('abi', 'a member of the ABI profile'),
      field: text('Member of the ABI profile'),
      from: text('Its value on the older kernel'),
      to: text('Its value on the newer kernel'),
    }),
    record({ kind: always('open', 'the rules leave the answer open and allow both'), rule: causeRule }),
    record({
      kind: always('unexplained', 'one answers as no model predicts'),
      detail: text('What was predicted and observed'),
    }),
  ],
  'One cause',
);

/** Why two kernels answer one scenario differently. */
export type Cause = Data<typeof cause>;

const example = record(
  {
    index: count('Number of the scenario in the matrix, from 0'),
    suite: text('Suite that drew it'),
    scenario: opaque<unknown>('In the form of oracle/scenario/schema.json#/$defs/scenario'),
    step: count('Step at which the cause shows, from 0'),
    answer_from: text('What the older kernel answered there, where it differs'),
    answer_to: text('What the newer one answered'),
    file: text('Case file below the output directory'),
  },
  'The smallest of them',
);

const change = record(
  {
    from: text('Name of the older kernel'),
    to: text('Name of the newer kernel'),
    causes: list(cause, 'All that are needed; never empty', { minItems: 1 }),
    scenarios: count('How many'),
    suites: byName(count(), 'How many by suite'),
    example,
  },
  'Scenarios that two kernels answer differently for the same causes',
);

/** Scenarios that two neighbouring kernels answer differently, for the same causes. */
export type Change = Data<typeof change>;

const pair = record(
  {
    from: text('Name of the older kernel'),
    to: text('Name of the newer kernel'),
    shared: count('Answered to the end by both'),
    same: count('Of these: the same answers'),
    varying: count(
      'Different at first, and not apart when both were asked again, or left open by the rules and different ' +
        'from one time to the next on one kernel',
    ),
    explained: count('Different each time, every cause known'),
    unexplained: count('Different each time, for no known cause'),
    unexamined: count('Different at first, and not asked again to the end'),
  },
  'One pair',
);

/** Two neighbouring kernels against each other, without the oracle; unit: scenarios. */
export type Pair = Data<typeof pair>;

const comparison = record(
  {
    pairs: list(pair, 'Each kernel and the next that has answers'),
    changes: list(change, 'Differences by cause; unexplained ones first'),
  },
  'Neighbouring kernels against each other, without the oracle; unit: scenarios',
);

/** Neighbouring kernels against each other. */
export type Comparison = Data<typeof comparison>;

/** The shape of matrix.json. */
export const MATRIX_SCHEMA = record(
  {
    version: always(MATRIX_VERSION, 'Version of this format'),
    verdict: word(
      RUN_VERDICTS,
      'divergent: a kernel diverges, crashes or hangs, or two differ for no known cause; untestable: a kernel could ' +
        'not be had or tested, or none has the feature; interrupted: stopped early, nothing bad so far; ' +
        'conformant: none of these',
    ),
    reason: maybe(text('Why, in one sentence; absent when conformant')),
    seed: count('Seed of the generators, u32'),
    cases: count('Scenarios given to each kernel'),
    suite_names: list(text('Name of a suite'), 'Suites, in the order in which they are drawn'),
    append: text('Extra kernel command line; empty for none'),
    command: text('Command line that repeats it'),
    kernels: list(kernel, 'The kernels, oldest release first'),
    abi: list(abiRow, 'The ABI profile as probed, a member in each row'),
    suites: list(suiteRow, 'Counts by suite'),
    rules: list(ruleRow, 'Every rule'),
    findings: list(findingRow, 'Every known finding'),
    comparison,
    versions: byName(text(), 'Versions of ringfence and of the tools it used, by name'),
    times: record(
      { started: text('Start, ISO 8601, UTC'), wall_s: amount('Wall time, seconds') },
      'Times: the only fields that differ between two matrices with one seed, but for wall_s of the kernels',
    ),
  },
  'Several kernels, the same scenarios. `cells` and `values` stand in the order of `kernels`.',
);

/** The result of a matrix. */
export type MatrixResult = Data<typeof MATRIX_SCHEMA>;
