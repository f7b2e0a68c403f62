/** What became of a gate's expectations, as lines of the summary. */
import type { RunResult } from '../data/result.ts';
import { counted } from './style.ts';

/**
 * Label and text of each line: how many were met, then each that somebody has to decide on. Nothing without --expect.
 */
export function expectationLines({
  expectations,
  policy,
}: Pick<RunResult, 'expectations' | 'policy'>): [label: string, text: string][] {
  if (policy === undefined || policy.files.length === 0) return [];
  const here = expectations.filter(({ state }) => state !== 'out of range');
  const met = here.filter(({ state }) => state === 'met').length;
  const elsewhere = expectations.length - here.length;
  const others = elsewhere === 0 ? '' : `, ${elsewhere} not for this kernel`;
  const files = policy.files.map(({ file }) => file).join(', ');
  return [
    ['expected', `${met} of ${counted(here.length, 'expectation')} met${others} (${files})`],
    ...expectations
      .filter(({ problem }) => problem !== '')
      .map(({ id, problem }): [string, string] => [policy.strict ? 'FAILS' : 'DECIDE', `${id}: ${problem}`]),
  ];
}
