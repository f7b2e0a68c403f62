/**
 * Which lines and branches of a kernel's sources the cases came to, as plain data: what `coverage.json` holds, and what
 * its tables, its page and lcov's file are made from. As in result.ts, this is the one statement of its shape. It has
 * numbers and names of the sources, none of their text.
 */
import { always, amount, count, flag, list, orNull, record, text, word } from './schema.ts';
import type { Data } from './schema.ts';

const COVERAGE_VERSION = 1;

/** Why no case comes to a branch. */
export const REASON_KINDS = [
  'allocation',
  'impossible',
  'race',
  'configuration',
  'compiler',
  'assertion',
  'caller',
  'out-of-scope',
] as const;

const KIND = word(
  [...REASON_KINDS],
  'allocation: only when an allocation fails; impossible: by construction; race: only while another processor does ' +
    'something; configuration: another configuration, architecture or security module; compiler: a branch of its own ' +
    '(macros for constants, hardening); assertion: only in a kernel with a fault; caller: for another user of the ' +
    'function; out-of-scope: what a scenario cannot say, and the feature does not need',
);

const line = record(
  {
    line: count('Number, from 1', { minimum: 1 }),
    count: count('Times that it was executed'),
    branches: list(count('Times'), 'Times that each branch on it was taken, in the order of the compiler'),
  },
  'A line with code',
);

const share = {
  lines: count('Lines with code'),
  lines_reached: count('Of these: executed'),
  branches: count('Branches'),
  branches_reached: count('Of these: taken'),
  reasoned: count('Branches that were not taken, with a reason'),
};

const covered = record(
  {
    name: text('Name, as the compiler has it'),
    from: count('First line', { minimum: 1 }),
    to: count('Last line', { minimum: 1 }),
    count: count('Times that it was called'),
    feature: flag('One of those that suites/coverage/feature.json names'),
    ...share,
  },
  'One function',
);

/** One function. */
export type CoveredFunction = Data<typeof covered>;

const file = record(
  {
    path: text('Path in the tree'),
    functions: list(covered, 'By their place in the file'),
    counts: list(line, 'By their numbers'),
  },
  'One source file',
);

/** One source file. */
export type CoveredFile = Data<typeof file>;

const unreached = record(
  {
    file: text('Source file'),
    function: text('Function'),
    line: count('Line', { minimum: 1 }),
    key: text('What the line goes by in files of reasons: a digest of its text, #N behind the N-th of several equal'),
    branch: count('Which branch on the line, from 0'),
    kind: orNull(KIND, 'What kind of reason there is; null for none'),
    why: text('The reason; empty where there is none'),
  },
  "A branch of the feature's functions that no case came to",
);

/** A branch of the feature's functions that no case came to. */
export type UnreachedBranch = Data<typeof unreached>;

const problem = record(
  {
    problem: word(
      ['reached', 'gone'],
      'reached: the branch has a reason why no case comes to it, and cases came; gone: the reason is for a ' +
        'branch, or feature.json names a function, that this kernel does not have',
    ),
    file: text('Source file'),
    function: text('Function'),
    key: text('The line, as in the file of reasons; empty for a function'),
    branch: orNull(count('Which, from 0'), 'The branch; null for a line or function that is gone'),
    line: orNull(count('Number'), 'Line; null where it is gone'),
    times: count('Times that it was taken'),
    why: text('The reason that was given'),
  },
  'A reason that is not right',
);

/** A reason that is not right. */
export type ReasonProblem = Data<typeof problem>;

const total = record(
  { functions: count('Functions'), called: count('Of these: called'), ...share, unexplained: count('The rest') },
  "All of the feature's functions together",
);

/** Shape of `coverage.json`. */
export const COVERAGE_SCHEMA = record({
  version: always(COVERAGE_VERSION, 'Version of the format'),
  linux: text('The tree, as the user named it'),
  release: text('uname -r of its kernel'),
  compiler: text('What it was built with, such as gcc 12.2.0'),
  seed: count('Seed of the cases'),
  cases: count('Cases that were answered'),
  suites: list(text('Name of a suite'), 'Suites of the cases'),
  command: text('Command line that repeats it'),
  verdict: word(['divergent', 'interrupted', 'untestable', 'conformant'], 'Of the run, as in result.json'),
  guests: count('Guests whose counters were read'),
  lost: count('Guests that ended before they were read to the end: what they did in their last seconds is missing'),
  files: list(file, 'By path'),
  total,
  unreached: list(unreached, 'By place'),
  problems: list(problem, 'By place'),
  complete: flag('Whether each branch was reached or has a reason, and each reason is right'),
  versions: record({ ringfence: text('Of the program'), qemu: text('Of QEMU'), gcov: text('Of gcov') }, 'Versions'),
  times: record({ started: text('ISO 8601'), wall_s: amount('Seconds') }, 'When'),
});

/** Which lines and branches the cases came to. */
export type CoverageResult = Data<typeof COVERAGE_SCHEMA>;
