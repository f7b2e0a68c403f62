/** What is wrong with an expectation, in words that say what to do. */
import type { ExpectationResult } from '../../reports/data/result.ts';

/**
 * Empty when nothing is wrong.
 * @param whole all cases of the run were seen: only then "no case reached it" means something
 */
export function problemOf(
  { state, expired, expires, finding, kernels }: Omit<ExpectationResult, 'problem'>,
  release: string,
  whole: boolean,
): string {
  const own = finding === undefined ? 'its own case' : `the smallest case of ${finding}`;
  const said = {
    met: '',
    unreached: whole
      ? `no case of this run reached it, though ${own} shows it: run more cases or other suites, or remove the entry`
      : '',
    gone:
      `unexpected pass: on ${release} ${own} answers as the rules say; ` +
      `narrow "kernels" (${kernels}) or remove the entry`,
    changed: `on ${release} ${own} answers neither as the rules say nor as expected: look at it again`,
    'out of range': '',
  }[state];
  return [expired ? `expired after ${expires}: decide again, with a new date and reason, or remove it` : '', said]
    .filter((text) => text !== '')
    .join('; ');
}
