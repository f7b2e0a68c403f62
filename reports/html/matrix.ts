/** Kernels side by side: what each answered, what changes from one to the next, and why. */
import type {
  Cause,
  Change,
  FindingCell,
  KernelState,
  MatrixKernel,
  MatrixResult,
  Pair,
  RuleCell,
  SuiteCell,
} from '../data/matrix.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { between, commandBox, details, inlineCode, plainTable, ruleLink, scroll, section, softProse } from './parts.ts';
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

/** Kernels as columns, and what changes between neighbours. */
export function matrixSection(matrix: MatrixResult, out: string): Markup {
  const { kernels, rules, cases } = matrix;
  const troubled = kernels.filter(({ reason, note }) => reason !== undefined || note !== undefined);
  const all = rules.map(({ rule, cells }) => row(ruleLink(rule), cells.map(ruleCell)));
  return section(
    'kernels',
    'Kernels',
    [
      scroll('Kernels', kernelTable(matrix)),
      key(),
      troubled.length > 0 && html`<ul class="plain">${troubled.map(troubleItem)}</ul>`,
      details(
        `All ${rules.length} rules`,
        scroll(
          'All rules on all kernels',
          html`<table class="matrix">${tableHead(kernels)}<tbody>${all}</tbody></table>`,
        ),
      ),
      comparison(matrix, out),
    ],
    `${counted(kernels.length, 'kernel')}, oldest first; the same ${counted(cases, 'scenario')} on each.`,
  );
}

function kernelTable(matrix: MatrixResult): Markup {
  const { kernels, suites, rules, findings, abi } = matrix;
  const changed = rules.filter(({ story, cells }) => story !== '' || cells.some((cell) => cell?.state === 'broken'));
  const blocks: readonly (readonly [title: string, rows: readonly Markup[]])[] = [
    ['Each by the rules', ownRows(kernels)],
    [
      'Rules that change or break',
      changed.map(({ rule, cells, story }) => row(ruleLink(rule), cells.map(ruleCell), story)),
    ],
    ['Findings', findings.map(({ id, cells, story }) => row(inlineCode(id), cells.map(findingCell), story))],
    [
      'ABI, as probed',
      abi
        .filter(({ differs }) => differs)
        .map(({ field, values, story }) => row(inlineCode(field), values.map(valueCell), story)),
    ],
    ['Suites: scenarios that differ', suites.map(({ suite, cells }) => row(suite, cells.map(suiteCell)))],
  ];
  return html`<table class="matrix">
    <caption class="hidden">Kernels, oldest first</caption>
    ${tableHead(kernels)}
    ${blocks.map(([title, rows]) => rows.length > 0 && block(title, rows, kernels.length + 1))}
  </table>`;
}

function tableHead(kernels: readonly MatrixKernel[]): Markup {
  const heads = kernels.map(({ name, release, note = '' }) => {
    const title = [release, note].filter((text) => text !== '').join('; ');
    return html`<th scope="col" title="${title}">${name}</th>`;
  });
  return html`<thead><tr><td></td>${heads}</tr></thead>`;
}

function row(name: Part, cells: readonly Markup[], note = ''): Markup {
  return html`<tr><th scope="row">${name}${note !== '' && html`<small>${note}</small>`}</th>${cells}</tr>\n`;
}

function block(title: string, rows: readonly Markup[], span: number): Markup {
  return html`<tbody>
    <tr class="block"><th colspan="${span}" scope="rowgroup"><span>${title}</span></th></tr>
    ${rows}
  </tbody>`;
}

/** What is said of each kernel by itself. */
function ownRows(kernels: readonly MatrixKernel[]): readonly Markup[] {
  const numbers = (name: string, of: (kernel: MatrixKernel) => number, bad = false): Markup =>
    row(
      name,
      kernels.map((kernel) => {
        const value = of(kernel);
        const text = value === 0 && kernel.outcomes === 0 ? '' : thousands(value);
        return html`<td class="n${bad && value > 0 ? ' broken' : ''}">${text}</td>`;
      }),
    );
  const states = kernels.map(
    ({ state, reason }) => html`<td class="state ${state}"${reason !== undefined && html` title="${reason}"`}>
      ${STATES[state]}
    </td>`,
  );
  const times = kernels.map(
    ({ wall_s, outcomes }) => html`<td class="n">${outcomes === 0 ? '' : duration(wall_s)}</td>`,
  );
  return [
    row('verdict', states),
    numbers('answers compared', ({ outcomes }) => outcomes),
    numbers('divergences', ({ divergences }) => divergences, true),
    numbers('crashes', ({ crashes }) => crashes, true),
    numbers('hangs', ({ hangs }) => hangs, true),
    numbers('scenarios with known findings', ({ known }) => known),
    row('wall time', times),
  ];
}

