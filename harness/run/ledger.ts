/**
 * One line per case: what was run and how it came out. Two runs agree outcome for outcome exactly when their ledgers
 * are the same.
 *
 * Of answers that the rules (or the models of known findings) leave open a line only says that they were allowed: a
 * ledger is the same each time the same cases are run on the same kernel under the same expectations.
 */
import { Open } from '../../oracle/open-answer.ts';
import { createHash } from 'node:crypto';
import { differenceText, showAllowed } from '../../oracle/judge/difference.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import type { CaseVerdict } from '../../oracle/judge/verdict.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import { encodeScenario } from '../../oracle/case/frame.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Judged, Predictions } from '../known/predictions.ts';
import type { PlannedCase } from './plan.ts';

/** First line of a ledger's text. */
const LEDGER_HEADER = '# ringfence cases 1: case, suite, scenario, verdict, answers';
/** Lines kept in memory; a longer run has a digest and no text. */
const MOST = 2_000_000;
const MODULUS = 1n << 256n;
const HEX = 32;

/** A verdict as a line has it: known findings are differences too, so that a line does not depend on what is known. */
export type LedgerVerdict = 'pass' | 'difference' | 'kernel-crash' | 'hang' | 'runner-error';

/** One line. */
export interface LedgerLine {
  /** Number of the case in the whole run, from 0. */
  readonly index: number;
  readonly suite: string;
  /** Start of the SHA-256 of the scenario as bytes, 32 hex digits. */
  readonly scenario: string;
  readonly verdict: LedgerVerdict;
  /** Start of the SHA-256 of what it answered, 32 hex digits; "-" where it did not end. */
  readonly answers: string;
}

const short = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex').slice(0, HEX);

/** Names a scenario by its bytes. */
export function scenarioDigest(scenario: Scenario): string {
  return short(encodeScenario(scenario, { id: 0, deadline_ms: 0, waits: [] }));
}

/**
 * Names the answers of a scenario that did as predicted, by the rules or by the models of known findings: each value
 * where the rules give one, the set where they give more.
 */
function predictedDigest({ steps }: Prediction): string {
  const rows = steps.map(({ reached, returns, cqes, memory }) =>
    [
      reached ? 'r' : '-',
      Open.is(returns) ? 'any' : returns.map(showAllowed).join(','),
      Open.is(cqes)
        ? 'any'
        : cqes
            .map(
              ({ user_data, res, flags, optional }) =>
                `${user_data.toString(16)}:${showAllowed(res)}:${showAllowed(flags)}` +
                (optional === undefined ? '' : '?'),
            )
            .sort()
            .join(','),
      memory === undefined ? '' : Open.is(memory) ? 'any' : Buffer.from(memory).toString('hex'),
    ].join('|'),
  );
  return short(rows.join('\n'));
}

/** Names the answers of a scenario that nothing explains: the first difference, in the words of reports. */
function differenceDigest(difference: Difference): string {
  const { step, what, rule, predicted, observed } = differenceText(difference);
  return short([step, what, rule, predicted, observed].join('\n'));
}

function wordOf(verdict: CaseVerdict): LedgerVerdict {
  return verdict === 'known' || verdict === 'divergence' ? 'difference' : verdict;
}

function lineOf({ index, suite, scenario }: PlannedCase, verdict: CaseVerdict, answers: string): LedgerLine {
  return { index, suite, scenario: scenarioDigest(scenario), verdict: wordOf(verdict), answers };
}

/** The line of a case that passed, or did exactly as known findings do. */
export function settledLine(planned: PlannedCase, { pure, known }: Predictions, verdict: 'pass' | 'known'): LedgerLine {
  return lineOf(planned, verdict, predictedDigest(verdict === 'pass' ? pure : known));
}

/** The line of a case that came to its end. */
export function ledgerLine(planned: PlannedCase, predictions: Predictions, judged: Judged): LedgerLine {
  return judged.verdict === 'divergence'
    ? lineOf(planned, judged.verdict, differenceDigest(judged.difference))
    : settledLine(planned, predictions, judged.verdict);
}

