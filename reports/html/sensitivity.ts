/** The page of a campaign on mutants: how many were seen and how soon, by class, and what was missing for the rest. */
import type { MutantResult, SensitivityResult } from '../data/sensitivity.ts';
import { killText, sensitivityTables, survivors } from '../text/sensitivity.ts';
import { counted, thousands } from '../text/style.ts';
import { pageOf } from './document.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { commandBox, details, facts, inlineCode, plainTable, scroll, section } from './parts.ts';
import { topOf } from './verdict.ts';
import { quoted, replayCommand } from '../text/replay.ts';

/** The page. `out`: the output directory as the user named it. */
export function formatSensitivityHtml(result: SensitivityResult, { out }: { readonly out: string }): string {
  const left = survivors(result);
  return pageOf({
    title: `${word(result)}: mutants of Linux ${result.release}`,
    verdict: result.met ? 'conformant' : 'divergent',
    top: top(result, left.length),
    names: [
      ['classes', 'Classes'],
      ['alive', 'Alive'],
      ['killed', 'Killed'],
      ['needs', 'Not yet'],
    ],
    sections: [
      classes(result),
      aliveSection(left),
      killedSection(result, out),
      needsSection(result.mutants.filter(({ state, needs }) => state !== 'killed' && needs !== undefined)),
    ],
  });
}

const word = ({ met }: SensitivityResult): string => (met ? 'Sensitive' : 'Not sensitive enough');

function top(result: SensitivityResult, left: number): Markup {
  const { total, required, complete, release } = result;
  const killed = total.quick + total.default;
  const said =
    `${killed} of ${counted(total.mutants, 'fault')} put into Linux ${release} were seen, ` +
    `${thousands(left)} ${left === 1 ? 'was' : 'were'} not; ${required} % were asked for` +
    `${complete ? '' : ', and not all were tried'}.`;
  return topOf(
    result.met ? 'conformant' : 'divergent',
    word(result),
    said,
    [
      ['mutants', thousands(total.mutants)],
      ['killed by --quick', thousands(total.quick)],
      ['by a default run only', thousands(total.default)],
      ['alive', thousands(total.alive)],
      ['not reached', thousands(total.unreached)],
      ['within two seconds', thousands(total.soon)],
      ['seed', String(result.seed)],
    ],
    NOTHING,
    result.command,
  );
}

function classes(result: SensitivityResult): Markup {
  const tables = sensitivityTables(result).map(([heads = [], ...rows]) => {
    const [name = '', ...numbers] = heads;
    const body = rows.map(
      ([first = '', ...cells]) =>
        html`<tr><th scope="row">${first}</th>${cells.map((cell) => html`<td class="n">${cell}</td>`)}</tr>\n`,
    );
    return scroll(name, plainTable([name, ...numbers.map((head) => [head, 'n'] as const)], body));
  });
  return section(
    'classes',
    'Classes',
    tables,
    `The same ${counted(result.quick_cases, 'case')} of --quick for each` +
      (result.default_cases > 0 ? `, then ${counted(result.default_cases, 'case')} for what is left.` : '.'),
  );
}

function aliveSection(mutants: readonly MutantResult[]): Markup {
  if (mutants.length === 0) return NOTHING;
  return section('alive', 'Alive', mutants.map(aliveItem), 'What no case has shown, and what was missing.');
}

function aliveItem(mutant: MutantResult): Markup {
  const { id, title, class: kind, file, state, missing, symptom, argument } = mutant;
  const summary = html`${inlineCode(id)} ${title} <span class="soft">${kind}, ${state}</span>`;
  return details(
    summary,
    facts([
      ['missing', missing],
      ['seen by a user as', symptom],
      ['no equivalent, because', argument],
      ['place', html`${inlineCode(mutant.in)} in ${inlineCode(file)}`],
    ]),
  );
}

function killedSection({ mutants: all, kernel }: SensitivityResult, out: string): Markup {
  const mutants = all.filter(({ state }) => state === 'killed');
  if (mutants.length === 0) return NOTHING;
  const items = mutants.map((mutant) => {
    const { id, title, class: kind, kill } = mutant;
    const summary = html`${inlineCode(id)} ${title} <span class="soft">${kind}, ${killText(mutant)}</span>`;
    return details(summary, [
      html`<p>${kill?.detail}</p>`,
      kill?.case !== undefined &&
        commandBox(
          `${replayCommand(out, kill.case)} --kernel ${quoted(kernel)} --append ringfence_mutant=${mutant.number}`,
        ),
    ]);
  });
  return section('killed', 'Killed', items);
}

function needsSection(mutants: readonly MutantResult[]): Markup {
  if (mutants.length === 0) return NOTHING;
  return section(
    'needs',
    'Not yet',
    mutants.map(aliveItem),
    'These need races, failing allocations or a kernel that checks itself.',
  );
}
