/** Reads the JSON summary that vitest wrote and prints the last line of .ci/run: `N passed, N failed`. */
import { readFileSync } from 'node:fs';

interface Summary {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/**
 * Counts what passed and failed. A test file that could not be loaded has no tests in it and counts as one failure,
 * as does each step besides the tests that failed.
 * @param others `true` for each other step that passed
 */
export function tally(
  summary: Summary | undefined,
  others: readonly boolean[],
): { readonly passed: number; readonly failed: number } {
  const good = others.filter(Boolean).length;
  const bad = others.length - good;
  if (summary === undefined) return { passed: good, failed: bad + 1 };
  const unloaded = summary.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  ).length;
  return { passed: summary.numPassedTests + good, failed: summary.numFailedTests + unloaded + bad };
}

if (import.meta.main) {
  const [path = '', ...codes] = process.argv.slice(2);
  let summary: Summary | undefined;
  try {
    summary = JSON.parse(readFileSync(path, 'utf8')) as Summary;
  } catch {
    process.stderr.write(`${path} was not written: the tests did not run to their end\n`);
  }
  const { passed, failed } = tally(
    summary,
    codes.map((code) => code === '0'),
  );
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}