/** The line of a case that did not come to its end. */
export function brokenLine(planned: PlannedCase, verdict: CaseVerdict): LedgerLine {
  return lineOf(planned, verdict, '-');
}

function textOf({ index, suite, scenario, verdict, answers }: LedgerLine): string {
  return `${index}\t${suite}\t${scenario}\t${verdict}\t${answers}`;
}

function weightOf(line: LedgerLine): bigint {
  return BigInt(`0x${createHash('sha256').update(textOf(line)).digest('hex')}`);
}

const wrapped = (sum: bigint): string => (((sum % MODULUS) + MODULUS) % MODULUS).toString(16).padStart(64, '0');

/** The sum of digests, modulo 2^256. */
export function addDigests(digests: readonly string[]): string {
  return wrapped(digests.reduce((sum, digest) => sum + BigInt(`0x${digest}`), 0n));
}

/** The lines of a run, and their digest. */
export class Ledger {
  #sum = 0n;
  #lines: Map<number, LedgerLine> | undefined = new Map();

  add(line: LedgerLine): void {
    this.#sum += weightOf(line);
    this.#lines?.set(line.index, line);
    if (this.#lines !== undefined && this.#lines.size > MOST) this.#lines = undefined;
  }

  /** The line of a case; undefined when there is none. */
  line(index: number): LedgerLine | undefined {
    return this.#lines?.get(index);
  }

  /**
   * Sum of the SHA-256 of all lines modulo 2^256, 64 hex digits: the order of the cases does not matter, and the
   * digests of shards add up.
   * @param corrections lines that stand for the ones kept: cases that were looked into again
   */
  digest(corrections: readonly LedgerLine[] = []): string {
    let sum = this.#sum;
    for (const line of corrections) {
      const old = this.line(line.index);
      if (old !== undefined) sum += weightOf(line) - weightOf(old);
    }
    return wrapped(sum);
  }

  /** Lines by case, corrected as in `digest`; undefined after more cases than fit in memory. */
  lines(corrections: readonly LedgerLine[] = []): readonly LedgerLine[] | undefined {
    if (this.#lines === undefined) return undefined;
    const by = new Map([...this.#lines.values(), ...corrections].map((line) => [line.index, line]));
    return [...by.values()].sort((a, b) => a.index - b.index);
  }

  /** The text of `cases.txt`; undefined after more cases than fit in memory. */
  text(corrections: readonly LedgerLine[] = []): string | undefined {
    const lines = this.lines(corrections);
    return lines === undefined ? undefined : `${[LEDGER_HEADER, ...lines.map(textOf)].join('\n')}\n`;
  }
}

const LINE =
  /^(\d{1,15})\t([\w-]+)\t([0-9a-f]{32})\t(pass|difference|kernel-crash|hang|runner-error)\t([0-9a-f]{32}|-)$/;

/** Reads a ledger's text back. @throws Error naming the line */
export function parseLedger(text: string): Ledger {
  const rows = text.split('\n');
  if (rows[0] !== LEDGER_HEADER) throw new Error('line 1: this is no list of cases of this version');
  if (rows.pop() !== '') throw new Error(`line ${rows.length + 1}: the list ends too early`);
  const ledger = new Ledger();
  const seen = new Set<string>();
  for (const [n, row] of rows.slice(1).entries()) {
    const [, index, suite, scenario, verdict, answers] = LINE.exec(row) ?? [];
    if (answers === undefined)
      throw new Error(
        `line ${n + 2}: expected case, suite, scenario, verdict and answers, found "${row.slice(0, 60)}"`,
      );
    if (seen.has(index!)) throw new Error(`line ${n + 2}: case ${index} is listed twice`);
    seen.add(index!);
    ledger.add({
      index: Number(index),
      suite: suite!,
      scenario: scenario!,
      verdict: verdict as LedgerVerdict,
      answers,
    });
  }
  return ledger;
}
