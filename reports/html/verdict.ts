/** The top of the page: what somebody with ten seconds needs. */
import { barredText, openShare, ruleCounts } from '../data/rule-counts.ts';
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult, Verdict } from '../data/result.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { html, NOTHING, ownMarkup } from './escape.ts';
import type { Markup } from './escape.ts';
import { commandBox, facts, softened, softProse } from './parts.ts';
import { crashId, divergenceId } from './troubles.ts';
import type { Run } from './troubles.ts';

/** Verdicts as the page says them. */
export const WORDS: Readonly<Record<Verdict, string>> = {
  conformant: 'Conformant',
  divergent: 'Not conformant',
  untestable: 'Not testable',
  interrupted: 'Interrupted',
};

/** A fence around: closed, broken, or not finished. */
const RINGS: Readonly<Record<Verdict, Markup>> = {
  conformant: ownMarkup('<circle cx="24" cy="24" r="18"/>'),
  divergent: ownMarkup('<path d="M37.8 12.4A18 18 0 1 0 41.9 25.9"/>'),
  untestable: ownMarkup('<circle cx="24" cy="24" r="18" stroke-dasharray="5 6.31"/>'),
  interrupted: ownMarkup(
    '<path d="M24 6a18 18 0 0 1 0 36" /><path d="M24 42a18 18 0 0 1 0-36" stroke-dasharray="2.5 6"/>',
  ),
};

function ring(verdict: Verdict): Markup {
  return html`<svg class="ring" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" focusable="false">
    ${RINGS[verdict]}
  </svg>`;
}

/** Troubles listed at the top; the others are counted. */
const LISTED = 12;

/** The top of the page of one run. */
export function runVerdict(run: Run): Markup {
  const { result } = run;
  const { verdict, times, scenarios, outcomes, seed, accel } = result;
  const counts = ruleCounts(result);
  const open = openShare(result);
  return topOf(
    verdict,
    WORDS[verdict],
    sentence(result),
    [
      ['answers compared', thousands(outcomes)],
      ['scenarios', thousands(scenarios)],
      ['rules reached', html`${counts.reached}<span class="soft">/${counts.all}${barredText(counts)}</span>`],
      ...(open === undefined || open.requests === 0
        ? []
        : ([['requests left open', `${((100 * open.open) / open.requests).toFixed(2)} %`]] as const)),
      ['wall time', duration(times.wall_s)],
      ['answers per second', thousands(times.outcomes_per_s)],
      ['seed', String(seed)],
      ['accelerator', accel.name],
    ],
    troubles([run]),
    result.command,
  );
}

/** The top of the page of a matrix. */
export function matrixVerdict(matrix: MatrixResult, runs: readonly Run[]): Markup {
  const { kernels, verdict, reason = '', rules, seed, times, cases, comparison } = matrix;
  const count = (state: string): number => kernels.filter((kernel) => kernel.state === state).length;
  const answers = kernels.reduce((sum, { outcomes }) => sum + outcomes, 0);
  const changed = rules.filter(({ story }) => story !== '').length;
  const unexplained = comparison.pairs.reduce((sum, pair) => sum + pair.unexplained, 0);
  const said =
    verdict === 'conformant'
      ? `${counted(count('conformant'), 'kernel')} kept every promise that was tested, but for known findings`
      : reason;
  return topOf(
    verdict,
    WORDS[verdict],
    `${said}${count('unsupported') === 0 ? '' : `; ${counted(count('unsupported'), 'kernel')} without the feature`}.`,
    [
      ['kernels', thousands(kernels.length)],
      ['answers compared', thousands(answers)],
      ['scenarios on each', thousands(cases)],
      ['rules that change', thousands(changed)],
      ['unexplained', thousands(unexplained)],
      ['wall time', duration(times.wall_s)],
      ['seed', String(seed)],
    ],
    troubles(runs),
    matrix.command,
  );
}