function ruleCell(cell: RuleCell | null): Markup {
  if (cell === null) return html`<td></td>`;
  const [mark, word] = RULE_MARKS[cell.state];
  return html`<td class="cell ${cell.state}" title="${word}, ${counted(cell.hits, 'hit')}">
    <span aria-hidden="true">${mark}</span><span class="hidden">${word}</span>
  </td>`;
}

function findingCell(cell: FindingCell | null): Markup {
  if (cell === null) return html`<td></td>`;
  const { state, expected, scenarios } = cell;
  const [mark, word] = FINDING_MARKS[state];
  const said = expected ? word : `${word}, which its own list of kernels does not say`;
  const title = `${said}; ${counted(scenarios, 'scenario')}`;
  return html`<td class="cell ${expected ? state : 'broken'}" title="${title}">
    <span aria-hidden="true">${mark}${expected ? '' : '!'}</span>
    <span class="hidden">${word}${expected ? '' : ', unexpected'}</span>
  </td>`;
}

const valueCell = (value: string | null): Markup => html`<td class="n">${value ?? ''}</td>`;

function suiteCell(cell: SuiteCell | null): Markup {
  if (cell === null) return html`<td></td>`;
  const { scenarios, outcomes, known, divergence, other } = cell;
  const answers = `${thousands(outcomes)} answers in ${thousands(scenarios)} scenarios, ${thousands(known)} known`;
  return html`<td class="n${divergence + other > 0 ? ' broken' : ''}" title="${answers}">
    ${thousands(divergence + other)}
  </td>`;
}

function key(): Markup {
  const marks = Object.values(RULE_MARKS).map(([mark, word]) => html`<span aria-hidden="true">${mark}</span> ${word}`);
  return html`<p class="legend">
    ${between(marks, ', ')}; <span aria-hidden="true">○</span> finding does not show; <b>!</b> not as its own list says.
  </p>`;
}

function troubleItem({ name, state, reason, note }: MatrixKernel): Markup {
  const why = `${reason === undefined ? '' : `: ${reason}`}${note === undefined ? '' : ` (${note})`}`;
  return html`<li><b>${name}</b> ${STATES[state]}${why}</li>`;
}

function comparison({ comparison: { pairs, changes } }: MatrixResult, out: string): Markup {
  if (pairs.length === 0) return NOTHING;
  const heads = ['scenarios', 'same', 'explained', 'varying', 'not asked again', 'unexplained'];
  return html`
    <h3>Each kernel against the next, without the rules</h3>
    ${scroll(
      'Neighbouring kernels',
      plainTable(['older', 'newer', ...heads.map((head) => [head, 'n'] as const)], pairs.map(pairRow)),
    )}
    ${
      changes.length === 0
        ? html`<p>No two neighbours answer a scenario differently.</p>`
        : html`<ol class="changes">${changes.map((change) => changeItem(change, out))}</ol>`
    }
  `;
}

function pairRow({ from, to, shared, same, explained, varying, unexamined, unexplained }: Pair): Markup {
  const numbers = [shared, same, explained, varying, unexamined].map(
    (value) => html`<td class="n">${thousands(value)}</td>`,
  );
  return html`<tr>
    <th scope="row">${from}</th><th scope="row">${to}</th>
    ${numbers}
    <td class="n${unexplained > 0 ? ' broken' : ''}">${thousands(unexplained)}</td>
  </tr>\n`;
}

function changeItem({ from, to, causes, scenarios, suites, example }: Change, out: string): Markup {
  const bad = causes.some(({ kind }) => kind === 'unexplained');
  const counts = Object.entries(suites).map(([suite, count]) => `${suite} ${thousands(count)}`);
  const told = causes.map(
    (cause) => html`<span${cause.kind === 'unexplained' && html` class="bad"`}>${causeText(cause)}</span>`,
  );
  const many = counted(scenarios, 'scenario');
  const { step, answer_from, answer_to, file } = example;
  const summary = html`
    Smallest case, step ${step}: ${from} answers ${softProse(answer_from)}; ${to} ${softProse(answer_to)}
  `;
  return html`<li>
    <b>${from} → ${to}</b> ${many} <span class="soft">(${counts.join(', ')})</span>: ${between(told, '; ')}
    ${details(summary, commandBox(replayCommand(out, file)), bad)}
  </li>`;
}

const age = (side: 'from' | 'to'): string => (side === 'from' ? 'older' : 'newer');

function causeText(cause: Cause): Markup {
  switch (cause.kind) {
    case 'finding':
      return html`known finding ${inlineCode(cause.id)}, only on the ${age(cause.shown_on)}`;
    case 'expected':
      return html`expectation ${inlineCode(cause.id)}, met by the ${age(cause.shown_on)} alone`;
    case 'abi':
      return html`the ABI: ${inlineCode(cause.field)} is ${cause.from}, then ${cause.to}`;
    case 'open':
      return html`left open by ${ruleLink(cause.rule)}`;
    case 'unexplained':
      return html`unexplained: ${softProse(cause.detail)}`;
  }
}
