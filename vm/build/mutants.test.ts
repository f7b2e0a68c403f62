import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeTree } from '../testing/trees.ts';
import { bodiesOf } from './c-text.ts';
import { culprits } from './mutant-errors.ts';
import { readMutants } from './mutant-file.ts';
import type { Mutant } from './mutant-file.ts';
import { casesIn, reachedIn } from './mutant-kernel.ts';
import { hooked, mutate, numbered } from './mutants.ts';
import { scanConsole } from '../console/console.ts';

const SOURCE = `/* f() is not here: int f(void) { return 0; } */
#define pr_fmt(fmt) "x" fmt
#include <linux/kernel.h>

struct s { int a; };

static int f(struct s *s, int a)
{
	/* a + 1 */
	if (a > 1)
		return a + 1;
#ifdef X
	if (a) {
#else
	if (s->a) {
#endif
		a = g("a + 1 }", '}');
		a++;
	} else
		a = 3;
	return a +
		2;
}

int g(int b)
{
	return b ? f(NULL, b + 1) : 0;
}

SYSCALL_DEFINE2(call, int, fd, int, a)
{
	return a;
}

static const struct s t[] = {
	[1] = { .a = 7 },
};
`;

const mutant = (more: Partial<Mutant>): Mutant => ({
  id: 'm',
  title: 't',
  class: 'common',
  file: 'a.c',
  in: 'f',
  find: 'a',
  as: 'expression',
  replace: '0',
  symptom: 's',
  argument: 'a',
  ...more,
});

const made = (...mutants: Partial<Mutant>[]) =>
  mutate(SOURCE, numbered(mutants.map((more, i) => mutant({ id: `m${i + 1}`, ...more }))));
/** The lines that are not in the source. */
const lines = (...mutants: Partial<Mutant>[]): string[] => {
  const { text, misfits } = made(...mutants);
  expect(misfits).toEqual([]);
  const old = new Set(SOURCE.split('\n').map((line) => line.trim()));
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !old.has(line));
};
const INCLUDE = '#include <linux/ringfence_mutant.h>';

