/** One divergence in full: what was promised, what came, the case, and how to see it again. */
import { fromJson } from '../../oracle/case/json.ts';
import { printScenario } from '../../oracle/case/text.ts';
import { caseFile, explainCommand, replayCommand } from './replay.ts';
import type { Divergence, RunResult } from '../data/result.ts';
import { abiOf } from './summary.ts';
import { counted, wrap } from './style.ts';

const WIDTH = 110;

/** Text of the n-th divergence (from 0) of a result, ending with a newline. */
export function formatDivergence(
  divergence: Divergence,
  n: number,
  result: Pick<RunResult, 'abi' | 'kernel' | 'seed' | 'command'>,
  out = 'out',
): string {
  const { rule, suite, index, statement, source, step, what, predicted, observed, reproduced, count, text } =
    divergence;
  const field = (name: string, value: string): string[] =>
    value === '' ? [] : wrap(value, WIDTH - 12).map((line, i) => `${(i === 0 ? `${name}:` : '').padEnd(12)}${line}`);
  const file = caseFile('divergences', n);
  // The case stands above, with notes; what is left of the text is the explanation.
  const bare = printed(divergence, result);
  const rest = (text.startsWith(bare) ? text.slice(bare.length) : text).trim();
  return [
    `${rule}: Linux ${result.kernel.release} differs from the rule`,
    '',
    ...field('rule', statement),
    ...field('source', source),
    ...field('where', `step ${step}, ${what}`),
    ...field('predicted', predicted),
    ...field('observed', observed),
    ...field(
      'reproduced',
      `${reproduced}${count > 1 ? `; ${counted(count, 'scenario')} of this run differ in the same way` : ''}`,
    ),
    ...field('found by', `suite ${suite}, case ${index}, seed ${result.seed}`),
    '',
    'The smallest case that shows it',
    '',
    caseText(divergence, result),
    '',
    ...(rest === '' ? [] : ['What the rules say, step by step', '', rest, '']),
    'Commands',
    '',
    `  ${replayCommand(out, file)}`,
    `  ${explainCommand(out, file)}`,
    `  ${result.command}`,
    '',
  ].join('\n');
}

function caseText(divergence: Divergence, result: Pick<RunResult, 'abi'>): string {
  const { step, predicted, observed } = divergence;
  return printed(divergence, result, new Map([[step, [`predicted: ${predicted}`, `observed:  ${observed}`]]]));
}

function printed(
  { scenario }: Divergence,
  result: Pick<RunResult, 'abi'>,
  notes: ReadonlyMap<number, readonly string[]> = new Map(),
): string {
  const read = fromJson(scenario);
  if (!read.ok) return `(the case cannot be read: ${read.error})`;
  return printScenario(read.scenario, abiOf(result), { notes });
}
