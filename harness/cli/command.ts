/** A command as data: its help, its options and what it does, in one place. */
import { UsageError } from '../../vm/index.ts';
import { helpLine, optionsHelp, parse, prose } from './option.ts';
import type { Options, Values } from './option.ts';

/** A line of two columns: what is typed, and what that means or does. */
export type HelpRow = readonly [typed: string, help: string];

/** What is typed beside options. */
export interface Operands {
  /** In a usage line, such as "CASE.json...". */
  readonly usage: string;
  /** The least and the most of them. */
  readonly least: number;
  readonly most: number;
  /** What is said when there are fewer than the least. */
  readonly missing?: string;
  readonly help?: readonly HelpRow[];
}

/** Everything there is to say of a command. */
export interface Definition<O extends Options> {
  readonly name: string;
  /** Its line in the list of all commands. */
  readonly summary: string;
  /** What it does, in the first line of its help; absent: as its summary. */
  readonly about?: string;
  readonly operands?: Operands;
  readonly options: O;
  /** What else there is to know, as it is printed. */
  readonly notes?: string;
  readonly examples?: readonly HelpRow[];
  /** Answers the exit code. `argv`: all words behind its name as they were typed. @throws RingfenceError */
  run(values: Values<O>, operands: readonly string[], argv: readonly string[]): Promise<number>;
}

/** A command as the command line knows it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** What is typed to use it, without options. */
  readonly usage: string;
  readonly help: string;
  readonly options: Options;
  /** @param argv the words behind its name */
  run(argv: readonly string[]): Promise<number>;
}

/** Makes a command of its definition. */
export function command<O extends Options>(definition: Definition<O>): Command {
  const { name, summary, operands = { usage: '', least: 0, most: 0 }, options } = definition;
  return {
    name,
    summary,
    usage: operands.usage === '' ? name : `${name} ${operands.usage}`,
    help: helpOf({ ...definition, operands }),
    options,
    run: async (argv) => {
      const parsed = parse(argv, options, operands.most);
      if (parsed.operands.length < operands.least) throw new UsageError(operands.missing ?? `${name} needs more`);
      return await definition.run(parsed.values, parsed.operands, argv);
    },
  };
}

function helpOf<O extends Options>({
  name,
  summary,
  about = summary,
  operands,
  options,
  notes = '',
  examples = [],
}: Definition<O> & { readonly operands: Operands }): string {
  const words = ['ringfence', name, operands.usage, Object.keys(options).length === 0 ? '' : '[options]'];
  const typed = (operands.help ?? []).map(([left, help]) => helpLine(`  ${left}`, help)).join('');
  const wide = Math.max(...examples.map(([line]) => line.length)) + 4;
  const tried = examples.map(([line, why]) => `  ${why === '' ? line : `${line.padEnd(wide)}${why}`}\n`).join('');
  return [
    `${words.filter((word) => word !== '').join(' ')}: ${about}\n`,
    typed,
    optionsHelp(options).replace(/^\n/, ''),
    notes === '' ? '' : `${prose(notes)}\n`,
    tried === '' ? '' : `Examples\n${tried}`,
  ]
    .filter((part) => part !== '')
    .join('\n');
}
