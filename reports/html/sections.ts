/** Known findings, expectations, and what the run was made with. */
import type { MatrixResult } from '../data/matrix.ts';
import type { ExpectationResult, RunResult } from '../data/result.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { commandBox, facts, inlineCode, plainTable, ruleLink, scroll, section } from './parts.ts';
import type { Run } from './troubles.ts';

/** Known findings that showed, and those that should have. */
export function knownSection(runs: readonly Run[]): Markup {
  const known = runs.flatMap(({ result, name }) => result.known.map((one) => ({ name, ...one })));
  const missing = runs.flatMap(({ result, name }) => result.missing_findings.map((one) => ({ name, ...one })));
  if (known.length + missing.length === 0) return NOTHING;
  const many = runs.length > 1;
  const rows = known.map(
    ({ name, id, title, rule, scenarios }) => html`<tr>
      ${many && html`<th scope="row">${name}</th>`}
      <td>${inlineCode(id)}</td>
      <td class="words">${title}</td>
      <td>${ruleLink(rule)}</td>
      <td class="n">${thousands(scenarios)}</td>
    </tr>\n`,
  );
  const heads = [many && 'kernel', 'finding', 'what', 'rule it breaks', ['scenarios', 'n']] as const;
  const absent = missing.map(({ name, id, reason }) => [`${many ? `${name}: ` : ''}${id}`, reason] as const);
  return section(
    'known',
    'Known findings',
    [
      known.length > 0 && scroll('Known findings', plainTable(heads, rows)),
      missing.length > 0 && html`<h3>Expected and not shown</h3>${facts(absent, 'facts wide')}`,
    ],
    'Promises that released kernels break, answered to the last value as the model of each finding says.',
  );
}

/** Entries of --expect, and what became of each. */
export function expectationsSection(runs: readonly Run[]): Markup {
  const many = runs.length > 1;
  const rows = runs.flatMap(({ result, name }) =>
    result.expectations.map((one) => expectationRow(one, many ? name : undefined)),
  );
  if (rows.length === 0) return NOTHING;
  const strict = runs.some(({ result }) => result.policy?.strict === true);
  const heads = [many && 'kernel', 'id', 'rule', 'kernels', 'reason', 'until', 'state', ['scenarios', 'n']] as const;
  return section(
    'expectations',
    'Expectations',
    scroll('Expectations', plainTable(heads, rows)),
    `What this gate expects to differ${
      strict ? '; strict: an entry that is expired, gone or reached by no case fails the run' : ''
    }.`,
  );
}

/** @param name of the kernel, where there are several */
function expectationRow(one: ExpectationResult, name: string | undefined): Markup {
  const { id, rule, kernels, reason, link, expires, expired, state, scenarios, problem, file } = one;
  // Other schemes, such as javascript:, stay text.
  const target = /^https?:\/\//.test(link) ? html`<a href="${link}" rel="noreferrer noopener">${link}</a>` : link;
  return html`<tr>
    ${name !== undefined && html`<th scope="row">${name}</th>`}
    <td>${inlineCode(id)}<div class="cite">${file}</div></td>
    <td>${ruleLink(rule)}</td>
    <td>${kernels}</td>
    <td class="words">${reason}${link !== '' && html` <span class="cite">${target}</span>`}</td>
    <td${expired && html` class="bad"`}><span class="date">${expires}</span>${expired && ' expired'}</td>
    <td class="words">${problem === '' ? state : html`<b class="bad">${state}</b>: ${problem}`}</td>
    <td class="n">${thousands(scenarios)}</td>
  </tr>\n`;
}

/** Kernel, tools and machine, and the command that repeats it. */
export function setupSection(runs: readonly Run[], matrix: MatrixResult | undefined): Markup {
  const one = runs.length === 1 ? runs[0]!.result : undefined;
  const body: Part =
    one === undefined
      ? [
          runs.map(({ result, name }) => html`<h3>${name}</h3>${facts(setup(result), 'facts wide')}`),
          matrix !== undefined && facts(Object.entries(matrix.versions), 'facts wide'),
        ]
      : html`${facts(setup(one), 'facts wide')}<h3>ABI, as probed</h3>${facts(abi(one), 'facts wide')}`;
  const again = commandBox(matrix?.command ?? one?.command ?? '');
  return section('setup', 'Made with', html`${body}<h3>Repeat it</h3>${again}`);
}

type Fact = readonly [name: string, value: Part];

function setup({ kernel, accel, jobs, versions, times, seed, shard }: RunResult): readonly Fact[] {
  const { guest_busy, boot_s, oracle_s, reboots, started } = times;
  const busy = `busy ${Math.round(guest_busy * 100)} % of the time, booted in ${duration(boot_s)}`;
  return [
    ...kernelFacts(kernel),
    [
      'accelerator',
      accel.reason.toLowerCase().startsWith(accel.name) ? accel.reason : `${accel.name}: ${accel.reason}`,
    ],
    ['guests', `${jobs}, ${busy}, ${reboots} booted again`],
    ['oracle', `${duration(oracle_s)} in all`],
    ['seed', `${seed}${shard === undefined ? '' : `, shard ${shard.index} of ${shard.count}`}`],
    ['started', started],
    ...Object.entries(versions),
  ];
}

function kernelFacts({ release, machine, source, append, note, origin, sha256 }: RunResult['kernel']): readonly Fact[] {
  const tree = Object.entries(origin ?? {}).map(
    ([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return [
    ['kernel', `${release} ${machine}, ${source}${append === '' ? '' : `, command line "${append}"`}`],
    ...(note === undefined ? [] : [['note', note] as const]),
    ...(origin === undefined ? [] : [['origin', tree.join('; ')] as const]),
    ['SHA-256', html`<code class="break">${sha256}</code>`],
  ];
}

function abi({ abi: profile }: RunResult): [string, string][] {
  return Object.entries(profile).map(([name, value]) => [name, valueText(value)]);
}

/** Arrays with many equal values, such as the payload size of each opcode, by their exceptions. */
function valueText(value: unknown): string {
  if (Array.isArray(value)) {
    const all = value.map(String);
    const shown = all.flatMap((text, i) => (text === '0' ? [] : [`${i}: ${text}`]));
    return all.length <= 8 || shown.length === all.length
      ? all.join(', ')
      : `${counted(all.length, 'value')}; not 0: ${shown.join(', ') || 'none'}`;
  }
  if (typeof value === 'object' && value !== null)
    return Object.entries(value)
      .map(([name, one]) => `${name} ${String(one)}`)
      .join(', ');
  return typeof value === 'number' && value > 0xffff ? `0x${value.toString(16)}` : String(value);
}
