/** The end of a run on one screen: the verdict first, then what there is to do about it. */
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { fromJson } from '../../oracle/case/json.ts';
import { printScenario } from '../../oracle/case/text.ts';
import { expectationLines } from './expectations.ts';
import { below, caseFile, replayCommand } from './replay.ts';
import type { Crash, Divergence, Hang, RunResult, Verdict } from '../data/result.ts';
import { COLOUR, counted, duration, PLAIN, thousands, wrap } from './style.ts';
import type { Style } from './style.ts';

export interface SummaryOptions {
  readonly colour?: boolean;
  /** Output directory as the user named it; default `out`. */
  readonly out?: string;
}

/** How many divergences, crashes and hangs are shown whole; the others are counted. */
const SHOWN = 6;
/** Of those, how many with their smallest case. */
const WITH_CASE = 2;
const WIDTH = 110;
/** Lines of the smallest case that are shown. */
const EXCERPT = 14;

/** The summary, ending with a newline. */
export function formatSummary(result: RunResult, { colour = false, out = 'out' }: SummaryOptions = {}): string {
  const style = colour ? COLOUR : PLAIN;
  const blocks = [
    [headline(result, style)],
    facts(result, style),
    ...result.divergences.slice(0, SHOWN).map((divergence, n) => divergenceBlock(divergence, n, result, out, style)),
    more(result.divergences.length, 'divergence', below(out, 'divergences/')),
    ...result.crashes.slice(0, SHOWN).map((crash, n) => crashBlock(crash, n, out, style)),
    more(result.crashes.length, 'crash', below(out, 'crashes/'), 'crashes'),
    ...result.hangs.slice(0, SHOWN).map((hang, n) => hangBlock(hang, n, out, style)),
    more(result.hangs.length, 'hang', below(out, 'hangs/')),
    runnerErrors(result),
    unconfirmed(result, out, style),
    [`repeat:  ${result.command}`, `details: ${below(out, 'result.json')}`],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

const HEADLINES: { readonly [V in Verdict]: (style: Style) => string } = {
  conformant: (style) => style.green(style.bold('CONFORMANT')),
  divergent: (style) => style.red(style.bold('NOT CONFORMANT')),
  untestable: (style) => style.yellow(style.bold('NOT TESTABLE')),
  interrupted: (style) => style.yellow(style.bold('INTERRUPTED')),
};

function headline({ verdict, reason, kernel, divergences, known }: RunResult, style: Style): string {
  const why =
    verdict === 'conformant'
      ? `kept every promise that was tested${known.length === 0 ? '' : `, but for ${counted(known.length, 'known finding')}`}`
      : verdict === 'divergent' && divergences.length > 0
        ? `broke ${counted(new Set(divergences.map(({ rule }) => rule)).size, 'rule')}${reason === undefined ? '' : ` (${reason})`}`
        : (reason ?? '');
  return `${HEADLINES[verdict](style)}  Linux ${kernel.release} ${why}`.trimEnd();
}

/** Such as `pinned`, or `built from v7.3-5-gabc with fix.patch, debug`. */
function sourceText({ source, origin }: RunResult['kernel']): string {
  if (origin === undefined) return source;
  const patches = origin.patches.length === 0 ? '' : ` with ${origin.patches.map(({ name }) => name).join(', ')}`;
  return `${origin.built ? 'built from' : 'found in'} ${origin.describe ?? origin.version ?? origin.tree}${patches}${origin.debug ? ', debug' : ''}`;
}

function facts(result: RunResult, style: Style): string[] {
  const { kernel, accel, times, jobs, suites, rules } = result;
  const append = kernel.append === '' ? '' : `, append "${kernel.append}"`;
  const lines: [string, string][] = [
    [
      'kernel',
      `${kernel.release} ${kernel.machine} (${sourceText(kernel)}${append}), ${accel.name}, ${counted(jobs, 'guest')}`,
    ],
    [
      'compared',
      `${counted(result.outcomes, 'kernel answer')} in ${counted(result.scenarios, 'scenario')}, ${duration(times.wall_s)}, ${thousands(times.outcomes_per_s)}/s`,
    ],
    ['suites', suiteText(suites)],
  ];
  if (kernel.note !== undefined) lines.splice(1, 0, ['NOTE', kernel.note]);
  const never = Object.keys(rules)
    .filter((id) => rules[id] === 0)
    .sort();
  lines.push([
    'rules',
    `${Object.keys(rules).length - never.length} of ${Object.keys(rules).length} reached${never.length === 0 ? '' : `; never: ${never.slice(0, 3).join(', ')}${never.length > 3 ? ` and ${never.length - 3} more` : ''}`}`,
  ]);
  for (const { id, rule, title, scenarios } of result.known)
    lines.push(['known', `${id}: ${title} (${rule}; ${counted(scenarios, 'scenario')})`]);
  for (const { id, reason } of result.missing_findings)
    lines.push(['MISSING', `${id} should show on this kernel and did not: ${reason}`]);
  lines.push(...expectationLines(result));
  return lines.flatMap(([name, text]) =>
    wrap(text, WIDTH - 12).map((line, i) => {
      const label = (i === 0 ? name : '').padEnd(10);
      return `  ${['known', 'MISSING', 'NOTE', 'FAILS', 'DECIDE'].includes(name) ? style.yellow(label) : label}${line}`;
    }),
  );
}

function suiteText(suites: RunResult['suites']): string {
  const all = Object.entries(suites);
  const bad = all.filter(([, { divergence, other }]) => divergence + other > 0);
  if (all.length === 0) return 'none ran';
  if (bad.length === 0)
    return all.length <= 4 ? `${all.map(([name]) => name).join(', ')}: all passed` : `${all.length}, all passed`;
  return `${all.length - bad.length} of ${all.length} passed; not: ${bad.map(([name, { divergence, other }]) => `${name} (${divergence + other})`).join(', ')}`;
}

function divergenceBlock(divergence: Divergence, n: number, result: RunResult, out: string, style: Style): string[] {
  const { rule, suite, index, statement, source, step, predicted, observed, reproduced, count } = divergence;
  const alike = count > 1 ? `, ${thousands(count - 1)} more like it` : '';
  return [
    `${style.red(`divergence ${n + 1}`)}  ${style.bold(rule)}  (suite ${suite}, case ${index}${alike}, reproduced ${reproduced})`,
    ...wrap(statement, WIDTH - 4).map((line) => `    ${line}`),
    ...wrap(source === '' ? '' : `source: ${source}`, WIDTH - 4).map((line) => `    ${style.dim(line)}`),
    `    step ${step} predicted: ${predicted}`,
    `${' '.repeat(5 + String(step).length + 4)} observed:  ${style.red(observed)}`,
    ...(n < WITH_CASE ? ['', ...excerpt(divergence, result, style).map((line) => `      ${line}`), ''] : []),
    `    ${replayCommand(out, caseFile('divergences', n))}`,
  ];
}

/** The smallest case, without its programs where it is long. */
function excerpt({ scenario, step }: Divergence, result: RunResult, style: Style): string[] {
  const read = fromJson(scenario);
  if (!read.ok) return [];
  const abi = abiOf(result);
  const notes = new Map([[step, ['it differs here']]]);
  for (const programs of ['asm', 'none'] as const) {
    const lines = printScenario(read.scenario, abi, { programs, notes, instructions: 8 }).split('\n');
    if (lines.length <= EXCERPT) return lines;
    if (programs === 'none')
      return [...lines.slice(0, EXCERPT - 1), style.dim(`... ${lines.length - EXCERPT + 1} more lines`)];
  }
  return [];
}

/** The ABI profile of a result; what a result of another version lacks is taken from 7.0. */
export function abiOf(result: Pick<RunResult, 'abi'>): AbiProfile {
  return { ...ABI_7_0, ...result.abi };
}

function crashBlock({ suite, index, kind, title, reproduced }: Crash, n: number, out: string, style: Style): string[] {
  return [
    `${style.red(`crash ${n + 1}`)}  ${style.bold(`${kind}: ${title}`)}  (suite ${suite}, case ${index}, reproduced ${reproduced})`,
    `    console: ${below(out, caseFile('crashes', n, 'txt'))}`,
    `    ${replayCommand(out, caseFile('crashes', n))}`,
  ];
}

function hangBlock({ suite, index, detail, reproduced }: Hang, n: number, out: string, style: Style): string[] {
  return [
    `${style.red(`hang ${n + 1}`)}  ${style.bold(detail)}  (suite ${suite}, case ${index}, reproduced ${reproduced})`,
    `    ${replayCommand(out, caseFile('hangs', n))}`,
  ];
}

function more(count: number, noun: string, where: string, many?: string): string[] {
  return count > SHOWN
    ? [`${counted(count - SHOWN, `more ${noun}`, many === undefined ? undefined : `more ${many}`)}: ${where}`]
    : [];
}

/** A case that fails once and never again may be a race in the kernel, or a slow machine: somebody should look. */
function unconfirmed({ unconfirmed }: RunResult, out: string, style: Style): string[] {
  if (unconfirmed.length === 0) return [];
  return [
    `${style.yellow('UNCONFIRMED')}  ${counted(unconfirmed.length, 'scenario')} failed in a batch and passed every time when run alone (not counted as failed):`,
    ...unconfirmed
      .slice(0, SHOWN)
      .flatMap(({ suite, index, verdict, rule, detail, reproduced }, n) => [
        ...wrap(
          `${rule === undefined ? verdict : `${verdict} of ${rule}`}: ${detail} (suite ${suite}, case ${index}, reproduced ${reproduced})`,
          WIDTH - 4,
        ).map((line) => `    ${line}`),
        `    ${replayCommand(out, caseFile('unconfirmed', n))}`,
      ]),
    ...more(unconfirmed.length, 'unconfirmed', below(out, 'unconfirmed/'), 'more unconfirmed'),
  ];
}

function runnerErrors({ runner_errors }: RunResult): string[] {
  if (runner_errors.length === 0) return [];
  return [
    `${counted(runner_errors.length, 'scenario')} could not be judged:`,
    ...runner_errors.slice(0, 3).map(({ index, detail }) => `    case ${index}: ${detail}`),
  ];
}
