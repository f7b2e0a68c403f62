/**
 * Options as data. One row says how an option is typed, what it may be, what it is when it is not given, and what its
 * help says; parsing, the types of the values and the help of every command come from these rows and nothing else.
 *
 * Why not a library: commander, yargs and citty were looked at. What they would save is the layout of the help, some
 * thirty lines. Commander's values are untyped (a second package gives them types that rows shared between commands
 * lose), citty takes unknown options for switches and keeps only the last of repeated ones, yargs brings five packages
 * and 60 ms to every start. node:util splits the words strictly; the rest is this file.
 */
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { wrap } from '../../reports/text/style.ts';
import { UsageError } from '../../vm/index.ts';

/** One option whose value, once read, is a T. */
export interface Option<T> {
  /** What stands for its value in the help; absent: a switch. */
  readonly value?: string;
  /** Its one-letter form. */
  readonly short?: string;
  /** It may be repeated. */
  readonly many?: true;
  /** What it does, what it may be, what it is by default. */
  readonly help: string;
  /** Heading in the help above it and its like. */
  readonly group?: string;
  /** A value that is taken, as it is typed; for switches nothing. */
  readonly example: string;
  /** What was typed, in order; none when it was not given. @throws UsageError for what it cannot be */
  read(typed: readonly string[], name: string): T;
}

/** The options of a command, by name without the dashes, in the order of the help. */
export type Options = Readonly<Record<string, Option<unknown>>>;

/** What a command gets: each option's value by its name. */
export type Values<O extends Options> = { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** What rows have in common beside what they mean. */
interface Form {
  readonly short?: string;
  readonly example?: string;
}

/** A switch. */
export function flag(help: string): Option<boolean> {
  return { help, example: '', read: (typed) => typed.length > 0 };
}

/** Whatever is typed last; undefined when nothing is. */
export function text(value: string, help: string, form: Form = {}): Option<string | undefined> {
  return { example: 'x', ...form, value, help, read: (typed) => typed.at(-1) };
}

/** Whatever is typed, as often as it is; undefined when nothing is. */
export function texts(value: string, help: string, form: Form = {}): Option<readonly string[] | undefined> {
  return {
    example: 'x',
    ...form,
    value,
    many: true,
    help: `${help}; may be repeated`,
    read: (typed) => (typed.length === 0 ? undefined : typed),
  };
}

/** Something that `read` makes of the text typed last, or of its absence. */
export function parsed<T>(
  value: string,
  help: string,
  form: Form & { readonly example: string },
  read: (text: string | undefined, name: string) => T,
): Option<T> {
  return { ...form, value, help, read: (typed, name) => read(typed.at(-1), name) };
}

/** What a whole number may be, and what it is by default. */
interface Whole extends Form {
  readonly min: number;
  /** Absent: as large as a number is exact. */
  readonly max?: number;
  /** What the help says of the default where it is not a number of its own. */
  readonly shown?: string;
}

/** A whole number in a range, decimal or hexadecimal with 0x. */
export function whole(value: string, help: string, form: Whole & { readonly fallback: number }): Option<number>;
/** The same without a default: undefined when it is not given. */
export function whole(value: string, help: string, form: Whole): Option<number | undefined>;
/** Both of them. */
export function whole(
  value: string,
  help: string,
  { min, max = Number.MAX_SAFE_INTEGER, shown, fallback, ...form }: Whole & { readonly fallback?: number },
): Option<number | undefined> {
  const range = max === Number.MAX_SAFE_INTEGER ? `from ${min} on` : `${min} to ${max}`;
  const otherwise = shown ?? fallback;
  return parsed(
    value,
    `${help} (${range}${otherwise === undefined ? '' : `; default ${otherwise}`})`,
    { example: String(min), ...form },
    (typed, name) => (typed === undefined ? fallback : wholeNumber(name, typed, min, max)),
  );
}

/** A whole number in a range. @throws UsageError for anything else */
export function wholeNumber(name: string, typed: string, min: number, max: number): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(typed) ? Number(typed) : NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${typed}"`);
  return value;
}

/** One of a few words, the first by default. */
export function choice<const T extends string>(words: readonly [T, ...T[]], help: string): Option<T> {
  const listed = `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
  return parsed('NAME', `${listed} (default ${help})`, { example: words[0] }, (typed = words[0], name) => {
    const word = words.find((one) => one === typed);
    if (word === undefined) throw new UsageError(`--${name} is ${listed}, not "${typed}"`);
    return word;
  });
}

/** These options under a heading of their own. */
export function group<O extends Options>(heading: string, options: O): O {
  return Object.fromEntries(Object.entries(options).map(([name, row]) => [name, { ...row, group: heading }])) as O;
}

/** Splits the words of a command line and reads each option. @throws UsageError for what cannot be understood */
export function parse<O extends Options>(
  argv: readonly string[],
  options: O,
  mostOperands: number,
): { readonly values: Values<O>; readonly operands: readonly string[] } {
  const { values: typed, positionals } = split(argv, options, mostOperands > 0);
  if (positionals.length > mostOperands) throw new UsageError(`unexpected argument "${positionals[mostOperands]}"`);
  const values = Object.entries(options).map(([name, row]) => [name, row.read(typed[name] ?? [], name)]);
  return { values: Object.fromEntries(values) as Values<O>, operands: positionals };
}

function split(
  argv: readonly string[],
  options: Options,
  allowPositionals: boolean,
): { readonly values: Readonly<Record<string, readonly string[]>>; readonly positionals: readonly string[] } {
  const config: ParseArgsOptionsConfig = {};
  for (const [name, { value, short }] of Object.entries(options)) {
    const type = value === undefined ? 'boolean' : 'string';
    config[name] = { type, multiple: true, ...(short === undefined ? {} : { short }) };
  }
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options: config,
      allowPositionals,
      strict: true,
    });
    return { values: values as Record<string, string[]>, positionals };
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0] ?? 'bad options');
  }
}

/** Columns of a help line: what is typed, then from here what it means. */
const COLUMN = 23;
const WIDTH = 110;

/** A line of help, broken to the width, with what is typed on its left. */
export function helpLine(typed: string, help: string): string {
  const [first = '', ...more] = wrap(help, WIDTH - COLUMN);
  const left = typed.length < COLUMN ? `${typed.padEnd(COLUMN)}${first}` : `${typed}  ${first}`;
  return [left, ...more.map((line) => `${' '.repeat(COLUMN)}${line}`)].map((line) => `${line}\n`).join('');
}

/** Prose, broken to the width: lines that follow each other are one paragraph, indented ones stay as they are. */
export function prose(text: string): string {
  const lines: string[] = [];
  let paragraph: string[] = [];
  const end = (): void => {
    lines.push(...wrap(paragraph.join(' '), WIDTH));
    paragraph = [];
  };
  for (const line of text.trim().split('\n')) {
    if (/^\S/.test(line)) {
      paragraph.push(line);
      continue;
    }
    end();
    lines.push(line);
  }
  end();
  return lines.join('\n');
}

/** The help of all options, one after the other, with their headings. */
export function optionsHelp(options: Options): string {
  let heading: string | undefined;
  return Object.entries(options)
    .map(([name, { short, value, help, group: own }]) => {
      const title = own === heading || own === undefined ? '' : `\n${own}\n`;
      heading = own;
      const letter = short === undefined ? '    ' : `-${short}, `;
      return title + helpLine(`  ${letter}--${name}${value === undefined ? '' : ` ${value}`}`, help);
    })
    .join('');
}
