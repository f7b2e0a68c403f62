/** Known findings, expectations, and what the run was made with. */
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult } from '../data/result.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { code, command, facts, ruleLink, scroll, section } from './parts.ts';
import type { Run } from './troubles.ts';

export function knownSection(runs: readonly Run[]): Markup {
  const known = runs.flatMap(({ result, name }) => result.known.map((one) => ({ name, ...one })));
  const missing = runs.flatMap(({ result, name }) => result.missing_findings.map((one) => ({ name, ...one })));
  if (known.length + missing.length === 0) return NOTHING;
  const many = runs.length > 1;
  const table =
    known.length === 0
      ? NOTHING
      : scroll(
          'Known findings',
          html`<table><thead><tr>${many ? html`<th scope="col">kernel</th>` : NOTHING}<th scope="col">finding</th><th scope="col">what</th><th scope="col">rule it breaks</th><th scope="col" class="n">scenarios</th></tr></thead><tbody>${known.map(
            ({ name, id, title, rule, scenarios }) =>
              html`<tr>${many ? html`<th scope="row">${name}</th>` : NOTHING}<td>${code(id)}</td><td class="words">${title}</td><td>${ruleLink(rule)}</td><td class="n">${thousands(scenarios)}</td></tr>\n`,
          )}</tbody></table>`,
        );
  return section(
    'known',
    'Known findings',
    html`${table}${
      missing.length === 0
        ? NOTHING
        : html`<h3>Expected and not shown</h3>${facts(
            missing.map(({ name, id, reason }) => [`${many ? `${name}: ` : ''}${id}`, reason] as const),
            'facts wide',
          )}`
    }`,
    'Promises that released kernels break, answered to the last value as the model of each finding says.',
  );
}

export function expectationsSection(runs: readonly Run[]): Markup {
  const many = runs.length > 1;
  const all = runs.flatMap(({ result, name }) => result.expectations.map((one) => ({ name, ...one })));
  if (all.length === 0) return NOTHING;
  const rows = all.map(
    ({ name, id, rule, kernels, reason, link, expires, expired, state, scenarios, problem, file }) =>
      html`<tr>${many ? html`<th scope="row">${name}</th>` : NOTHING}<td>${code(id)}<div class="cite">${file}</div></td><td>${ruleLink(rule)}</td><td>${kernels}</td><td class="words">${reason}${link === '' ? NOTHING : html` <span class="cite">${/^https?:\/\//.test(link) ? html`<a href="${link}" rel="noreferrer noopener">${link}</a>` : link}</span>`}</td><td${expired ? html` class="bad"` : NOTHING}><span class="date">${expires}</span>${expired ? ' expired' : ''}</td><td class="words">${problem === '' ? state : html`<b class="bad">${state}</b>: ${problem}`}</td><td class="n">${thousands(scenarios)}</td></tr>\n`,
  );
  const strict = runs.some(({ result }) => result.policy?.strict === true);
  return section(
    'expectations',
    'Expectations',
    scroll(
      'Expectations',
      html`<table><thead><tr>${many ? html`<th scope="col">kernel</th>` : NOTHING}<th scope="col">id</th><th scope="col">rule</th><th scope="col">kernels</th><th scope="col">reason</th><th scope="col">until</th><th scope="col">state</th><th scope="col" class="n">scenarios</th></tr></thead><tbody>${rows}</tbody></table>`,
    ),
    `What this gate expects to differ${strict ? '; strict: an entry that is expired, gone or reached by no case fails the run' : ''}.`,
  );
}

export function setupSection(runs: readonly Run[], matrix: MatrixResult | undefined): Markup {
  const one = runs.length === 1 ? runs[0]!.result : undefined;
  const body =
    one === undefined
      ? html`${runs.map(({ result, name }) => html`<h3>${name}</h3>${facts(setup(result), 'facts wide')}`)}${matrix === undefined ? NOTHING : facts(Object.entries(matrix.versions), 'facts wide')}`
      : html`${facts(setup(one), 'facts wide')}<h3>ABI, as probed</h3>${facts(abi(one), 'facts wide')}`;
  return section(
    'setup',
    'Made with',
    html`${body}<h3>Repeat it</h3>${command(matrix?.command ?? one?.command ?? '')}`,
  );
}

function setup({
  kernel,
  accel,
  jobs,
  versions,
  times,
  seed,
  shard,
}: RunResult): (readonly [string, Markup | string])[] {
  return [
    [
      'kernel',
      html`${kernel.release} ${kernel.machine}, ${kernel.source}${kernel.append === '' ? '' : `, command line "${kernel.append}"`}`,
    ],
    ...(kernel.note === undefined ? [] : [['note', kernel.note] as const]),
    ...(kernel.origin === undefined
      ? []
      : [
          [
            'origin',
            Object.entries(kernel.origin)
              .map(([name, value]) => `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
              .join('; '),
          ] as const,
        ]),
    ['SHA-256', html`<code class="break">${kernel.sha256}</code>`],
    [
      'accelerator',
      accel.reason.toLowerCase().startsWith(accel.name) ? accel.reason : `${accel.name}: ${accel.reason}`,
    ],
    [
      'guests',
      `${jobs}, busy ${Math.round(times.guest_busy * 100)} % of the time, booted in ${duration(times.boot_s)}, ${times.reboots} booted again`,
    ],
    ['oracle', `${duration(times.oracle_s)} in all`],
    ['seed', `${seed}${shard === undefined ? '' : `, shard ${shard.index} of ${shard.count}`}`],
    ['started', times.started],
    ...Object.entries(versions),
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
