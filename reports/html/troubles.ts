/** What went wrong: divergences, crashes, hangs, unconfirmed failures; each with its case and its commands. */
import type { Crash, Divergence, Hang, RunResult } from '../data/result.ts';
import { caseFile, explainCommand, replayCommand } from '../text/replay.ts';
import { counted, thousands } from '../text/style.ts';
import { caseFigure } from './case.ts';
import { anchor, html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { command, details, facts, prose, ruleLink, section, softened } from './parts.ts';

/** A run on the page. In a matrix, `name` is the kernel's and `out` its own directory. */
export interface Run {
  readonly result: RunResult;
  /** Prefix of ids; empty for the only run of a page. */
  readonly name: string;
  readonly out: string;
}

/** Cases drawn in full; from the others their text is shown. */
const DRAWN = 40;

export function divergencesSection(runs: readonly Run[]): Markup {
  const all = runs.flatMap((run) => run.result.divergences.map((divergence, n) => ({ run, divergence, n })));
  if (all.length === 0) return NOTHING;
  return section(
    'divergences',
    'Divergences',
    all.map(({ run, divergence, n }, i) => divergenceArticle(divergence, n, run, i)),
    `${counted(all.length, 'case')} in which a kernel did not do what it promises; each is the smallest that shows it.`,
  );
}

export function divergenceId(name: string, n: number): string {
  return anchor('divergence', ...(name === '' ? [] : [name]), n + 1);
}

function divergenceArticle(divergence: Divergence, n: number, { result, name, out }: Run, place: number): Markup {
  const {
    rule,
    statement,
    source,
    suite,
    index,
    step,
    what,
    predicted,
    observed,
    reproduced,
    count,
    story,
    text,
    scenario,
  } = divergence;
  const id = divergenceId(name, n);
  const file = caseFile('divergences', n);
  return html`<article id="${id}" class="divergence" aria-labelledby="${id}-h"><header><p class="where">${name === '' ? '' : `Linux ${name}, `}divergence ${n + 1}</p><h3 id="${id}-h"><a href="#rule-${rule}"><code>${softened(rule)}</code></a></h3><blockquote><p>${prose(statement)}</p>${source === '' ? NOTHING : html`<footer class="cite">${source}</footer>`}</blockquote></header>
<dl class="versus"><div><dt>Predicted</dt><dd>${predicted}</dd></div><div class="bad"><dt>Observed</dt><dd>${observed}</dd></div></dl>
<p class="soft">Step ${step} (${what}) on Linux ${result.kernel.release}; reproduced ${reproduced}; ${counted(count, 'scenario')} of this run; found by suite ${suite}, case ${thousands(index)}, seed ${result.seed}.</p>
${story === undefined || place >= DRAWN ? html`<div class="scroll" tabindex="0" role="region" aria-label="The case"><pre>${text}</pre></div>` : caseFigure(story, step)}
${commands(out, file)}${story === undefined || place >= DRAWN ? NOTHING : details('The same as text', html`<div class="scroll" tabindex="0" role="region" aria-label="The case as text"><pre>${text}</pre></div>`)}${caseJson(scenario)}</article>\n`;
}

function commands(out: string, file: string): Markup {
  return html`<div class="commands">${command(replayCommand(out, file))}${command(explainCommand(out, file))}</div>`;
}

function caseJson(scenario: unknown): Markup {
  return details(
    'The case as JSON',
    html`<div class="scroll" tabindex="0" role="region" aria-label="The case as JSON"><pre>${JSON.stringify({ ringfence: 1, scenario }, null, 1)}</pre></div>`,
  );
}

export function crashesSection(runs: readonly Run[]): Markup {
  const crashes = runs.flatMap((run) => run.result.crashes.map((crash, n) => crashArticle(crash, n, run)));
  const hangs = runs.flatMap((run) => run.result.hangs.map((hang, n) => hangArticle(hang, n, run)));
  if (crashes.length + hangs.length === 0) return NOTHING;
  const title = crashes.length === 0 ? 'Hangs' : hangs.length === 0 ? 'Crashes' : 'Crashes and hangs';
  return section('crashes', title, [...crashes, ...hangs]);
}

export function crashId(kind: 'crash' | 'hang', name: string, n: number): string {
  return anchor(kind, ...(name === '' ? [] : [name]), n + 1);
}

function crashArticle(
  { kind, title, console: said, suite, index, reproduced, story, scenario }: Crash,
  n: number,
  { name, out, result }: Run,
): Markup {
  const id = crashId('crash', name, n);
  return html`<article id="${id}" class="divergence" aria-labelledby="${id}-h"><p class="where">${name === '' ? '' : `Linux ${name}, `}crash ${n + 1}</p><h3 id="${id}-h"><span class="bad">${kind}</span> ${title}</h3><p class="soft">On Linux ${result.kernel.release}; suite ${suite}, case ${thousands(index)}, reproduced ${reproduced}.</p><div class="scroll console" tabindex="0" role="region" aria-label="Console"><pre>${excerpt(said)}</pre></div>${story === undefined ? NOTHING : caseFigure(story)}${commands(out, caseFile('crashes', n))}${caseJson(scenario)}</article>\n`;
}

/** Lines of a console that are shown: its beginning says what, its end what became of it. */
function excerpt(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.length <= 120
    ? lines.join('\n')
    : [...lines.slice(0, 80), `[... ${lines.length - 110} more lines ...]`, ...lines.slice(-30)].join('\n');
}

function hangArticle(
  { detail, suite, index, reproduced, story, scenario }: Hang,
  n: number,
  { name, out, result }: Run,
): Markup {
  const id = crashId('hang', name, n);
  return html`<article id="${id}" class="divergence" aria-labelledby="${id}-h"><p class="where">${name === '' ? '' : `Linux ${name}, `}hang ${n + 1}</p><h3 id="${id}-h">${detail}</h3><p class="soft">On Linux ${result.kernel.release}; suite ${suite}, case ${thousands(index)}, reproduced ${reproduced}.</p>${story === undefined ? NOTHING : caseFigure(story)}${commands(out, caseFile('hangs', n))}${caseJson(scenario)}</article>\n`;
}

export function unconfirmedSection(runs: readonly Run[]): Markup {
  const items = runs.flatMap(({ result, name, out }) =>
    result.unconfirmed.map(
      ({ suite, index, verdict, rule, detail, reproduced }, n) =>
        html`<li><p><b>${name === '' ? '' : `${name}: `}${verdict}</b>${rule === undefined ? NOTHING : html` of ${ruleLink(rule)}`}: ${detail} <span class="soft">(suite ${suite}, case ${thousands(index)}, reproduced ${reproduced})</span></p>${command(replayCommand(out, caseFile('unconfirmed', n)))}</li>`,
    ),
  );
  if (items.length === 0) return NOTHING;
  return section(
    'unconfirmed',
    'Unconfirmed',
    html`<ul class="plain">${items}</ul>`,
    'Failed in a batch and passed every time when run alone. Not counted as failed; a race may hide here.',
  );
}

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
