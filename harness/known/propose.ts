/** Proposals: what a person may want to change in the expectations after a run. Nothing is accepted by making one. */
import type { RunResult } from '../../reports/data/result.ts';
import { upstreamName } from '../../oracle/uapi/release.ts';
import { loadFindings } from './findings.ts';
import { EXPECT_VERSION, TODO } from './expectation-file.ts';
import type { ExpectationSet } from './expectation-file.ts';

/** A proposed file, as JSON; entries with `proposed` are refused by --expect. */
export interface ProposedFile {
  readonly ringfence_expectations: typeof EXPECT_VERSION;
  readonly expectations: readonly Readonly<Record<string, unknown>>[];
}

/** What a proposal came from, in words; one per proposed entry. */
export interface Proposal {
  readonly file: ProposedFile;
  readonly said: readonly string[];
}

/**
 * Entries as they stand in the files, those of --expect that need a decision marked, then new ones for what was
 * found.
 */
export function propose(result: RunResult, current: ExpectationSet | undefined): Proposal {
  const said: string[] = [];
  const ids = new Set(current?.entries.map(({ id }) => id));
  const states = new Map(result.expectations.map((one) => [one.id, one]));
  const kept = (current?.files ?? [])
    .flatMap(
      ({ text }) =>
        (JSON.parse(text.replace(/^\ufeff/, '')) as { expectations: Record<string, unknown>[] }).expectations,
    )
    .map((entry) => {
      const state = states.get(entry['id'] as string);
      if (state === undefined || state.problem === '') return entry;
      said.push(`${state.id}: ${state.problem}`);
      return { ...entry, proposed: true, proposal: state.problem };
    });
  const fresh: Record<string, unknown>[] = [];
  const add = (name: string, proposal: string, entry: Record<string, unknown>): void => {
    let id = name;
    for (let n = 2; ids.has(id); n++) id = `${name}-${n}`;
    ids.add(id);
    said.push(`${id}: ${proposal}`);
    fresh.push({ id, ...entry, reason: TODO, link: TODO, expires: TODO, proposed: true, proposal });
  };
  if (result.policy === undefined || result.policy.files.length === 0) {
    // Under the built-in findings: what a gate's own list needs to say the same.
    const findings = loadFindings();
    for (const { id, rule, title, scenarios } of result.known) {
      const finding = findings.find((one) => one.id === id);
      if (finding === undefined || current?.entries.some((entry) => entry.finding === id)) continue;
      const { from, fixed } = finding.affected;
      add(id, `new: ${title}; ${scenarios} scenarios on ${result.kernel.release}`, {
        rule,
        finding: id,
        kernels: fixed === null ? `>=${from}` : `>=${from} <${fixed}`,
      });
    }
  }
  for (const { rule, scenario, step, what, predicted, observed, reproduced, count } of result.divergences) {
    add(
      rule,
      `new: ${count} scenarios on ${result.kernel.release}, reproduced ${reproduced}; ` +
        `predicted ${predicted}, observed ${observed}`,
      { rule, kernels: upstreamOf(result.kernel.release), case: { scenario, step, what, predicted, observed } },
    );
  }
  return { file: { ringfence_expectations: EXPECT_VERSION, expectations: [...kept, ...fresh] }, said };
}

/** One upstream version as a range: nobody has looked at any other. */
function upstreamOf(release: string): string {
  const name = upstreamName(release);
  return name === undefined ? '*' : `=${name}`;
}
