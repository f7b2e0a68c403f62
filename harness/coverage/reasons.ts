/** Which functions are the feature's, and why no case comes to some of their branches: files of suites/coverage. */
import { readFileSync } from 'node:fs';
import type { Codec } from '../../oracle/schema/codec.ts';
import { DecodeError, int, list, record, required, text, word } from '../../oracle/schema/codec.ts';
import { REASON_KINDS } from '../../reports/data/coverage.ts';
import { SetupError } from '../../vm/index.ts';

/** What of a source file is the feature's. */
export interface FeatureFile {
  /** Path in the tree. */
  readonly file: string;
  /** Names as the compiler has them. */
  readonly functions: readonly string[];
}

/** Why no case comes to some branches on one line. */
export interface Reason {
  readonly file: string;
  readonly function: string;
  /** The line's key (source-keys.ts). */
  readonly line: string;
  /** Which branches on it, from 0. */
  readonly branches: readonly number[];
  readonly kind: (typeof REASON_KINDS)[number];
  readonly why: string;
}

const PATH = text(200, /^(?!.*\.\.)[\w][\w./-]*\.c$/, 'the path of a .c file in the tree');
const NAME = text(200, /^\w+$/, 'the name of a function');
const WORDS = text(2000, /\S/, 'a text that is not empty');

const FEATURE: Codec<{ readonly about: string; readonly files: readonly FeatureFile[] }> = record<{
  readonly about: string;
  readonly files: readonly FeatureFile[];
}>({
  about: required(WORDS),
  files: required(list(record<FeatureFile>({ file: required(PATH), functions: required(list(NAME, 10_000)) }), 1000)),
});

interface ReasonFile {
  readonly linux: string;
  readonly compiler: string;
  readonly reasons: readonly Reason[];
}

const REASONS: Codec<ReasonFile> = record<ReasonFile>({
  linux: required(WORDS),
  compiler: required(WORDS),
  reasons: required(
    list(
      record<Reason>({
        file: required(PATH),
        function: required(NAME),
        line: required(text(20, /^[0-9a-f]{8}(#[1-9]\d*)?$/, 'eight hexadecimal digits, with #N behind them or not')),
        branches: required(list(int(0, 10_000), 1000)),
        kind: required(word(...REASON_KINDS)),
        why: required(WORDS),
      }),
      100_000,
    ),
  ),
});

/** The feature's functions. @throws SetupError naming the file, the place and what was expected */
export function readFeature(path: string): readonly FeatureFile[] {
  const { files } = readFile(path, FEATURE);
  const twice = files.find(({ file }, i) => files.findIndex((other) => other.file === file) !== i);
  if (twice !== undefined) throw new SetupError(`${path}: ${twice.file} is there twice.`, 'Join the two entries.');
  return files;
}

/** Reasons of one file or more. @throws SetupError naming the file, the place and what was expected */
export function readReasons(paths: readonly string[]): readonly Reason[] {
  const from = new Set<string>();
  return paths.flatMap((path) => {
    const { reasons } = readFile(path, REASONS);
    for (const reason of reasons) {
      for (const branch of reason.branches) {
        const name = `${reason.function}, line ${reason.line}, branch ${branch} of ${reason.file}`;
        if (from.has(name)) throw new SetupError(`${path}: ${name} has two reasons.`, 'Keep the one that is right.');
        from.add(name);
      }
    }
    return reasons;
  });
}

function readFile<T>(path: string, codec: Codec<T>): T {
  let data: string;
  try {
    data = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SetupError(
      `${path} cannot be read: ${(error as Error).message}`,
      'Give the path of a file that is there.',
    );
  }
  try {
    return codec.decode(JSON.parse(data), '');
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof SyntaxError)) throw error;
    throw new SetupError(`${path}: ${error.message}`, 'suites/coverage/README.md describes these files.');
  }
}
