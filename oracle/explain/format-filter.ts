/** What a filter does, as text. */
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { hex } from '../text/index.ts';
import type { FilterExplanation, FilterRun, RunStep } from './filter.ts';
import { listing, verdictText } from './program.ts';
import { wrap } from './wrap.ts';

/** Longest instruction trace that is shown whole. */
const STEPS = 48;
/** Listings longer than this are cut around the instruction at fault, or not shown. */
const LISTED = 200;

/** The program, the verdict, the answers to each request and how they came about; ends with a newline. */
export function formatFilterExplanation(explanation: FilterExplanation): string {
  const { program, verdict, opcode, opcode_name, little_endian, pdu_size, requests, unreached } = explanation;
  const abi = { ...ABI_7_0, little_endian };
  const count = `${program.length} instruction${program.length === 1 ? '' : 's'}`;
  const lines = [`${count} on IORING_OP_${opcode_name}: ${verdictText(verdict)}`];
  const long = program.length > LISTED;
  const shown = !verdict.accepted
    ? listing(program, opcode, abi, { arrow: verdict.pc, rows: true, ...(long ? { around: 5 } : {}) })
    : long
      ? []
      : listing(program, opcode, abi, { rows: true });
  lines.push('', ...shown.map((line) => `  ${line}`));
  if (!verdict.accepted) {
    lines.push(
      '',
      `  ${verdict.rule}`,
      ...wrap(`[${verdict.kind}] ${verdict.source}`, 100).map((line) => `      ${line}`),
    );
    return `${lines.join('\n')}\n`;
  }
  lines.push(
    '',
    `Register it with pdu_size ${pdu_size}${pdu_size === 0 ? ' (this opcode shows filters no arguments)' : ''}.`,
  );
  if (requests.length > 0) lines.push('', ...table(requests), '', ...traces(requests));
  if (unreached.length > 0)
    lines.push(`No request above reached instruction${unreached.length === 1 ? '' : 's'} ${ranges(unreached)}.`);
  return `${lines.join('\n').trimEnd()}\n`;
}

/** One line per request: the answer first. */
function table(requests: readonly FilterRun[]): string[] {
  const value = ({ result }: FilterRun): string => (result === undefined ? '-' : hex(result));
  const width = requests.reduce((most, run) => Math.max(most, value(run).length), 0);
  return requests.map((run) => {
    const answer = run.skipped !== undefined ? '-' : run.allowed === true ? 'allow' : 'deny';
    const why =
      run.skipped !== undefined ? `: ${run.skipped}` : run.ended === 'div-by-zero-x' ? ': division by X = 0' : '';
    return `  ${answer.padEnd(5)}  ${value(run).padEnd(width)}  ${run.request}${why}`;
  });
}

/** The instructions of the first request on each path through the program. */
function traces(requests: readonly FilterRun[]): string[] {
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const run of requests) {
    if (run.context === undefined) continue;
    const path = run.steps.map(({ pc }) => pc).join(' ');
    if (seen.has(path)) continue;
    seen.add(path);
    lines.push(
      run.request,
      `  context: ${run.context.map(([name, value]) => `${name}=${value}`).join(' ')}`,
      ...stepTable(run),
      '',
    );
  }
  return lines;
}

function stepTable({ steps, allowed }: FilterRun): string[] {
  const digits = Math.max(...steps.map(({ pc }) => String(pc).length));
  const width = Math.max(...steps.map(({ text }) => text.length));
  const rows = steps.map((step) =>
    `  ${String(step.pc).padStart(digits)}  ${step.text.padEnd(width)}  ${effect(step, allowed === true)}`.trimEnd(),
  );
  return rows.length <= STEPS
    ? rows
    : [...rows.slice(0, STEPS - 8), `  ... ${rows.length - STEPS} more`, ...rows.slice(-8)];
}

function effect({ a, x, sets, taken, next, comment }: RunStep, allowed: boolean): string {
  const note = comment === null ? '' : `  ; ${comment}`;
  if (next === undefined) return allowed ? 'allow' : 'deny';
  if (taken !== null) return `${taken ? 'yes' : 'no'}, to ${next}${note}`;
  if (sets === 'a') return `A = ${hex(a)}${note}`;
  if (sets === 'x') return `X = ${hex(x)}${note}`;
  return '';
}

/** "1, 3 to 5". */
function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] + 1 === number) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`)).join(', ');
}
