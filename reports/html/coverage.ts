/**
 * The page of a kernel's coverage: the feature's functions first, each line with how often it was executed, each branch
 * that was not taken with its reason. The text of the sources is the user's own tree's; the result has none of it.
 */
import type { CoveredFile, CoveredFunction, CoverageResult, UnreachedBranch } from '../data/coverage.ts';
import { featureFunctions, problemText, unexplained } from '../text/coverage.ts';
import type { FeatureFunction } from '../text/coverage.ts';
import { counted, thousands } from '../text/style.ts';
import { pageOf } from './document.ts';
import { anchor, html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { details, inlineCode, plainTable, scroll, section } from './parts.ts';
import { topOf } from './verdict.ts';

/** What the page needs beside the result. */
export interface CoverageSources {
  /** Lines of a source file, the first at index 0; none where it is not there. */
  readonly source: (file: string) => readonly string[];
}

/** The page. */
export function formatCoverageHtml(result: CoverageResult, { source }: CoverageSources): string {
  const verdict = result.complete ? 'conformant' : result.verdict === 'interrupted' ? 'interrupted' : 'divergent';
  return pageOf({
    title: `Coverage of Linux ${result.release}`,
    verdict,
    top: topOf(verdict, word(result), said(result), numbers(result), NOTHING, result.command),
    names: [
      ['functions', 'Functions'],
      ['problems', 'Wrong reasons'],
      ['open', 'Not reached'],
      ['reasons', 'Reasons'],
      ['sources', 'Sources'],
      ['others', 'Other functions'],
    ],
    sections: [
      functionsSection(result),
      problemsSection(result),
      openSection(result, source),
      reasonsSection(result, source),
      sourcesSection(result, source),
      othersSection(result, source),
    ],
  });
}

function word({ complete, total }: CoverageResult): string {
  if (complete) return 'No blind spot';
  return total.unexplained > 0 ? 'Blind spots' : 'Wrong reasons';
}

function said(result: CoverageResult): string {
  const { total, cases, release } = result;
  return (
    `${counted(cases, 'case')} came to ${thousands(total.branches_reached)} of ` +
    `${counted(total.branches, 'branch', 'branches')} in the feature's functions of Linux ${release}; ` +
    `${thousands(total.reasoned)} have a reason why none comes there, ${thousands(total.unexplained)} have none.`
  );
}

function numbers({ total, cases, suites, seed, compiler, guests, lost }: CoverageResult): [string, string][] {
  return [
    ['functions called', `${total.called} of ${total.functions}`],
    ['lines', `${thousands(total.lines_reached)} of ${thousands(total.lines)}`],
    ['branches', `${thousands(total.branches_reached)} of ${thousands(total.branches)}`],
    ['with a reason', thousands(total.reasoned)],
    ['without', thousands(total.unexplained)],
    ['cases', thousands(cases)],
    ['suites', String(suites.length)],
    ['seed', String(seed)],
    ['guests', lost > 0 ? `${guests}, ${lost} lost` : String(guests)],
    ['compiler', compiler],
  ];
}

const functionId = (file: string, name: string): string => anchor('fn', file, name);
const lineId = (file: string, line: number): string => anchor('line', file, line);

function placeLink(file: string, line: number): Markup {
  return html`<a href="#${lineId(file, line)}">${file}:${line}</a>`;
}

function functionsSection(result: CoverageResult): Markup {
  const rows = featureFunctions(result).map((one, i, all) => {
    const open = one.branches - one.branches_reached - one.reasoned;
    return html`${all[i - 1]?.file !== one.file && html`<tr><th colspan="6" scope="rowgroup">${one.file}</th></tr>`}
      <tr>
        <td><a href="#${functionId(one.file, one.name)}"><code>${one.name}</code></a></td>
        <td class="n">${thousands(one.count)}</td>
        <td class="n">${one.lines_reached}/${one.lines}</td>
        <td class="n">${one.branches_reached}/${one.branches}</td>
        <td class="n">${one.reasoned}</td>
        <td class="n${open > 0 && ' bad'}">${open}</td>
      </tr>`;
  });
  const heads = [
    'Function',
    ['Called', 'n'],
    ['Lines', 'n'],
    ['Branches', 'n'],
    ['Reasoned', 'n'],
    ['Open', 'n'],
  ] as const;
  return section('functions', "The feature's functions", scroll('Functions', plainTable(heads, rows)));
}

function problemsSection({ problems }: CoverageResult): Markup {
  if (problems.length === 0) return NOTHING;
  const rows = problems.map(
    (one) =>
      html`<tr>
        <td>${one.line === null ? one.file : placeLink(one.file, one.line)}</td>
        <td><code>${one.function}</code></td>
        <td>${problemText(one)}</td>
      </tr>`,
  );
  return section(
    'problems',
    'Reasons that are not right',
    scroll('Wrong reasons', plainTable(['Place', 'Function', 'What is wrong'], rows)),
    'A reason says why no case can come to a branch. One whose branch was taken is an error.',
  );
}

type Source = CoverageSources['source'];

function openSection(result: CoverageResult, source: Source): Markup {
  const open = unexplained(result);
  if (open.length === 0) return NOTHING;
  return section(
    'open',
    'Not reached, and no reason',
    scroll(
      'Branches without a reason',
      plainTable(
        ['Place', 'Function', 'Branch', 'Line'],
        open.map((one) => openRow(one, source)),
      ),
    ),
    'What no case came to. The keys in brackets are what a file of reasons calls the lines.',
  );
}

function openRow({ file, function: name, line, branch, key }: UnreachedBranch, source: Source): Markup {
  return html`<tr>
    <td>${placeLink(file, line)} (${key})</td>
    <td><code>${name}</code></td>
    <td class="n">${branch}</td>
    <td class="src">${inlineCode((source(file)[line - 1] ?? '').trim())}</td>
  </tr>`;
}

/** Reasons by kind, those for several branches of one line together. */
function reasonsSection({ unreached }: CoverageResult, source: Source): Markup {
  const kinds = new Map<string, Map<string, UnreachedBranch[]>>();
  for (const one of unreached) {
    if (one.kind === null) continue;
    const lines = kinds.get(one.kind) ?? new Map<string, UnreachedBranch[]>();
    const at = `${one.file}:${one.line}:${one.why}`;
    lines.set(at, [...(lines.get(at) ?? []), one]);
    kinds.set(one.kind, lines);
  }
  if (kinds.size === 0) return NOTHING;
  const parts = [...kinds].map(([kind, lines]) => {
    const rows = [...lines.values()].map(
      ([first, ...more]) =>
        html`<tr>
          <td>${placeLink(first!.file, first!.line)}</td>
          <td class="src">${inlineCode((source(first!.file)[first!.line - 1] ?? '').trim())}</td>
          <td class="n">${[first!, ...more].map(({ branch }) => branch).join(', ')}</td>
          <td>${first!.why}</td>
        </tr>`,
    );
    const branches = [...lines.values()].reduce((sum, one) => sum + one.length, 0);
    return html`<h3 id="kind-${kind}">${kind}: ${counted(branches, 'branch', 'branches')}</h3>
      ${scroll(`Reasons: ${kind}`, plainTable(['Place', 'Line', ['Branches', 'n'], 'Why'], rows))}`;
  });
  return section('reasons', 'Not reached, and why', parts);
}

function sourcesSection(result: CoverageResult, source: Source): Markup {
  const parts = featureFunctions(result).map((one) => {
    const file = result.files.find(({ path }) => path === one.file)!;
    const reasons = result.unreached.filter((two) => two.file === one.file && two.function === one.name);
    return html`<h3 id="${functionId(one.file, one.name)}"><code>${one.name}</code>
      <span class="soft"> ${one.file}</span></h3>
      ${listing(file, one, reasons, source)}`;
  });
  return section(
    'sources',
    'Line by line',
    parts,
    'How often each line was executed, and how often each of its branches was taken, in the order of the compiler.',
  );
}

/** The other functions of the same files, as far as they were called: folded away. */
function othersSection(result: CoverageResult, source: Source): Markup {
  const parts = result.files.flatMap((file) => {
    const others = file.functions.filter(({ feature, count, lines }) => !feature && count > 0 && lines > 0);
    if (others.length === 0) return [];
    return [
      html`<h3>${file.path}</h3>`,
      ...others.map((one) =>
        details(
          html`<code>${one.name}</code>, ${one.branches_reached} of ${counted(one.branches, 'branch', 'branches')}`,
          listing(file, one, [], source),
        ),
      ),
    ];
  });
  return parts.length === 0 ? NOTHING : section('others', 'Other functions of these files', parts);
}

function listing(
  { path, counts }: CoveredFile,
  { name, from, to }: CoveredFunction | FeatureFunction,
  reasons: readonly UnreachedBranch[],
  source: Source,
): Markup {
  const covered = new Map(counts.map((one) => [one.line, one]));
  const rows = source(path)
    .slice(from - 1, to)
    .map((text, i) => {
      const line = from + i;
      const one = covered.get(line);
      const own = reasons.filter((two) => two.line === line);
      const state = one === undefined ? '' : one.count === 0 ? 'miss' : 'hit';
      return html`<tr id="${lineId(path, line)}"${state !== '' && html` class="${state}"`}>
        <td class="n soft">${line}</td>
        <td class="n">${one === undefined ? '' : thousands(one.count)}</td>
        <td class="forks">${one?.branches.map((taken, branch) =>
          fork(
            taken,
            own.find((two) => two.branch === branch),
          ),
        )}</td>
        <td class="src"><code>${text}</code></td>
      </tr>`;
    });
  return scroll(
    `Source of ${name}`,
    html`<table><thead class="hidden"><tr>
      <th scope="col">Line</th><th scope="col">Executed</th><th scope="col">Branches</th><th scope="col">Source</th>
    </tr></thead><tbody>${rows}</tbody></table>`,
    'listing',
  );
}

/** One branch: how often it was taken, or why not. */
function fork(taken: number, reason: UnreachedBranch | undefined): Part {
  if (taken > 0) return html`<span class="taken">${short(taken)}</span>`;
  if (reason?.kind == null) return html`<span class="never">${reason === undefined ? '0' : 'open'}</span>`;
  return html`<span class="reasoned" title="${reason.why}">${reason.kind}</span>`;
}

/** 12345 as "12k". */
function short(count: number): string {
  if (count < 10_000) return thousands(count);
  return count < 10_000_000 ? `${Math.floor(count / 1000)}k` : `${Math.floor(count / 1_000_000)}M`;
}
