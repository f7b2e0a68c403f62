/** An explanation as text. */
import { wrap } from './wrap.ts';
import { hex } from '../text/index.ts';
import { verdictText } from './program.ts';
import type { CqeExplanation, Explanation, RequestExplanation, StepExplanation } from './scenario.ts';

/** What the rules say, step by step, then the rules; ends with a newline. */
export function formatExplanation(explanation: Explanation): string {
  const { steps, rules } = explanation;
  const number = String(Math.max(0, steps.length - 1)).length + 2;
  const returns = Math.min(
    20,
    steps.reduce((most, step) => Math.max(most, returnsText(step).length), 0),
  );
  const lines = steps.flatMap((step) => stepLines(step, number, returns));
  const cited = rules.flatMap(({ id, statement, kind, source }) => [
    `  ${id}`,
    ...wrap(statement, 100).map((line) => `      ${line}`),
    ...wrap(`[${kind}] ${source}`, 100).map((line) => `      ${line}`),
  ]);
  return `${[...lines, '', `Rules that decided (Linux ${explanation.release})`, '', ...cited].join('\n')}\n`;
}

function returnsText({ reached, returns }: StepExplanation): string {
  if (!reached) return 'does not run';
  return returns === '' ? '' : `= ${returns}`;
}

function stepLines(step: StepExplanation, number: number, width: number): string[] {
  const indent = ' '.repeat(number + 1);
  const { program } = step;
  const lines = [`${`[${step.step}]`.padStart(number)} ${returnsText(step).padEnd(width)}  ${step.rule}`.trimEnd()];
  if (program !== undefined)
    lines.push(`${indent}program ${verdictText(program)}${program.accepted ? '' : ` (${program.rule})`}`);
  for (const line of step.listing ?? []) lines.push(`${indent}  ${line}`);
  if (step.memory !== undefined) lines.push(`${indent}${step.memory}`);
  for (const request of step.requests) lines.push(...requestLines(request, step.judged).map((line) => indent + line));
  for (const message of step.messages) lines.push(`${indent}message: ${cqeLine(message)}`);
  return lines;
}

function requestLines(
  { sqe, text, decided, context, filters, res, cqes }: RequestExplanation,
  judged: boolean,
): string[] {
  const lines = [`#${sqe} ${text}`];
  if (context !== undefined) lines.push(`     context: ${context}`);
  for (const { step, deny_rest, value, times } of filters)
    lines.push(
      `     ${deny_rest ? 'deny filter of DENY_REST of' : 'filter of'} step ${step}` +
        `${times === undefined ? '' : `, ${times} times,`}` +
        `${deny_rest ? '' : ` returns ${hex(value)}`}: ${value === 0 ? 'denies' : 'allows'}`,
    );
  const why = decided === undefined ? 'the rules leave it open' : `${STAGES[decided.stage]} (${decided.rule})`;
  const own = !judged ? ['any CQE, or none'] : cqes.length === 0 ? [`no CQE, result ${res}`] : cqes.map(cqeLine);
  lines.push(`     ${own[0]}: ${why}`);
  for (const line of own.slice(1)) lines.push(`     ${line}`);
  return lines;
}

const STAGES: Readonly<Record<NonNullable<RequestExplanation['decided']>['stage'], string>> = {
  init: 'refused before anything else looks at it',
  classic: 'refused by classic restrictions',
  prep: 'refused by prep, before the filters',
  filter: 'denied by a filter',
  link: 'cancelled with its chain',
  issue: 'allowed, and runs',
};

function cqeLine({ user_data, res, flags, optional }: CqeExplanation): string {
  const shown = flags === '0x0' ? '' : ` flags=${flags}`;
  return `CQE user_data=${user_data} res=${res}${shown}${optional ? ' (may be missing)' : ''}`;
}