describe('a mutant becomes a choice', () => {
  test('of an expression, and the header comes first of all headers', () => {
    expect(lines({ find: 'a + 1', replace: 'a - 1' })).toEqual([
      INCLUDE,
      'return (ringfence_mutant(1) ? (a - 1) : (a + 1));',
    ]);
    expect(made({ find: 'a + 1' }).text).toMatch(/pr_fmt[^]*ringfence_mutant\.h>\n#include <linux\/kernel\.h>/);
  });
  test('of a statement; an else behind it stays with its own if', () => {
    expect(lines({ as: 'statement', find: 'a++;', replace: 'a--;\n goto x;' })).toEqual([
      INCLUDE,
      '{ if (ringfence_mutant(1)) { a--; goto x; } else { a++; } }',
    ]);
  });
  test('of nothing at all in place of a statement', () => {
    expect(lines({ as: 'statement', find: 'a = 3;', replace: '' })[1]).toBe(
      '{ if (ringfence_mutant(1)) {  } else { a = 3; } }',
    );
  });
  test('any white space fits any other, and stays as it was', () => {
    expect(lines({ find: 'a\n+ 2' })).toEqual([INCLUDE, 'return (ringfence_mutant(1) ? (0) : (a +', '2));']);
  });
  test('several on the same words are asked in turn', () => {
    expect(lines({ find: 'a + 1' }, { find: 'a + 1', replace: '1' })[1]).toBe(
      'return (ringfence_mutant(1) ? (0) : ((ringfence_mutant(2) ? (1) : (a + 1))));',
    );
  });
  test('one within another applies where the other was not chosen', () => {
    expect(lines({ as: 'statement', find: 'return a + 1;', replace: ';' }, { find: 'a + 1' })[1]).toBe(
      '{ if (ringfence_mutant(1)) { ; } else { return (ringfence_mutant(2) ? (0) : (a + 1)); } }',
    );
  });
  test('numbers follow the ids, not their order', () => {
    expect(lines({ id: 'z', find: 'a + 1' }, { id: 'b', find: 's->a' })).toEqual([
      INCLUDE,
      'return (ringfence_mutant(2) ? (0) : (a + 1));',
      'if ((ringfence_mutant(1) ? (0) : (s->a))) {',
    ]);
  });
  test('nth says which', () => {
    expect(lines({ in: 'g', find: 'b', nth: 2 })[1]).toBe(
      'return b ? f(NULL, (ringfence_mutant(1) ? (0) : (b)) + 1) : 0;',
    );
  });
  test('functions that macros define, and tables, have names too', () => {
    expect(lines({ in: 'call', find: 'a' })[1]).toBe('return (ringfence_mutant(1) ? (0) : (a));');
    expect(lines({ in: 't', find: '7' })[1]).toBe('[1] = { .a = (ringfence_mutant(1) ? (0) : (7)) },');
  });
});

describe('what does not fit is told, and left out', () => {
  test.each<readonly [string, Partial<Mutant>, string]>([
    ['no such function', { in: 'h' }, 'a.c has no function or table h'],
    ['a type is none', { in: 's' }, 'a.c has no function or table s'],
    ['not there', { find: 'b' }, '"b" is in f of a.c 0 times, not once (say which with "nth")'],
    ['too often', { in: 'g', find: 'b' }, '"b" is in g of a.c 2 times, not once (say which with "nth")'],
    ['not so often', { in: 'g', find: 'b', nth: 3 }, '"b" is in g of a.c 2 times: there is no number 3'],
    [
      'in another function only',
      { in: 'g', find: 'a + 1' },
      '"a + 1" is in g of a.c 0 times, not once (say which with "nth")',
    ],
  ])('%s', (_, more, problem) => {
    const { text, misfits, places } = made(more);
    expect(misfits).toEqual([{ id: 'm1', problem }]);
    expect([text, places]).toEqual([SOURCE.replace('#include', `${INCLUDE}\n#include`), []]);
  });
  test('words that overlap, and words of both kinds', () => {
    expect(made({ find: 'return a + 1;', as: 'statement' }, { find: '1)\n return a' }).misfits).toEqual([
      { id: 'm1', problem: 'a.c: its words begin within those of m2 and end behind them' },
    ]);
    expect(made({ find: 'a++;', as: 'statement' }, { find: 'a++;' }).misfits).toEqual([
      { id: 'm2', problem: 'a.c: its words are those of m1, which is of the other kind ("as": "statement")' },
    ]);
  });
});

test('a function has as many bodies as there are configurations', () => {
  const text = '#if X\nint f(void) { return 1; }\n#else\nint f(void)\n{\n return 2;\n}\n#endif\nint h(void) { f(); }\n';
  expect(bodiesOf(text, 'f').map(({ from, to }) => text.slice(from, to).trim())).toEqual(['return 1;', 'return 2;']);
});

test('what the compiler says leads to the mutant: by its column, its line, or the note about a macro', () => {
  const file = made(
    { find: 'a + 1', replace: 'none' },
    { as: 'statement', find: 'a++;', replace: 'nothing;' },
    { in: 'g', find: 'b + 1', replace: 'never' },
  );
  const files = new Map([['io_uring/a.c', file]]);
  const row = (text: string): number => file.text.split('\n').findIndex((line) => line.includes(text)) + 1;
  const log = [
    `../io_uring/a.c:${row('none')}:40: error: 'none' undeclared`,
    `../io_uring/a.c:${row('none')}:40: note: each undeclared identifier is reported only once`,
    `io_uring/a.c:${row('nothing')}:1: warning: unused`,
    'include/linux/x.h:7:1: error: static assertion failed',
    `io_uring/a.c:${row('nothing')}:5: note: in expansion of macro 'x'`,
    `io_uring/a.c:${row('never')}: error: odd`,
    `io_uring/b.c:${row('never')}: error: elsewhere`,
    'make[2]: *** [io_uring/a.o] Error 1',
  ].join('\n');
  expect(culprits(log, files)).toEqual([
    { id: 'm1', problem: "'none' undeclared" },
    { id: 'm2', problem: 'static assertion failed' },
    { id: 'm3', problem: 'odd' },
  ]);
});

test('a tab is as wide as the compiler shows it', () => {
  const { text, places } = mutate(
    'int f(int a)\n{\n\treturn a + b;\n}\n',
    numbered([mutant({ id: 'm1', find: 'a', replace: 'x' }), mutant({ id: 'm2', find: 'b', replace: 'y' })]),
  );
  const line = text.split('\n').findIndex((one) => one.includes('return')) + 1;
  const files = new Map([['a.c', { text, places, misfits: [] }]]);
  // With a narrower tab the first of them would lie in the other mutant, the second behind both.
  for (const [words, id] of [
    ['(a)', 'm1'],
    ['(b)', 'm2'],
  ] as const) {
    const column = text.split('\n')[line - 1]!.indexOf(words) + 8;
    expect(culprits(`a.c:${line}:${column}: error: no`, files)).toEqual([{ id, problem: 'no' }]);
  }
});

test('what a kernel says of places that were reached is no complaint', () => {
  const console = '[    1.5] ringfence: mutant 7 reached\r\n[    1.6][   T1] ringfence: mutant 12 reached\r\n';
  expect(scanConsole(console)).toEqual([]);
  expect(reachedIn(console)).toEqual([7, 12]);
});

test('which cases come to which places, on lines of a length that the console takes', () => {
  const console =
    '[    1.5] ringfence: case 3: 1 12\r\n[    1.5] ringfence: case 3: 40\r\n' +
    '[    1.6] ringfence: mutant 2 reached\r\n[    1.7] ringfence: case 5: 1\r\n';
  expect([...casesIn(console)]).toEqual([
    [3, [1, 12, 40]],
    [5, [1]],
  ]);
  expect(reachedIn(console)).toEqual([2]);
  expect(scanConsole(console)).toEqual([]);
});

test('a function calls something first, if there is one', () => {
  expect(hooked(SOURCE, 'g', 'x();')).toContain('int g(int b)\n{ x();\n\treturn b');
  expect(hooked(SOURCE, 'none', 'x();')).toBe(SOURCE);
});

describe('files of mutants', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ringfence-mutants-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));
  const read = (...files: unknown[]) => {
    writeTree(dir, Object.fromEntries(files.map((data, i) => [`${i}.json`, JSON.stringify(data)])));
    return readMutants(files.map((_, i) => join(dir, `${i}.json`)));
  };
  const file = (...mutants: unknown[]) => ({ linux: '7.3.4', mutants });

  test('are read as they are', () => {
    expect(read(file(mutant({ id: 'a' })), file(mutant({ id: 'b', needs: 'race', nth: 2 })))).toEqual([
      mutant({ id: 'a' }),
      mutant({ id: 'b', needs: 'race', nth: 2 }),
    ]);
  });
  test.each<readonly [string, unknown, RegExp]>([
    ['a class that there is not', mutant({ class: 'odd' as 'race' }), /mutants\[0\]\.class: expected one of rare-data/],
    ['a member that there is not', { ...mutant({}), needz: 1 }, /unknown field "needz"/],
    ['an id that is no name', mutant({ id: 'A b' }), /mutants\[0\]\.id: expected a name in kebab-case/],
    ['a place out of the tree', mutant({ file: '../a.c' }), /mutants\[0\]\.file/],
    ['no argument', mutant({ argument: ' ' }), /mutants\[0\]\.argument: expected a text that is not empty/],
    ['brackets', mutant({ replace: 'f(a' }), /m: the brackets of "replace" do not match/],
    ['half a statement', mutant({ as: 'statement', find: 'a = 1' }), /m: "find" is no whole statement/],
    ['no change', mutant({ find: 'a  b', replace: 'a b' }), /m: "find" and "replace" are equal/],
    ['nothing for an expression', mutant({ replace: '' }), /m: an expression cannot be replaced by nothing/],
  ])('%s', (_, one, message) => {
    expect(() => read(file(one))).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringMatching(message) }),
    );
  });
  test('an id twice, in one file and in two', () => {
    expect(() => read(file(mutant({}), mutant({})))).toThrow(/the id "m" is taken\n/);
    expect(() => read(file(mutant({})), file(mutant({})))).toThrow(/1\.json.*the id "m" is taken by one of .*0\.json/);
  });
  test('no file, no JSON', () => {
    expect(() => readMutants([join(dir, 'none.json')])).toThrow(/none\.json cannot be read/);
    writeTree(dir, { 'bad.json': '{' });
    expect(() => readMutants([join(dir, 'bad.json')])).toThrow(/bad\.json is no file of mutants/);
  });
});
