/** Kernels side by side: what each answered, what changes from one to the next, and why. */
import type { Cause, Change, FindingCell, KernelState, MatrixResult, RuleCell } from '../data/matrix.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { code, command, details, prose, ruleLink, scroll, section } from './parts.ts';
import { replayCommand } from '../text/replay.ts';

const STATES: Readonly<Record<KernelState, string>> = {
  conformant: 'conformant',
  divergent: 'divergent',
  untestable: 'not testable',
  interrupted: 'interrupted',
  unsupported: 'unsupported',
  unavailable: 'not available',
  'not-run': 'not run',
};

const RULE_MARKS: Readonly<Record<RuleCell['state'], readonly [mark: string, word: string]>> = {
  kept: ['●', 'kept'],
  known: ['◐', 'known finding'],
  broken: ['✕', 'broken'],
  unreached: ['·', 'never reached'],
};
const FINDING_MARKS: Readonly<Record<FindingCell['state'], readonly [mark: string, word: string]>> = {
  shown: ['◐', 'shows'],
  absent: ['○', 'does not show'],
  other: ['✕', 'answers in a third way'],
};

export function matrixSection(matrix: MatrixResult, out: string): Markup {
  const { kernels, suites, rules, findings, abi } = matrix;
  const changed = rules.filter(({ story, cells }) => story !== '' || cells.some((cell) => cell?.state === 'broken'));
  const differing = abi.filter(({ differs }) => differs);
  const span = kernels.length + 1;
  const head = html`<thead><tr><td></td>${kernels.map(({ name, release, note }) => html`<th scope="col" title="${[release, note].filter((text) => text !== undefined && text !== '').join('; ')}">${name}</th>`)}</tr></thead>`;
  const row = (name: Part, cells: readonly Markup[], note = ''): Markup =>
    html`<tr><th scope="row">${name}${note === '' ? NOTHING : html`<small>${note}</small>`}</th>${cells}</tr>\n`;
  const block = (title: string, body: readonly Markup[]): Markup =>
    body.length === 0
      ? NOTHING
      : html`<tbody><tr class="block"><th colspan="${span}" scope="rowgroup"><span>${title}</span></th></tr>${body}</tbody>`;
  const numbers = (name: string, of: (kernel: MatrixResult['kernels'][number]) => number, bad = false): Markup =>
    row(
      name,
      kernels.map((kernel) => {
        const value = of(kernel);
        return html`<td class="n${bad && value > 0 ? ' broken' : ''}">${value === 0 && kernel.outcomes === 0 ? '' : thousands(value)}</td>`;
      }),
    );
  const table = html`<table class="matrix"><caption class="hidden">Kernels, oldest first</caption>${head}${block(
    'Each by the rules',
    [
      row(
        'verdict',
        kernels.map(
          ({ state, reason }) =>
            html`<td class="state ${state}"${reason === undefined ? NOTHING : html` title="${reason}"`}>${STATES[state]}</td>`,
        ),
      ),
      numbers('answers compared', ({ outcomes }) => outcomes),
      numbers('divergences', ({ divergences }) => divergences, true),
      numbers('crashes', ({ crashes }) => crashes, true),
      numbers('hangs', ({ hangs }) => hangs, true),
      numbers('scenarios with known findings', ({ known }) => known),
      row(
        'wall time',
        kernels.map(({ wall_s, outcomes }) => html`<td class="n">${outcomes === 0 ? '' : duration(wall_s)}</td>`),
      ),
    ],
  )}${block(
    'Rules that change or break',
    changed.map(({ rule, cells, story }) => row(ruleLink(rule), cells.map(ruleCell), story)),
  )}${block(
    'Findings',
    findings.map(({ id, cells, story }) => row(code(id), cells.map(findingCell), story)),
  )}${block(
    'ABI, as probed',
    differing.map(({ field, values, story }) =>
      row(
        code(field),
        values.map((value) => html`<td class="n">${value ?? ''}</td>`),
        story,
      ),
    ),
  )}${block(
    'Suites: scenarios that differ',
    suites.map(({ suite, cells }) =>
      row(
        suite,
        cells.map((cell) =>
          cell === null
            ? html`<td></td>`
            : html`<td class="n${cell.divergence + cell.other > 0 ? ' broken' : ''}" title="${thousands(cell.outcomes)} answers in ${thousands(cell.scenarios)} scenarios, ${thousands(cell.known)} known">${thousands(cell.divergence + cell.other)}</td>`,
        ),
      ),
    ),
  )}</table>`;
  const key = html`<p class="legend">${Object.values(RULE_MARKS).map(([mark, word], i) => html`${i === 0 ? '' : ', '}<span aria-hidden="true">${mark}</span> ${word}`)}; <span aria-hidden="true">○</span> finding does not show; <b>!</b> not as its own list says.</p>`;
  const troubled = kernels.filter(({ reason, note }) => reason !== undefined || note !== undefined);
  const all = details(
    `All ${rules.length} rules`,
    scroll(
      'All rules on all kernels',
      html`<table class="matrix">${head}<tbody>${rules.map(({ rule, cells }) => row(ruleLink(rule), cells.map(ruleCell)))}</tbody></table>`,
    ),
  );
  return section(
    'kernels',
    'Kernels',
    html`${scroll('Kernels', table)}${key}${
      troubled.length === 0
        ? NOTHING
        : html`<ul class="plain">${troubled.map(({ name, state, reason, note }) => html`<li><b>${name}</b> ${STATES[state]}${reason === undefined ? '' : `: ${reason}`}${note === undefined ? '' : ` (${note})`}</li>`)}</ul>`
    }${all}${comparison(matrix, out)}`,
    `${counted(kernels.length, 'kernel')}, oldest first; the same ${counted(matrix.cases, 'scenario')} on each.`,
  );
}

