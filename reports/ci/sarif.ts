/**
 * SARIF 2.1.0 (OASIS), for code scanning of forges and for editors: each divergence, crash and hang is a result, at the
 * case file that shows it. A known finding is a result that is suppressed.
 */
import type { Rule } from '../../oracle/rule.ts';
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult } from '../data/result.ts';
import { caseFile, replayCommand } from '../text/replay.ts';
import { counted } from '../text/style.ts';

/** What is needed beside the result. */
export interface SarifOptions {
  /** Statements and citations. */
  readonly rules: readonly Rule[];
  /** Output directory as the user named it: places are relative to it, commands name it. */
  readonly out: string;
}

type Json = { readonly [key: string]: unknown };

/** Where the files of a run are. */
interface Place {
  /** Its directory as the user names it. */
  readonly out: string;
  /** The same, from the output directory: empty, or `7.0.13/` in a matrix. */
  readonly below: string;
}

/** The log of one run, ending with a newline. */
export function formatSarif(result: RunResult, { rules, out }: SarifOptions): string {
  return document([runLog(result, rules, { out, below: '' }, 'ringfence')]);
}

/** The log of a matrix: a run for each kernel that has a result. `results` by name of the kernel. */
export function formatMatrixSarif(
  matrix: MatrixResult,
  results: ReadonlyMap<string, RunResult>,
  { rules, out }: SarifOptions,
): string {
  return document(
    matrix.kernels.flatMap(({ name, result: path = '' }) => {
      const result = results.get(name);
      if (result === undefined) return [];
      const dir = path.replace(/\/?[^/]*$/, '');
      return [runLog(result, rules, { out: `${out}/${dir}`, below: `${dir}/` }, `ringfence/${name}`)];
    }),
  );
}

function document(runs: readonly Json[]): string {
  const log = { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** @param id what a forge keeps the runs of one kind together by */
function runLog(result: RunResult, rules: readonly Rule[], place: Place, id: string): Json {
  const { kernel, command, seed, times, versions, verdict, reason = verdict } = result;
  const finished = verdict === 'conformant' || verdict === 'divergent';
  return {
    automationDetails: { id: `${id}/` },
    tool: {
      driver: {
        name: 'ringfence',
        version: versions['ringfence'],
        rules: rules.map((rule) => ({
          id: rule.id,
          shortDescription: { text: rule.statement },
          help: { text: rule.source },
        })),
      },
    },
    invocations: [
      {
        executionSuccessful: finished,
        commandLine: command,
        startTimeUtc: times.started,
        ...(finished ? {} : { toolExecutionNotifications: [{ level: 'error', message: { text: reason } }] }),
      },
    ],
    properties: { kernel: kernel.release, machine: kernel.machine, sha256: kernel.sha256, seed },
    results: [...divergences(result, place), ...lost(result, place), ...unconfirmed(result, place), ...known(result)],
  };
}

/** One result at a case file. */
function at(file: string, { out, below }: Place, ruleId: string, level: 'error' | 'warning', text: string): Json {
  return {
    ruleId,
    level,
    message: { text: `${text}\n${replayCommand(out, file)}` },
    locations: [{ physicalLocation: { artifactLocation: { uri: `${below}${file}` } } }],
  };
}

function divergences({ divergences: all, kernel }: RunResult, place: Place): Json[] {
  return all.map(({ rule, statement, step, predicted, observed, reproduced, count, group }, n) => {
    const said = [
      `Linux ${kernel.release}: ${statement}`,
      `step ${step}, predicted: ${predicted}`,
      `observed: ${observed}`,
      `reproduced ${reproduced}`,
    ];
    return {
      ...at(caseFile('divergences', n), place, rule, 'error', said.join('\n')),
      occurrenceCount: count,
      // The same kind of difference has the same group in every run with these suites.
      ...(group === '' ? {} : { partialFingerprints: { 'ringfenceGroup/v1': group } }),
    };
  });
}

function lost({ crashes, hangs, kernel }: RunResult, place: Place): Json[] {
  const on = `Linux ${kernel.release}`;
  return [
    ...crashes.map(({ kind, title, reproduced }, n) =>
      at(caseFile('crashes', n), place, 'crash', 'error', `${on}: ${kind}: ${title}\nreproduced ${reproduced}`),
    ),
    ...hangs.map(({ detail, reproduced }, n) =>
      at(caseFile('hangs', n), place, 'hang', 'error', `${on}: ${detail}\nreproduced ${reproduced}`),
    ),
  ];
}

function unconfirmed({ unconfirmed: all }: RunResult, place: Place): Json[] {
  return all.map(({ rule, verdict, detail, reproduced }, n) =>
    at(caseFile('unconfirmed', n), place, rule ?? verdict, 'warning', `${detail}\nreproduced ${reproduced}`),
  );
}

function known({ known: all }: RunResult): Json[] {
  return all.map(({ id, rule, title, scenarios }) => ({
    ruleId: rule,
    level: 'note',
    message: { text: `${id}: ${title} (${counted(scenarios, 'scenario')})` },
    suppressions: [{ kind: 'external', justification: `known finding ${id}` }],
  }));
}
