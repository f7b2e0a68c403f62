/** Files of mutants: `suites/mutants/*.json`, and those of other people. */
import { readFileSync } from 'node:fs';
import type { Codec } from '../../oracle/schema/codec.ts';
import { DecodeError, int, list, maybe, record, required, text, word } from '../../oracle/schema/codec.ts';
import { SetupError } from '../host/errors.ts';

/** What kind of fault it is. */
export const MUTANT_CLASSES = [
  'rare-data',
  'rare-sequence',
  'common',
  'error-order',
  'lifetime',
  'race',
  'allocation',
  'crash',
] as const;
/** What a fault needs before a scenario can show it. */
const NEEDS = ['race', 'allocation', 'sanitizer', 'debug'] as const;

/** A fault in a kernel's source. */
export interface Mutant {
  /** Kebab-case, of its own among all mutants that are built together. */
  readonly id: string;
  /** What the faulty kernel does wrong, in the user's terms. */
  readonly title: string;
  readonly class: (typeof MUTANT_CLASSES)[number];
  /** Absent: a scenario of today's kind can show it. */
  readonly needs?: (typeof NEEDS)[number];
  /** Path in the tree. */
  readonly file: string;
  /** The function or table that the place stands in. */
  readonly in: string;
  /** The words that are replaced; any white space stands for any other. */
  readonly find: string;
  /** Which of several, from 1; absent: there is one. */
  readonly nth?: number;
  /** Whether the words are an expression, or whole statements. */
  readonly as: 'expression' | 'statement';
  readonly replace: string;
  /** How a user would see it. */
  readonly symptom: string;
  /** Why it is no equivalent: calls and values, and the answers, good and bad. */
  readonly argument: string;
}

interface MutantFile {
  readonly linux: string;
  readonly mutants: readonly Mutant[];
}

const words = text(4000, /\S/, 'a text that is not empty');

const MUTANT: Codec<Mutant> = record<Mutant>({
  id: required(text(80, /^[a-z0-9]+(-[a-z0-9]+)*$/, 'a name in kebab-case of at most 80 characters')),
  title: required(words),
  class: required(word(...MUTANT_CLASSES)),
  needs: maybe(word(...NEEDS)),
  file: required(text(200, /^(?!.*\.\.)[\w][\w./-]*\.[ch]$/, 'the path of a .c or .h file in the tree')),
  in: required(text(200, /^\w+$/, 'the name of a function or table')),
  find: required(words),
  nth: maybe(int(1, 10_000)),
  as: required(word('expression', 'statement')),
  replace: required(text(4000)),
  symptom: required(words),
  argument: required(words),
});

const MUTANT_FILE: Codec<MutantFile> = record<MutantFile>({
  linux: required(text(40, /\S/, 'the release of Linux that it was written for')),
  mutants: required(list(MUTANT, 10_000)),
});

/**
 * The mutants of some files, in their order.
 * @throws SetupError naming the file, the place and what was expected
 */
export function readMutants(files: readonly string[]): readonly Mutant[] {
  const from = new Map<string, string>();
  return files.flatMap((file) => {
    const { mutants } = readFile(file);
    for (const mutant of mutants) {
      const other = from.get(mutant.id);
      if (other !== undefined)
        throw badFile(file, `the id "${mutant.id}" is taken${other === file ? '' : ` by one of ${other}`}`);
      from.set(mutant.id, file);
      const fault = faultOf(mutant);
      if (fault !== undefined) throw badFile(file, `${mutant.id}: ${fault}`);
    }
    return mutants;
  });
}

function readFile(file: string): MutantFile {
  try {
    return MUTANT_FILE.decode(JSON.parse(readFileSync(file, 'utf8')), '');
  } catch (error) {
    if (error instanceof DecodeError || error instanceof SyntaxError) throw badFile(file, error.message);
    throw new SetupError(
      `The mutants in ${file} cannot be read: ${(error as Error).message}`,
      'Name a file such as those in suites/mutants.',
      { cause: error },
    );
  }
}

function badFile(file: string, problem: string): SetupError {
  return new SetupError(`${file} is no file of mutants: ${problem}`, 'suites/mutants/README.md describes the form.');
}

/** What is wrong with the words of a mutant, if anything can be said without its source. */
function faultOf({ as, find, replace }: Mutant): string | undefined {
  for (const [name, code] of [
    ['find', find],
    ['replace', replace],
  ] as const) {
    if (!balanced(code)) return `the brackets of "${name}" do not match each other`;
    if (as === 'statement' && code.trim() !== '' && !/[;}]$/.test(code.trim()))
      return `"${name}" is no whole statement: it ends neither with ; nor with }`;
  }
  if (find.trim().replace(/\s+/g, ' ') === replace.trim().replace(/\s+/g, ' ')) return '"find" and "replace" are equal';
  return as === 'expression' && replace.trim() === '' ? 'an expression cannot be replaced by nothing' : undefined;
}

const CLOSES: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

function balanced(code: string): boolean {
  const open: string[] = [];
  for (const [sign] of code.replace(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'/g, '').matchAll(/[()[\]{}]/g)) {
    const opening = CLOSES[sign];
    if (opening === undefined) open.push(sign);
    else if (open.pop() !== opening) return false;
  }
  return open.length === 0;
}
