/** The end of a run on one screen: the verdict first, then what there is to do about it. */
import { barredText, openShare, ruleCounts } from '../data/rule-counts.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { fromJson } from '../../oracle/case/json.ts';
import { printScenario } from '../../oracle/case/text.ts';
import { expectationLines } from './expectations.ts';
import { below, caseFile, replayCommand } from './replay.ts';
import type { Crash, Divergence, Hang, RunResult, Verdict } from '../data/result.ts';
import { COLOUR, counted, duration, PLAIN, thousands, wrap } from './style.ts';
import type { Style } from './style.ts';

/** How the summary looks. */
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

function headline(result: RunResult, style: Style): string {
  return `${HEADLINES[result.verdict](style)}  Linux ${result.kernel.release} ${whyText(result)}`.trimEnd();
}

function whyText({ verdict, reason, divergences, known }: RunResult): string {
  if (verdict === 'conformant') {
    const but = known.length === 0 ? '' : `, but for ${counted(known.length, 'known finding')}`;
    return `kept every promise that was tested${but}`;
  }
  if (verdict !== 'divergent' || divergences.length === 0) return reason ?? '';
  const broken = new Set(divergences.map(({ rule }) => rule)).size;
  return `broke ${counted(broken, 'rule')}${reason === undefined ? '' : ` (${reason})`}`;
}

/** Such as `pinned`, or `built from v7.3-5-gabc with fix.patch, debug`. */
function sourceText({ source, origin }: RunResult['kernel']): string {
  if (origin === undefined) return source;
  const patches = origin.patches.length === 0 ? '' : ` with ${origin.patches.map(({ name }) => name).join(', ')}`;
  const tree = origin.describe ?? origin.version ?? origin.tree;
  return `${origin.built ? 'built from' : 'found in'} ${tree}${patches}${origin.debug ? ', debug' : ''}`;
}

/** Labels that ask for attention. */
const MARKED: ReadonlySet<string> = new Set(['known', 'MISSING', 'NOTE', 'FAILS', 'DECIDE']);

function facts(result: RunResult, style: Style): string[] {
  const { kernel, accel, times, jobs, outcomes, scenarios } = result;
  const append = kernel.append === '' ? '' : `, append "${kernel.append}"`;
  const where = `${kernel.release} ${kernel.machine} (${sourceText(kernel)}${append})`;
  const compared = `${counted(outcomes, 'kernel answer')} in ${counted(scenarios, 'scenario')}`;
  const lines: (readonly [label: string, text: string])[] = [
    ['kernel', `${where}, ${accel.name}, ${counted(jobs, 'guest')}`],
    ...(kernel.note === undefined ? [] : [['NOTE', kernel.note] as const]),
    ['compared', `${compared}, ${duration(times.wall_s)}, ${thousands(times.outcomes_per_s)}/s`],
    ['suites', suiteText(result.suites)],
    ['rules', ruleText(result)],
    ...openLines(result),
    ...jitLines(result),
    ...result.known.map(
      ({ id, rule, title, scenarios: shown }) =>
        ['known', `${id}: ${title} (${rule}; ${counted(shown, 'scenario')})`] as const,
    ),
    ...result.missing_findings.map(
      ({ id, reason }) => ['MISSING', `${id} should show on this kernel and did not: ${reason}`] as const,
    ),
    ...expectationLines(result),
  ];
  return lines.flatMap(([name, text]) =>
    wrap(text, WIDTH - 12).map((line, i) => {
      const label = (i === 0 ? name : '').padEnd(10);
      return `  ${MARKED.has(name) ? style.yellow(label) : label}${line}`;
    }),
  );
}

/** How many requests had more than one right answer. */
function openLines(result: RunResult): [string, string][] {
  const share = openShare(result);
  if (share === undefined || share.requests === 0) return [];
  const { requests, open } = share;
  return [
    ['open', `${((100 * open) / requests).toFixed(2)} % of ${thousands(requests)} requests have several answers`],
  ];
}

function ruleText(result: RunResult): string {
  const counts = ruleCounts(result);
  const { never } = counts;
  const more = never.length > 3 ? ` and ${never.length - 3} more` : '';
  const unreached = never.length === 0 ? '' : `; never: ${never.slice(0, 3).join(', ')}${more}`;
  return `${counts.reached} of ${counts.all} reached${unreached}${barredText(counts)}`;
}

