/**
 * What a run leaves on disk. Every file is written beside its place and moved there, so that
 * none is ever half written; files whose content is there already are left alone, so that
 * writing again and again while the run goes on costs little.
 */
import { accessSync, constants, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CASE_VERSION, formatJson } from '../../oracle/case/json.ts';
import type { Json } from '../../oracle/case/json.ts';
import { formatDivergence } from '../../reports/text/divergence.ts';
import { caseFile } from '../../reports/text/replay.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { formatSummary } from '../../reports/text/summary.ts';
import { makeDirectory, writeFileWholeSync } from '../../vm/host/files.ts';
import { EXIT, RingfenceError, SetupError } from '../../vm/index.ts';

const FULL = ['ENOSPC', 'EDQUOT'];
/** errno name, what is in the way, and how the advice begins that ends with "another place with --out". */
const REASONS: readonly (readonly [codes: readonly string[], why: string, remedy?: string])[] = [
  [FULL, 'the disk is full', 'Free some space there or choose'],
  [['EACCES', 'EPERM'], 'you may not write there'],
  [['EROFS'], 'the file system is read-only'],
  [['ENOTDIR', 'EEXIST', 'EISDIR'], 'something else is in the way', 'Remove it or choose'],
];

/** A file could not be written. The message says which, why, and what to do. Exit code 2. */
export class OutputError extends RingfenceError {
  readonly path: string;
  /** errno name such as ENOSPC. */
  readonly code: string;

  constructor(path: string, cause: NodeJS.ErrnoException) {
    const { code = 'unknown' } = cause;
    const [, why = cause.message, remedy = 'Choose'] = REASONS.find(([codes]) => codes.includes(code)) ?? [];
    const whole = FULL.includes(code) ? ' What was written before is whole.' : '';
    super(`${path} could not be written: ${why}.`, `${remedy} another place with --out.${whole}`, EXIT.usage, {
      between: ' ',
      cause,
    });
    this.path = path;
    this.code = code;
  }
}

/** What goes with a result that is not in it. */
export interface WriteExtras {
  /** Consoles that are not on disk yet: file name (`console-0.txt`) -> text. */
  readonly console?: ReadonlyMap<string, string>;
}

/** The text of a case file. @param note where it comes from; cut where it is too long for one */
export function caseText(suite: string, note: string, scenario: unknown): string {
  return `${formatJson({ ringfence: CASE_VERSION, suite, note: note.slice(0, 1000), scenario: scenario as Json })}\n`;
}

/** The files of a result, by path below the output directory. */
export function outputFiles(
  result: RunResult,
  out: string,
  { console: consoles = new Map() }: WriteExtras = {},
): Map<string, string> {
  const files = new Map<string, string>(consoles);
  const linux = `Linux ${result.kernel.release}`;
  for (const [n, divergence] of result.divergences.entries()) {
    const { suite, rule, step, predicted, observed, scenario } = divergence;
    const note = `${rule} on ${linux}: step ${step}, predicted ${predicted}, observed ${observed}`;
    files.set(caseFile('divergences', n), caseText(suite, note, scenario));
    files.set(caseFile('divergences', n, 'txt'), formatDivergence(divergence, n, result, out));
  }
  for (const [n, { suite, kind, title, reproduced, console: text, scenario }] of result.crashes.entries()) {
    files.set(caseFile('crashes', n), caseText(suite, `${kind} on ${linux}: ${title}`, scenario));
    files.set(caseFile('crashes', n, 'txt'), `${kind}: ${title}\nreproduced: ${reproduced}\n\n${text.trimEnd()}\n`);
  }
  for (const [n, { suite, detail, reproduced, console: text, scenario }] of result.hangs.entries()) {
    files.set(caseFile('hangs', n), caseText(suite, `hang on ${linux}: ${detail}`, scenario));
    if (text !== undefined)
      files.set(caseFile('hangs', n, 'txt'), `hang: ${detail}\nreproduced: ${reproduced}\n\n${text.trimEnd()}\n`);
  }
  for (const [n, { suite, verdict, detail, scenario }] of result.unconfirmed.entries())
    files.set(caseFile('unconfirmed', n), caseText(suite, `unconfirmed ${verdict} on ${linux}: ${detail}`, scenario));
  files.set(
    'versions.json',
    `${JSON.stringify({ kernel: result.kernel, accel: result.accel, ...result.versions }, null, 2)}\n`,
  );
  files.set('command', `${result.command}\n`);
  files.set('summary.txt', formatSummary(result, { out }));
  // Last: a reader that finds result.json finds everything it names.
  files.set('result.json', `${JSON.stringify(result, null, 2)}\n`);
  return files;
}

/** Files of an earlier run that must not be taken for this run's. */
const NUMBERED = /^\d{3,}\.(json|txt)$/;

/** What this process wrote: path -> content. */
const written = new Map<string, string>();

/**
 * Writes the result and everything that goes with it to `dir`, which is made if need be.
 * May be called again with a newer result. @throws OutputError
 */
export function writeOut(dir: string, result: RunResult, extras: WriteExtras = {}): void {
  const files = outputFiles(result, dir, extras);
  for (const [name, text] of files) {
    const path = join(dir, name);
    if (written.get(path) === text) continue;
    writeWhole(path, text);
    written.set(path, text);
  }
  for (const kind of ['divergences', 'crashes', 'hangs', 'unconfirmed']) removeOthers(dir, kind, files);
}

/** Writes one file so that it is there whole or not at all, with its directory. @throws OutputError */
export function writeWhole(path: string, text: string): void {
  try {
    writeFileWholeSync(path, text);
  } catch (error) {
    throw new OutputError(path, error as NodeJS.ErrnoException);
  }
}

/**
 * Writes what may not fail. @param left what is left of what was there, for the message. @throws SetupError when it
 * does
 */
export function orSetupError(left: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    throw new SetupError(error.message, left, { cause: error });
  }
}

/** Makes an output directory, with its parents. @throws SetupError when nothing can be written there */
export function makeOutput(path: string): void {
  try {
    makeDirectory(resolve(path));
    if (!statSync(path).isDirectory()) throw new Error('it is not a directory');
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new SetupError(
      `${path} cannot be used for the results: ${(error as Error).message}`,
      'Choose another directory with --out.',
    );
  }
}

function removeOthers(dir: string, kind: string, files: ReadonlyMap<string, string>): void {
  let names: string[];
  try {
    names = readdirSync(join(dir, kind));
  } catch {
    return;
  }
  for (const name of names) {
    if (!NUMBERED.test(name) || files.has(`${kind}/${name}`)) continue;
    try {
      rmSync(join(dir, kind, name));
      written.delete(join(dir, kind, name));
    } catch (error) {
      throw new OutputError(join(dir, kind, name), error as NodeJS.ErrnoException);
    }
  }
}
