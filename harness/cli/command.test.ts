/** Help and options of every command come from one table: what the one says, the other takes. */
import { describe, expect, test } from 'vitest';
import { UsageError } from '../../vm/index.ts';
import { command } from './command.ts';
import { COMMANDS, HELP } from './commands.ts';
import { choice, flag, helpLine, parse, prose, text, texts, whole } from './option.ts';

/** How an option is typed. */
const typed = (name: string, example: string): string[] => (example === '' ? [`--${name}`] : [`--${name}`, example]);

describe.each([...COMMANDS.values()])('$name', ({ name, usage, help, options }) => {
  test('is in the list of commands', () => {
    expect(HELP).toMatch(new RegExp(`^  npx ringfence ${name} +\\w`, 'm'));
    expect(help.startsWith(`ringfence ${usage}`)).toBe(true);
  });
  test('no line of its help is wider than 120', () =>
    expect(help.split('\n').filter((line) => line.length > 120)).toEqual([]));

  test.each(Object.entries(options))('--%s is in its help, is taken, and has a sense', (option, row) => {
    const letter = row.short === undefined ? '    ' : `-${row.short}, `;
    const shown = `  ${letter}--${option}${row.value === undefined ? '' : ` ${row.value}`}`;
    expect(help.split('\n').filter((line) => line.startsWith(`${shown}  `))).toHaveLength(1);
    const value = (words: readonly string[]): unknown => parse(words, options, 0).values[option];
    const given = value(typed(option, row.example));
    expect(given).toEqual(row.read(row.example === '' ? ['true'] : [row.example], option));
    expect(given).toBeDefined();
    if (row.short !== undefined) expect(value([`-${row.short}`, row.example])).toEqual(given);
    // A switch takes no value, and what takes one cannot do without.
    expect(() => value(row.value === undefined ? [`--${option}=x`] : [`--${option}`])).toThrow(UsageError);
  });

  test('its help names no other option of its own', () => {
    const listed = [...help.matchAll(/^ {2}(?:-\w, | {4})--([a-z-]+)/gm)].map(([, option]) => option);
    expect(listed).toEqual(Object.keys(options));
  });
});

test('each letter stands for one option of a command', () => {
  for (const { options } of COMMANDS.values()) {
    const letters = Object.values(options).flatMap(({ short }) => short ?? []);
    expect(new Set(letters).size).toBe(letters.length);
  }
});

describe('rows', () => {
  const options = {
    all: flag('all of them'),
    jobs: whole('N', 'side by side', { min: 1, max: 64, fallback: 2, short: 'j' }),
    most: whole('N', 'in all', { min: 1 }),
    way: choice(['auto', 'kvm'], 'auto, as it comes'),
    out: text('DIR', 'a place'),
    patch: texts('FILE', 'a patch'),
  };
  const values = (...words: string[]): unknown => parse(words, options, 0).values;
  test('what is not given', () =>
    expect(values()).toEqual({
      all: false,
      jobs: 2,
      most: undefined,
      way: 'auto',
      out: undefined,
      patch: undefined,
    }));
  test('what is given; of what may not be repeated, the last', () =>
    expect(
      values(
        '--all',
        '-j',
        '0x10',
        '--most=9007199254740991',
        '--way',
        'kvm',
        '--out=',
        '--patch=a',
        '--patch',
        'b',
        '-j3',
      ),
    ).toEqual({
      all: true,
      jobs: 3,
      most: Number.MAX_SAFE_INTEGER,
      way: 'kvm',
      out: '',
      patch: ['a', 'b'],
    }));
  test.each([
    [['--jobs', '65'], '--jobs takes a whole number from 1 to 64, not "65"'],
    [['--jobs', '1e1'], '--jobs takes a whole number from 1 to 64, not "1e1"'],
    [['--jobs', ''], '--jobs takes a whole number from 1 to 64, not ""'],
    [['--way', 'tcg'], '--way is auto or kvm, not "tcg"'],
    [['--other'], "Unknown option '--other'"],
    [['more'], "Unexpected argument 'more'"],
  ])('%j', (words, message) => {
    expect(() => values(...words)).toThrow(UsageError);
    expect(() => values(...words)).toThrow(message);
  });
  test('too many and too few operands', async () => {
    const operands = { usage: 'FILE', least: 1, most: 1, missing: 'it needs a file' };
    const one = command({ name: 'x', summary: '', operands, options, run: async (_, [file]) => Number(file) });
    expect(await one.run(['7', '--all'])).toBe(7);
    await expect(one.run([])).rejects.toThrow('it needs a file');
    await expect(one.run(['1', '2'])).rejects.toThrow('unexpected argument "2"');
  });
  test('prose', () => {
    expect(prose(`\n${'word '.repeat(30)}\nend\n  as  it is\n\nnext\n`)).toMatch(
      /^(word ){21}word\n(word ){8}end\n {2}as {2}it is\n\nnext$/,
    );
  });
  test('a line of help', () => {
    expect(helpLine('  -o, --out DIR', 'a place')).toBe('  -o, --out DIR        a place\n');
    expect(helpLine('  a very long option it is', 'x')).toBe('  a very long option it is  x\n');
    expect(helpLine('  --a', 'word '.repeat(30)).split('\n')[1]).toMatch(/^ {23}word/);
  });
});
