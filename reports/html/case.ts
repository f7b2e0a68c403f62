/** A scenario: the task tree, what each step was to answer and did answer, and the filters that had a say. */
import type { Story, StoryFilter, StoryRequest, StoryStep } from '../../oracle/explain/story-data.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { details, hex, ruleLink, scroll } from './parts.ts';
import { programTable } from './program.ts';
import { lanes, legend } from './tree.ts';

const STAGES: Readonly<Record<string, string>> = {
  init: 'refused before anything else looks at it',
  classic: 'refused by classic restrictions',
  prep: 'refused by prep, before the filters',
  filter: 'denied by a filter',
  link: 'cancelled with its chain',
  issue: 'allowed, and runs',
};

/** @param at step that differs, if any */
export function caseFigure(story: Story, at?: number): Markup {
  const { drawn, width } = lanes(story);
  const asked = story.steps.some(({ requests }) => requests.some(({ filters }) => filters.length > 0));
  const setting = [
    ...(story.fixtures.length === 0 ? [] : [`fixtures: ${story.fixtures.join(', ')}`]),
    ...(story.jit ? [] : ['BPF JIT off']),
  ].join('; ');
  return html`<div class="case">${scroll(
    'The case, step by step',
    html`<table class="steps"><caption class="hidden">The case, step by step</caption><thead class="hidden"><tr><th scope="col">Step</th><th scope="col">Task</th><th scope="col">Call and answer</th></tr></thead><tbody>${story.steps.map(
      (step, i) =>
        html`<tr${i === at ? html` class="differs"` : NOTHING}><th scope="row" class="n">${i}</th><td class="tasks" width="${width}">${drawn[i]}</td><td>${stepCell(step, i === at)}</td></tr>\n`,
    )}</tbody></table>`,
  )}${legend(story)}${setting === '' ? NOTHING : html`<p class="legend">${setting}</p>`}${programs(story, at)}${asked || story.programs.length > 0 ? NOTHING : html`<p class="legend">No filter takes part.</p>`}</div>`;
}

function stepCell(step: StoryStep, differs: boolean): Markup {
  const own = differs && step.observed !== undefined && step.observed !== step.predicted && !step.requests.some(unlike);
  return html`<div class="call"><code>${step.call}</code> ${answer(step.predicted, step.observed, own)}</div>${step.requests.map(
    (request, n) => requestRow(request, n, differs),
  )}${step.strays === undefined ? NOTHING : html`<div class="request">CQEs from elsewhere: <code>${step.strays.join('; ')}</code></div>`}`;
}

function unlike({ predicted, observed }: StoryRequest): boolean {
  return observed !== undefined && observed !== predicted;
}

/** One answer where both agree; both where they do not. */
function answer(predicted: string, observed: string | undefined, differs: boolean): Markup {
  if (differs && observed !== undefined)
    return html`<span class="pair"><span>predicted <b>${predicted || 'nothing'}</b></span> <span class="bad">observed <b>${observed || 'nothing'}</b></span></span>`;
  const text = observed ?? predicted;
  return text === '' ? NOTHING : html`<span class="answer"><span aria-hidden="true">→</span> ${text}</span>`;
}

function requestRow(request: StoryRequest, n: number, differs: boolean): Markup {
  const { text, predicted, observed, stage, rule, context, filters } = request;
  return html`<div class="request"><div><span class="soft">#${n}</span> <code>${text}</code> ${answer(predicted, observed, differs && unlike(request))}</div>${
    filters.length === 0
      ? NOTHING
      : html`<ul class="filters">${filters.map((filter) => html`<li>${filterText(filter)}</li>`)}</ul>`
  }${stage === undefined || rule === undefined ? NOTHING : html`<div class="why">The rules: ${STAGES[stage] ?? stage} ${ruleLink(rule)}</div>`}${
    context === undefined
      ? NOTHING
      : html`<div class="why">A filter sees ${context.map(([name, value], i) => html`${i === 0 ? '' : ' '}<code>${name}=${value}</code>`)}</div>`
  }</div>`;
}

function filterText({ step, deny_rest, value }: StoryFilter): string {
  return deny_rest
    ? `deny filter of DENY_REST of step ${step}: denies`
    : `filter of step ${step} returns ${hex(value)}: ${value === 0 ? 'denies' : 'allows'}`;
}

/** Each run of a filter at the step that differs, opened; other programs and runs folded. */
function programs(story: Story, at: number | undefined): Markup {
  const bySteps = new Map(story.programs.map((program) => [program.step, program]));
  const runs = story.steps.flatMap((step, i) =>
    step.requests.flatMap((request, n) =>
      request.filters.flatMap((filter) => {
        const program = bySteps.get(filter.step);
        return filter.deny_rest || program === undefined
          ? []
          : [{ at: i, asked: `asked in step ${i} for #${n}`, filter, program }];
      }),
    ),
  );
  const main = runs.filter((run) => run.at === at);
  const rest = runs.filter((run) => run.at !== at);
  const idle = story.programs.filter((program) => !runs.some((run) => run.program === program));
  const small = idle.filter(({ length }) => length <= 24);
  const large = idle.filter(({ length }) => length > 24);
  return html`${main.slice(0, 6).map(({ program, filter, asked }) => programTable(program, filter, asked))}${
    rest.length + Math.max(0, main.length - 6) === 0
      ? NOTHING
      : details(
          `${rest.length + Math.max(0, main.length - 6)} more ${rest.length + main.length === 1 ? 'run' : 'runs'} of filters`,
          [...main.slice(6), ...rest]
            .slice(0, 24)
            .map(({ program, filter, asked }) => programTable(program, filter, asked)),
        )
  }${small.map((program) => programTable(program))}${
    large.length === 0
      ? NOTHING
      : details(
          `${large.length} more ${large.length === 1 ? 'program' : 'programs'}`,
          large.map((program) => programTable(program)),
        )
  }`;
}
