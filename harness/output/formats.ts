/** The formats of reports, each a row: its option, its help, how a result becomes its text. A new one is a row here. */
import { RULES } from '../../oracle/registry.ts';
import { formatJunit } from '../../reports/ci/junit.ts';
import { formatKtap, formatMatrixKtap } from '../../reports/ci/ktap.ts';
import { matrixPoints, runPoints } from '../../reports/ci/points.ts';
import { formatMatrixSarif, formatSarif } from '../../reports/ci/sarif.ts';
import type { MatrixResult } from '../../reports/data/matrix.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { formatHtml, formatMatrixHtml } from '../../reports/html/index.ts';
import { formatMail, formatMatrixMail } from '../../reports/text/mail.ts';
import { loadNotes } from '../known/notes.ts';

/** What a report is made of: a run, or a matrix with the result of each of its kernels by name. */
export type Reported =
  | { readonly kind: 'run'; readonly result: RunResult }
  | { readonly kind: 'matrix'; readonly matrix: MatrixResult; readonly results: ReadonlyMap<string, RunResult> };

/** How one format is asked for and made. `out`: the output directory as the user named it. */
interface Format {
  readonly help: string;
  run(result: RunResult, out: string): string;
  matrix(matrix: MatrixResult, results: ReadonlyMap<string, RunResult>, out: string): string;
}

/** All formats, by the name of their option. */
export const FORMATS = {
  ktap: {
    help: "KTAP version 1, as the kernel's own tests write it",
    run: (result) => formatKtap(runPoints(result)),
    matrix: (matrix, results) => formatMatrixKtap('ringfence matrix', matrixPoints(matrix, results)),
  },
  junit: {
    help: 'JUnit XML',
    run: (result) => formatJunit([runPoints(result)]),
    matrix: (matrix, results) => formatJunit(matrixPoints(matrix, results)),
  },
  sarif: {
    help: 'SARIF 2.1.0, for code scanning',
    run: (result, out) => formatSarif(result, { rules: Object.values(RULES), out }),
    matrix: (matrix, results, out) => formatMatrixSarif(matrix, results, { rules: Object.values(RULES), out }),
  },
  html: {
    help: 'one page that needs no network, as a run and a matrix leave it in report.html',
    run: (result, out) => formatHtml(result, { rules: Object.values(RULES), out, notes: loadNotes() }),
    matrix: (matrix, results, out) =>
      formatMatrixHtml(matrix, results, { rules: Object.values(RULES), out, notes: loadNotes() }),
  },
  mail: {
    help: 'plain text for a mailing list: what is promised, the smallest case, what came instead',
    run: (result) => formatMail(result),
    matrix: (matrix, results) => formatMatrixMail(matrix, results),
  },
} as const satisfies Readonly<Record<string, Format>>;

/** The name of a format's option. */
export type FormatName = keyof typeof FORMATS;

/** All of them, in the order of the help. */
export const FORMAT_NAMES = Object.keys(FORMATS) as readonly FormatName[];

/** The text of one report. `out`: the output directory as the user named it. */
export function formatReport(name: FormatName, reported: Reported, out: string): string {
  const format: Format = FORMATS[name];
  return reported.kind === 'run'
    ? format.run(reported.result, out)
    : format.matrix(reported.matrix, reported.results, out);
}
