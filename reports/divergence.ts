/** One divergence in full: what was promised, what came, the case, and how to see it again. */
import { fromJson } from '../oracle/scenario/json.ts';
import { printScenario } from '../oracle/scenario/text/index.ts';
import { caseFile, explainCommand, replayCommand } from './replay.ts';
import type { Divergence, RunResult } from './result.ts';
import { abiOf } from './summary.ts';
import { counted, wrap } from './style.ts';

const WIDTH = 110;

/** Text of the n-th divergence (from 0) of a result, ending with a newline. */
export function formatDivergence(divergence: Divergence, n: number, result: Pick<RunResult, 'abi' | 'kernel' | 'seed' | 'command'>, out = 'out'): string {
  const { rule, suite, index, statement, source, step, what, predicted, observed, reproduced, count, text } = divergence;
  const field = (name: string, value: string): string[] => (value === '' ? [] : wrap(value, WIDTH - 12).map((line, i) => `${(i === 0 ? `${name}:` : '').padEnd(12)}${line}`));
  const file = caseFile('divergences', n);
  return [
    `${rule}: Linux ${result.kernel.release} differs from the rule`,
    '',
    ...field('rule', statement),
    ...field('source', source),
    ...field('where', `step ${step}, ${what}`),
    ...field('predicted', predicted),
    ...field('observed', observed),
    ...field('reproduced', `${reproduced}${count > 1 ? `; ${counted(count, 'scenario')} of this run differ in the same way` : ''}`),
    ...field('found by', `suite ${suite}, case ${index}, seed ${result.seed}`),
    '',
    'The smallest case that shows it',
    '',
    caseText(divergence, result),
    '',
    ...(text === '' ? [] : ['What the rules say, step by step', '', text.trimEnd(), '']),
    'Commands',
    '',
    `  ${replayCommand(out, file)}`,
    `  ${explainCommand(out, file)}`,
    `  ${result.command}`,
    '',
  ].join('\n');
}

function caseText({ scenario, step, predicted, observed }: Divergence, result: Pick<RunResult, 'abi'>): string {
  const read = fromJson(scenario);
  if (!read.ok) return `(the case cannot be read: ${read.error})`;
  return printScenario(read.scenario, abiOf(result), { notes: new Map([[step, [`predicted: ${predicted}`, `observed:  ${observed}`]]]) });
}
