/** The top of the page: what somebody with ten seconds needs. */
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult, Verdict } from '../data/result.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { html, NOTHING, raw } from './escape.ts';
import type { Markup } from './escape.ts';
import { command, facts, prose, softened } from './parts.ts';
import { crashId, divergenceId } from './troubles.ts';
import type { Run } from './troubles.ts';

export const WORDS: Readonly<Record<Verdict, string>> = {
  conformant: 'Conformant',
  divergent: 'Not conformant',
  untestable: 'Not testable',
  interrupted: 'Interrupted',
};

/** A fence around: closed, broken, or not finished. */
const RINGS: Readonly<Record<Verdict, Markup>> = {
  conformant: raw('<circle cx="24" cy="24" r="18"/>'),
  divergent: raw('<path d="M37.8 12.4A18 18 0 1 0 41.9 25.9"/>'),
  untestable: raw('<circle cx="24" cy="24" r="18" stroke-dasharray="5 6.31"/>'),
  interrupted: raw('<path d="M24 6a18 18 0 0 1 0 36" /><path d="M24 42a18 18 0 0 1 0-36" stroke-dasharray="2.5 6"/>'),
};

export function ring(verdict: Verdict): Markup {
  return html`<svg class="ring" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true" focusable="false">${RINGS[verdict]}</svg>`;
}

/** Troubles listed at the top; the others are counted. */
const LISTED = 12;

export function runVerdict(run: Run): Markup {
  const { result } = run;
  const { verdict, kernel, rules, times, scenarios, outcomes, seed, accel } = result;
  const reached = Object.values(rules).filter((hits) => hits > 0).length;
  return top(
    verdict,
    sentence(result),
    [
      ['answers compared', thousands(outcomes)],
      ['scenarios', thousands(scenarios)],
      ['rules reached', html`${reached}<span class="soft">/${Object.keys(rules).length}</span>`],
      ['wall time', duration(times.wall_s)],
      ['answers per second', thousands(times.outcomes_per_s)],
      ['seed', String(seed)],
      ['accelerator', accel.name],
    ],
    troubles([run]),
    result.command,
  );
}

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
  return top(
    verdict,
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

function top(
  verdict: Verdict,
  said: string,
  numbers: Parameters<typeof facts>[0],
  list: Markup,
  repeat: string,
): Markup {
  return html`<header class="top" id="top"><p class="brand">ringfence <span>io_uring filter conformance</span></p><div class="verdict">${ring(verdict)}<h1>${WORDS[verdict]}</h1></div><p class="said">${said}</p>${list}${facts(numbers, 'numbers')}${command(repeat, 'Copy the command that repeats this')}</header>`;
}

function sentence({ verdict, reason = '', kernel, divergences, known }: RunResult): string {
  const on = `Linux ${kernel.release}`;
  if (verdict === 'conformant')
    return `${on} kept every promise that was tested${known.length === 0 ? '' : `, but for ${counted(known.length, 'known finding')}`}.`;
  const broken = new Set(divergences.map(({ rule }) => rule)).size;
  return verdict === 'divergent' && broken > 0
    ? `${on} broke ${counted(broken, 'promise')}${reason === '' ? '' : `: ${reason}`}.`
    : `${on}: ${reason || verdict}.`;
}

/** One entry per trouble, linked to its place below. */
function troubles(runs: readonly Run[]): Markup {
  const many = runs.length > 1;
  const items = runs.flatMap(({ result, name }) => {
    const item = (
      id: string,
      title: Markup | string,
      text: string,
      answers: Markup,
      reproduced: string,
      count?: number,
    ): Markup =>
      html`<li><div><a href="#${id}">${title}</a>${many ? html` <span class="soft">${name}</span>` : NOTHING}<div class="soft">${prose(text)}</div></div><div class="delta">${answers}</div><div class="soft again">reproduced ${reproduced}${count === undefined ? '' : `, ${counted(count, 'case')}`}</div></li>\n`;
    return [
      ...result.divergences.map(({ rule, predicted, observed, count, reproduced, statement }, n) =>
        item(
          divergenceId(name, n),
          html`<code>${softened(rule)}</code>`,
          statement,
          html`<span>predicted ${answer(predicted)}</span> <span class="bad">observed ${answer(observed)}</span>`,
          reproduced,
          count,
        ),
      ),
      ...result.crashes.map(({ kind, title, reproduced }, n) =>
        item(crashId('crash', name, n), 'crash', title, html`<b class="bad">${kind}</b>`, reproduced),
      ),
      ...result.hangs.map(({ detail, reproduced }, n) =>
        item(crashId('hang', name, n), 'hang', detail, html`<b class="bad">no answer</b>`, reproduced),
      ),
    ];
  });
  if (items.length === 0) return NOTHING;
  return html`<ol class="broke" aria-label="What broke">${items.slice(0, LISTED)}</ol>${items.length > LISTED ? html`<p class="soft">${items.length - LISTED} more below.</p>` : NOTHING}`;
}

/** "CQE user_data=0x1 res=-EACCES flags=0x0" as its result alone. */
function answer(text: string): Markup {
  const result =
    /^CQE user_data=\S+ res=(.+?)(?: flags=0x0)?$/.exec(text)?.[1] ?? /^return(?:s|ed) (.+)$/.exec(text)?.[1] ?? text;
  return html`<code title="${text}">${result.length > 60 ? `${result.slice(0, 60)} …` : result}</code>`;
}
