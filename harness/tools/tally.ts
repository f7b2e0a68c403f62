/**
 * Reads the JSON summary that vitest wrote and prints the last lines of .ci/run: each skipped test and why, then
 * `N passed, N failed`, with `, N skipped` behind it where some were.
 */
import { readFileSync } from 'node:fs';

/** What is read of vitest's summary. */
export interface TestSummary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** What came of a run of .ci/run. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** One line per skipped test, with the reason. */
  readonly lines: readonly string[];
}

/** A step besides the tests: its exit code, or why it was skipped. */
export interface Step {
  readonly name: string;
  readonly outcome: string;
}

const passed = ({ outcome }: Step): boolean => outcome === '0';
const ran = ({ outcome }: Step): boolean => /^\d+$/.test(outcome);

/** What oracle/testing/needs.ts puts behind the name of a test that may be skipped. */
const REASON = /\s*\[(needs [^\]]*)\]/;

/**
 * Counts what passed, failed and was skipped. A test file that could not be loaded has no tests in it and counts as one
 * failure, as does each other step that failed, and each test that is skipped without a reason.
 */
export function tally(summary: TestSummary | undefined, steps: readonly Step[]): Tally {
  const good = steps.filter(passed).length;
  const spared = steps.filter((step) => !ran(step));
  const bad = steps.length - good - spared.length;
  const told = spared.map(({ name, outcome }) => `skipped: ${name}: ${outcome}`);
  if (summary === undefined) return { passed: good, failed: bad + 1, skipped: spared.length, lines: told };
  const { testResults, numPassedTests, numFailedTests } = summary;
  const unloaded = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
  const left = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed'),
  );
  const silent = left.filter(({ fullName }) => !REASON.test(fullName)).length;
  return {
    passed: numPassedTests + good,
    failed: numFailedTests + unloaded + bad + silent,
    skipped: left.length - silent + spared.length,
    lines: [...told, ...left.map(({ fullName }) => skippedLine(fullName))],
  };
}

function skippedLine(fullName: string): string {
  const reason = REASON.exec(fullName)?.[1] ?? 'no reason given, which counts as a failure';
  return `skipped: ${fullName.replace(REASON, '')}: ${reason}`;
}

function read(path: string): TestSummary | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TestSummary;
  } catch {
    process.stderr.write(`${path} was not written: the tests did not run to their end\n`);
    return undefined;
  }
}

if (import.meta.main) {
  // tests.json, then each other step as "name=exit code" or "name=why it was skipped".
  const [path = '', ...rest] = process.argv.slice(2);
  const all = tally(
    read(path),
    rest.map((step) => ({ name: step.replace(/=.*/, ''), outcome: step.replace(/^[^=]*=/, '') })),
  );
  for (const line of all.lines) console.log(line);
  const { skipped } = all;
  console.log(`${all.passed} passed, ${all.failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
  process.exitCode = all.failed === 0 ? 0 : 1;
}