function ruleCell(cell: RuleCell | null): Markup {
  if (cell === null) return html`<td></td>`;
  const [mark, word] = RULE_MARKS[cell.state];
  return html`<td class="cell ${cell.state}" title="${word}, ${counted(cell.hits, 'hit')}"><span aria-hidden="true">${mark}</span><span class="hidden">${word}</span></td>`;
}

function findingCell(cell: FindingCell | null): Markup {
  if (cell === null) return html`<td></td>`;
  const [mark, word] = FINDING_MARKS[cell.state];
  return html`<td class="cell ${cell.expected ? cell.state : 'broken'}" title="${word}${cell.expected ? '' : ', which its own list of kernels does not say'}; ${counted(cell.scenarios, 'scenario')}"><span aria-hidden="true">${mark}${cell.expected ? '' : '!'}</span><span class="hidden">${word}${cell.expected ? '' : ', unexpected'}</span></td>`;
}

function comparison({ comparison: { pairs, changes } }: MatrixResult, out: string): Markup {
  if (pairs.length === 0) return NOTHING;
  const rows = pairs.map(
    (pair) =>
      html`<tr><th scope="row">${pair.from}</th><th scope="row">${pair.to}</th>${([pair.shared, pair.same, pair.explained, pair.varying, pair.unexamined] as const).map((value) => html`<td class="n">${thousands(value)}</td>`)}<td class="n${pair.unexplained > 0 ? ' broken' : ''}">${thousands(pair.unexplained)}</td></tr>\n`,
  );
  return html`<h3>Each kernel against the next, without the rules</h3>${scroll('Neighbouring kernels', html`<table><thead><tr><th scope="col">older</th><th scope="col">newer</th><th scope="col" class="n">scenarios</th><th scope="col" class="n">same</th><th scope="col" class="n">explained</th><th scope="col" class="n">varying</th><th scope="col" class="n">not asked again</th><th scope="col" class="n">unexplained</th></tr></thead><tbody>${rows}</tbody></table>`)}${
    changes.length === 0
      ? html`<p>No two neighbours answer a scenario differently.</p>`
      : html`<ol class="changes">${changes.map((change) => changeItem(change, out))}</ol>`
  }`;
}

function changeItem({ from, to, causes, scenarios, suites, example }: Change, out: string): Markup {
  const bad = causes.some(({ kind }) => kind === 'unexplained');
  return html`<li><b>${from} → ${to}</b> ${counted(scenarios, 'scenario')} <span class="soft">(${Object.entries(suites)
    .map(([suite, count]) => `${suite} ${thousands(count)}`)
    .join(
      ', ',
    )})</span>: ${causes.map((cause, i) => html`${i === 0 ? '' : '; '}<span${cause.kind === 'unexplained' ? html` class="bad"` : NOTHING}>${causeText(cause)}</span>`)}${details(html`Smallest case, step ${example.step}: ${from} answers ${prose(example.answer_from)}; ${to} ${prose(example.answer_to)}`, command(replayCommand(out, example.file)), bad)}</li>`;
}

function causeText(cause: Cause): Markup {
  switch (cause.kind) {
    case 'finding':
      return html`known finding <code>${cause.id}</code>, only on the ${cause.shown_on === 'from' ? 'older' : 'newer'}`;
    case 'expected':
      return html`expectation <code>${cause.id}</code>, met by the ${cause.shown_on === 'from' ? 'older' : 'newer'} alone`;
    case 'abi':
      return html`the ABI: <code>${cause.field}</code> is ${cause.from}, then ${cause.to}`;
    case 'open':
      return html`left open by ${ruleLink(cause.rule)}`;
    case 'unexplained':
      return html`unexplained: ${prose(cause.detail)}`;
  }
}