/** How programs were run, where that is not as people would think. */
function jitLines({ jit }: RunResult): (readonly [label: string, text: string])[] {
  if (jit === undefined) return [];
  const { compiler, interpreter, harden, watched, compiled } = jit;
  const lack = [
    ...(compiler ? [] : ['no BPF compiler: every program was interpreted']),
    ...(interpreter || !compiler ? [] : ['no BPF interpreter: every program was compiled']),
    ...(harden || !compiler ? [] : ['no bpf_jit_harden']),
  ];
  const gaveUp = watched - compiled;
  return [
    ...(lack.length === 0 ? [] : [['NOTE', `this kernel has ${lack.join('; ')}`] as const]),
    ...(gaveUp === 0
      ? []
      : [
          [
            'NOTE',
            `the BPF compiler gave up on ${gaveUp} of ${watched} programs that were watched: they were interpreted, ` +
              'so that compiler and interpreter were not compared for them',
          ] as const,
        ]),
  ];
}

function suiteText(suites: RunResult['suites']): string {
  const all = Object.entries(suites);
  const bad = all.filter(([, { divergence, other }]) => divergence + other > 0);
  if (all.length === 0) return 'none ran';
  if (bad.length === 0)
    return all.length <= 4 ? `${all.map(([name]) => name).join(', ')}: all passed` : `${all.length}, all passed`;
  const failed = bad.map(([name, { divergence, other }]) => `${name} (${divergence + other})`);
  return `${all.length - bad.length} of ${all.length} passed; not: ${failed.join(', ')}`;
}

function divergenceBlock(divergence: Divergence, n: number, result: RunResult, out: string, style: Style): string[] {
  const { rule, suite, index, statement, source, step, predicted, observed, reproduced, count } = divergence;
  const alike = count > 1 ? `, ${thousands(count - 1)} more like it` : '';
  const found = `(suite ${suite}, case ${index}${alike}, reproduced ${reproduced})`;
  return [
    `${style.red(`divergence ${n + 1}`)}  ${style.bold(rule)}  ${found}`,
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
  const found = `(suite ${suite}, case ${index}, reproduced ${reproduced})`;
  return [
    `${style.red(`crash ${n + 1}`)}  ${style.bold(`${kind}: ${title}`)}  ${found}`,
    `    console: ${below(out, caseFile('crashes', n, 'txt'))}`,
    `    ${replayCommand(out, caseFile('crashes', n))}`,
  ];
}

function hangBlock(
  { suite, index, detail, reproduced, console }: Hang,
  n: number,
  out: string,
  style: Style,
): string[] {
  const found = `(suite ${suite}, case ${index}, reproduced ${reproduced})`;
  return [
    `${style.red(`hang ${n + 1}`)}  ${style.bold(detail)}  ${found}`,
    ...(console === undefined ? [] : [`    kernel:  ${below(out, caseFile('hangs', n, 'txt'))}`]),
    `    ${replayCommand(out, caseFile('hangs', n))}`,
  ];
}

function more(count: number, noun: string, where: string, many?: string): string[] {
  return count > SHOWN
    ? [`${counted(count - SHOWN, `more ${noun}`, many === undefined ? undefined : `more ${many}`)}: ${where}`]
    : [];
}

/** A case that fails once and never again may be a race in the kernel, or a slow machine: somebody should look. */
function unconfirmed({ unconfirmed: all }: RunResult, out: string, style: Style): string[] {
  if (all.length === 0) return [];
  const said = 'failed in a batch and passed every time when run alone (not counted as failed):';
  return [
    `${style.yellow('UNCONFIRMED')}  ${counted(all.length, 'scenario')} ${said}`,
    ...all.slice(0, SHOWN).flatMap(({ suite, index, verdict, rule, detail, reproduced }, n) => {
      const what = rule === undefined ? verdict : `${verdict} of ${rule}`;
      const text = `${what}: ${detail} (suite ${suite}, case ${index}, reproduced ${reproduced})`;
      return [
        ...wrap(text, WIDTH - 4).map((line) => `    ${line}`),
        `    ${replayCommand(out, caseFile('unconfirmed', n))}`,
      ];
    }),
    ...more(all.length, 'unconfirmed', below(out, 'unconfirmed/'), 'more unconfirmed'),
  ];
}

function runnerErrors({ runner_errors }: RunResult): string[] {
  if (runner_errors.length === 0) return [];
  return [
    `${counted(runner_errors.length, 'scenario')} could not be judged:`,
    ...runner_errors.slice(0, 3).map(({ index, detail }) => `    case ${index}: ${detail}`),
  ];
}