/** The top of a page. @param word what is said in large letters */
export function topOf(
  verdict: Verdict,
  word: string,
  said: string,
  numbers: Parameters<typeof facts>[0],
  list: Markup,
  repeat: string,
): Markup {
  return html`<header class="top" id="top">
    <p class="brand">ringfence <span>io_uring filter conformance</span></p>
    <div class="verdict">${ring(verdict)}<h1>${word}</h1></div>
    <p class="said">${said}</p>
    ${list}
    ${facts(numbers, 'numbers')}
    ${commandBox(repeat, 'Copy the command that repeats this')}
  </header>`;
}

function sentence({ verdict, reason = '', kernel, divergences, known }: RunResult): string {
  const on = `Linux ${kernel.release}`;
  if (verdict === 'conformant') {
    const but = known.length === 0 ? '' : `, but for ${counted(known.length, 'known finding')}`;
    return `${on} kept every promise that was tested${but}.`;
  }
  const broken = new Set(divergences.map(({ rule }) => rule)).size;
  return verdict === 'divergent' && broken > 0
    ? `${on} broke ${counted(broken, 'promise')}${reason === '' ? '' : `: ${reason}`}.`
    : `${on}: ${reason || verdict}.`;
}

interface Trouble {
  readonly id: string;
  readonly title: Markup | string;
  readonly text: string;
  readonly answers: Markup;
  readonly reproduced: string;
  readonly count?: number;
  /** The kernel, where there are several. */
  readonly name: string | undefined;
}

/** One entry per trouble, linked to its place below. */
function troubles(runs: readonly Run[]): Markup {
  const items = runs.flatMap((run) => troublesOf(run, runs.length > 1 ? run.name : undefined));
  if (items.length === 0) return NOTHING;
  const more = items.length - LISTED;
  return html`
    <ol class="broke" aria-label="What broke">${items.slice(0, LISTED).map(troubleItem)}</ol>
    ${more > 0 && html`<p class="soft">${more} more below.</p>`}
  `;
}

function troublesOf({ result, name: prefix }: Run, name: string | undefined): readonly Trouble[] {
  return [
    ...result.divergences.map(({ rule, predicted, observed, count, reproduced, statement }, n) => ({
      id: divergenceId(prefix, n),
      title: html`<code>${softened(rule)}</code>`,
      text: statement,
      answers: html`<span>predicted ${answer(predicted)}</span> <span class="bad">observed ${answer(observed)}</span>`,
      reproduced,
      count,
      name,
    })),
    ...result.crashes.map(({ kind, title, reproduced }, n) => ({
      id: crashId('crash', prefix, n),
      title: 'crash',
      text: title,
      answers: html`<b class="bad">${kind}</b>`,
      reproduced,
      name,
    })),
    ...result.hangs.map(({ detail, reproduced }, n) => ({
      id: crashId('hang', prefix, n),
      title: 'hang',
      text: detail,
      answers: html`<b class="bad">no answer</b>`,
      reproduced,
      name,
    })),
  ];
}

function troubleItem({ id, title, text, answers, reproduced, count, name }: Trouble): Markup {
  const often = `reproduced ${reproduced}${count === undefined ? '' : `, ${counted(count, 'case')}`}`;
  return html`<li>
    <div>
      <a href="#${id}">${title}</a>${name !== undefined && html` <span class="soft">${name}</span>`}
      <div class="soft">${softProse(text)}</div>
    </div>
    <div class="delta">${answers}</div>
    <div class="soft again">${often}</div>
  </li>\n`;
}

/** "CQE user_data=0x1 res=-EACCES flags=0x0" as its result alone. */
function answer(text: string): Markup {
  const result =
    /^CQE user_data=\S+ res=(.+?)(?: flags=0x0)?$/.exec(text)?.[1] ?? /^return(?:s|ed) (.+)$/.exec(text)?.[1] ?? text;
  return html`<code title="${text}">${result.length > 60 ? `${result.slice(0, 60)} …` : result}</code>`;
}
