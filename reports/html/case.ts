/** A scenario: the task tree, what each step was to answer and did answer, and the filters that had a say. */
import type { Story, StoryFilter, StoryRequest, StoryStep } from '../../oracle/explain/story-data.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { hex } from '../../oracle/uapi/text.ts';
import { between, details, ruleLink, scroll } from './parts.ts';
import { programTable } from './program.ts';
import { drawLanes, legend } from './tree.ts';

const STAGES: Readonly<Record<string, string>> = {
  init: 'refused before anything else looks at it',
  classic: 'refused by classic restrictions',
  prep: 'refused by prep, before the filters',
  filter: 'denied by a filter',
  link: 'cancelled with its chain',
  issue: 'allowed, and runs',
};

/**
 * The case as a picture.
 * @param at step that differs, if any
 */
export function caseFigure(story: Story, at?: number): Markup {
  const asked = story.steps.some(({ requests }) => requests.some(({ filters }) => filters.length > 0));
  const setting = [
    ...(story.fixtures.length === 0 ? [] : [`fixtures: ${story.fixtures.join(', ')}`]),
    ...(story.setting !== undefined ? [story.setting] : story.jit ? [] : ['BPF JIT off']),
  ].join('; ');
  return html`<div class="case">
    ${scroll('The case, step by step', stepTable(story, at))}
    ${legend(story)}
    ${setting !== '' && html`<p class="legend">${setting}</p>`}
    ${programs(story, at)}
    ${!asked && story.programs.length === 0 && html`<p class="legend">No filter takes part.</p>`}
  </div>`;
}

function stepTable(story: Story, at: number | undefined): Markup {
  const { drawn, width } = drawLanes(story);
  const rows = story.steps.map(
    (step, i) => html`<tr${i === at && html` class="differs"`}>
      <th scope="row" class="n">${i}</th>
      <td class="tasks" width="${width}">${drawn[i]}</td>
      <td>${stepCell(step, i === at)}</td>
    </tr>\n`,
  );
  return html`<table class="steps">
    <caption class="hidden">The case, step by step</caption>
    <thead class="hidden">
      <tr><th scope="col">Step</th><th scope="col">Task</th><th scope="col">Call and answer</th></tr>
    </thead>
    <tbody>${rows}</tbody>
  </table>`;
}

function stepCell(step: StoryStep, differs: boolean): Markup {
  const { call, predicted, observed, requests, strays } = step;
  const own = differs && observed !== undefined && observed !== predicted && !requests.some(unlike);
  return html`
    <div class="call"><code>${call}</code> ${answer(predicted, observed, own)}</div>
    ${requests.map((request, n) => requestRow(request, n, differs))}
    ${strays !== undefined && html`<div class="request">CQEs from elsewhere: <code>${strays.join('; ')}</code></div>`}
  `;
}

function unlike({ predicted, observed }: StoryRequest): boolean {
  return observed !== undefined && observed !== predicted;
}

/** One answer where both agree; both where they do not. */
function answer(predicted: string, observed: string | undefined, differs: boolean): Markup {
  if (differs && observed !== undefined)
    return html`<span class="pair">
      <span>predicted <b>${predicted || 'nothing'}</b></span> ${observedText(observed)}
    </span>`;
  const text = observed ?? predicted;
  return text === '' ? NOTHING : html`<span class="answer"><span aria-hidden="true">→</span> ${text}</span>`;
}

const observedText = (text: string): Markup => html`<span class="bad">observed <b>${text || 'nothing'}</b></span>`;

function requestRow(request: StoryRequest, n: number, differs: boolean): Markup {
  const { text, predicted, observed, stage, rule, context, filters } = request;
  const said = answer(predicted, observed, differs && unlike(request));
  const asked = filters.map((filter) => html`<li>${filterText(filter)}</li>`);
  const seen = context?.map(([name, value]) => html`<code>${name}=${value}</code>`);
  return html`<div class="request">
    <div><span class="soft">#${n}</span> <code>${text}</code> ${said}</div>
    ${filters.length > 0 && html`<ul class="filters">${asked}</ul>`}
    ${stage !== undefined && rule !== undefined && why(['The rules: ', STAGES[stage] ?? stage, ' ', ruleLink(rule)])}
    ${seen !== undefined && why(['A filter sees ', between(seen, ' ')])}
  </div>`;
}

const why = (text: Part): Markup => html`<div class="why">${text}</div>`;

function filterText({ step, deny_rest, value }: StoryFilter): string {
  return deny_rest
    ? `deny filter of DENY_REST of step ${step}: denies`
    : `filter of step ${step} returns ${hex(value)}: ${value === 0 ? 'denies' : 'allows'}`;
}

/** Runs of filters shown open, and shown at all; programs of more instructions are folded. */
const OPEN_RUNS = 6;
const RUNS = 24;
const SMALL = 24;

/** Each run of a filter at the step that differs, opened; other programs and runs folded. */
function programs(story: Story, at: number | undefined): Part {
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
  const shown = (some: typeof runs): readonly Markup[] =>
    some.map(({ program, filter, asked }) => programTable(program, filter, asked));
  const main = runs.filter((run) => run.at === at);
  const rest = [...main.slice(OPEN_RUNS), ...runs.filter((run) => run.at !== at)];
  const idle = story.programs.filter((program) => !runs.some((run) => run.program === program));
  const large = idle.filter(({ length }) => length > SMALL);
  return [
    shown(main.slice(0, OPEN_RUNS)),
    rest.length > 0 &&
      details(`${rest.length} more ${runs.length === 1 ? 'run' : 'runs'} of filters`, shown(rest.slice(0, RUNS))),
    idle.filter(({ length }) => length <= SMALL).map((program) => programTable(program)),
    large.length > 0 &&
      details(
        `${large.length} more ${large.length === 1 ? 'program' : 'programs'}`,
        large.map((program) => programTable(program)),
      ),
  ];
}
