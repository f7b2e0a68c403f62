/** What went wrong: divergences, crashes, hangs, unconfirmed failures; each with its case and its commands. */
import type { Crash, Divergence, Hang, RunResult } from '../data/result.ts';
import { caseFile, explainCommand, replayCommand } from '../text/replay.ts';
import { counted, thousands } from '../text/style.ts';
import { caseFigure } from './case.ts';
import { anchor, html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { commandBox, details, facts, ruleLink, section, softened, softProse, textBox } from './parts.ts';

/** A run on the page. In a matrix, `name` is the kernel's and `out` its own directory. */
export interface Run {
  readonly result: RunResult;
  /** Prefix of ids; empty for the only run of a page. */
  readonly name: string;
  readonly out: string;
}

/** Cases drawn in full; from the others their text is shown. */
const DRAWN = 40;

/** Divergences, each as an article. */
export function divergencesSection(runs: readonly Run[]): Markup {
  const all = runs.flatMap((run) => run.result.divergences.map((divergence, n) => ({ run, divergence, n })));
  if (all.length === 0) return NOTHING;
  return section(
    'divergences',
    'Divergences',
    all.map(({ run, divergence, n }, i) => divergenceArticle(divergence, n, run, i < DRAWN)),
    `${counted(all.length, 'case')} in which a kernel did not do what it promises; each is the smallest that shows it.`,
  );
}

/** Id of the article on the n-th divergence, from 0. */
export function divergenceId(name: string, n: number): string {
  return anchor('divergence', ...(name === '' ? [] : [name]), n + 1);
}

/** Id of the article on the n-th crash or hang, from 0. */
export function crashId(kind: 'crash' | 'hang', name: string, n: number): string {
  return anchor(kind, ...(name === '' ? [] : [name]), n + 1);
}

/** @param draws the case is drawn, where its story was kept */
function divergenceArticle(divergence: Divergence, n: number, run: Run, draws: boolean): Markup {
  const { rule, statement, source, suite, index, step, what, predicted, observed, reproduced, count } = divergence;
  const { text, scenario } = divergence;
  const { kernel, seed } = run.result;
  const story = draws ? divergence.story : undefined;
  const id = divergenceId(run.name, n);
  return html`<article id="${id}" class="divergence" aria-labelledby="${id}-h">
    <header>
      ${where(run, 'divergence', n)}
      <h3 id="${id}-h"><a href="#rule-${rule}"><code>${softened(rule)}</code></a></h3>
      <blockquote>
        <p>${softProse(statement)}</p>
        ${source !== '' && html`<footer class="cite">${source}</footer>`}
      </blockquote>
    </header>
    <dl class="versus">
      <div><dt>Predicted</dt><dd>${predicted}</dd></div>
      <div class="bad"><dt>Observed</dt><dd>${observed}</dd></div>
    </dl>
    <p class="soft">
      Step ${step} (${what}) on Linux ${kernel.release}; reproduced ${reproduced}; ${counted(
        count,
        'scenario',
      )} of this run; found by suite ${suite}, case ${thousands(index)}, seed ${seed}.
    </p>
    ${story === undefined ? textBox('The case', text) : caseFigure(story, step)}
    ${commands(run.out, caseFile('divergences', n))}
    ${story !== undefined && details('The same as text', textBox('The case as text', text))}
    ${caseJson(scenario)}
  </article>\n`;
}

function where({ name }: Run, what: string, n: number): Markup {
  return html`<p class="where">${name === '' ? '' : `Linux ${name}, `}${what} ${n + 1}</p>`;
}

function commands(out: string, file: string): Markup {
  return html`<div class="commands">
    ${commandBox(replayCommand(out, file))}
    ${commandBox(explainCommand(out, file))}
  </div>`;
}

function caseJson(scenario: unknown): Markup {
  return details('The case as JSON', textBox('The case as JSON', JSON.stringify({ ringfence: 1, scenario }, null, 1)));
}

/** Crashes and hangs, each as an article. */
export function crashesSection(runs: readonly Run[]): Markup {
  const crashes = runs.flatMap((run) => run.result.crashes.map((crash, n) => crashArticle(crash, n, run)));
  const hangs = runs.flatMap((run) => run.result.hangs.map((hang, n) => hangArticle(hang, n, run)));
  if (crashes.length + hangs.length === 0) return NOTHING;
  const title = crashes.length === 0 ? 'Hangs' : hangs.length === 0 ? 'Crashes' : 'Crashes and hangs';
  return section('crashes', title, [...crashes, ...hangs]);
}

function crashArticle(crash: Crash, n: number, run: Run): Markup {
  const title = html`<span class="bad">${crash.kind}</span> ${crash.title}`;
  return lostArticle('crash', n, run, title, crash, textBox('Console', excerpt(crash.console), 'console'));
}

function hangArticle(hang: Hang, n: number, run: Run): Markup {
  const said = hang.console === undefined ? NOTHING : textBox('Kernel', excerpt(hang.console), 'console');
  return lostArticle('hang', n, run, hang.detail, hang, said);
}

/** A case that the guest did not outlive. */
function lostArticle(
  kind: 'crash' | 'hang',
  n: number,
  run: Run,
  title: Part,
  lost: Crash | Hang,
  more: Markup,
): Markup {
  const { suite, index, reproduced, story, scenario } = lost;
  const { release } = run.result.kernel;
  const id = crashId(kind, run.name, n);
  return html`<article id="${id}" class="divergence" aria-labelledby="${id}-h">
    ${where(run, kind, n)}
    <h3 id="${id}-h">${title}</h3>
    <p class="soft">On Linux ${release}; suite ${suite}, case ${thousands(index)}, reproduced ${reproduced}.</p>
    ${more}
    ${story !== undefined && caseFigure(story)}
    ${commands(run.out, caseFile(kind === 'crash' ? 'crashes' : 'hangs', n))}
    ${caseJson(scenario)}
  </article>\n`;
}

/** Lines of a console that are shown: its beginning says what, its end what became of it. */
function excerpt(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.length <= 120
    ? lines.join('\n')
    : [...lines.slice(0, 80), `[... ${lines.length - 110} more lines ...]`, ...lines.slice(-30)].join('\n');
}

/** Cases that failed in a batch only. */
export function unconfirmedSection(runs: readonly Run[]): Markup {
  const items = runs.flatMap(({ result, name, out }) =>
    result.unconfirmed.map((one, n) => {
      const { suite, index, verdict, rule, detail, reproduced } = one;
      const found = `(suite ${suite}, case ${thousands(index)}, reproduced ${reproduced})`;
      const of = rule !== undefined && html` of ${ruleLink(rule)}`;
      return html`<li>
        <p><b>${name === '' ? '' : `${name}: `}${verdict}</b>${of}: ${detail} <span class="soft">${found}</span></p>
        ${commandBox(replayCommand(out, caseFile('unconfirmed', n)))}
      </li>`;
    }),
  );
  if (items.length === 0) return NOTHING;
  return section(
    'unconfirmed',
    'Unconfirmed',
    html`<ul class="plain">${items}</ul>`,
    'Failed in a batch and passed every time when run alone. Not counted as failed; a race may hide here.',
  );
}

/** Cases that no answer came of. */
export function unjudgedSection(runs: readonly Run[]): Markup {
  const items = runs.flatMap(({ result, name }) =>
    result.runner_errors.map(
      ({ index, detail }) => [`${name === '' ? '' : `${name}, `}case ${thousands(index)}`, detail] as const,
    ),
  );
  return items.length === 0
    ? NOTHING
    : section(
        'unjudged',
        'Not judged',
        facts(items.slice(0, 50), 'facts wide'),
        `${counted(items.length, 'scenario')} could not be judged.`,
      );
}
