import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTEXT_OFFSETS, OP, opSpec } from '../opcodes/index.ts';
import { parseAsm } from './asm.ts';
import { cRow, parseCArray, printCArray, printSideBySide } from './carray.ts';
import { formatFaults } from './syntax-error.ts';
import { anyProgram } from '../testing/programs.ts';

const rows = (text: string): number[][] => {
  const parsed = parseCArray(text, CONTEXT_OFFSETS);
  if (!parsed.ok) throw new Error(formatFaults(parsed.errors));
  return parsed.program.map(({ code, jt, jf, k }) => [code, jt, jf, k]);
};

const fault = (text: string): string => {
  const parsed = parseCArray(text, CONTEXT_OFFSETS);
  return parsed.ok ? 'no fault' : formatFaults(parsed.errors);
};

test('print and parse give back any program', () => {
  fc.assert(
    fc.property(anyProgram, fc.boolean(), (program, wrapped) => {
      const text = printCArray(program);
      expect(parseCArray(wrapped ? `static const struct sock_filter filter[] = {\n${text}\n};` : text)).toMatchObject({
        ok: true,
        program,
      });
    }),
    { numRuns: 2000 },
  );
});

test('the printed row', () => {
  expect(cRow({ code: 0x15, jt: 0, jf: 3, k: 2 })).toBe('{ 0x15, 0, 3, 0x00000002 },');
  expect(cRow({ code: 0xffff, jt: 255, jf: 255, k: 0xffffffff })).toBe('{ 0xffff, 255, 255, 0xffffffff },');
});

test('side by side it is still assembler', () => {
  fc.assert(
    fc.property(anyProgram, (program) => {
      expect(parseAsm(printSideBySide(program, { payload: opSpec(OP.CONNECT)?.payload }))).toMatchObject({
        ok: true,
        program,
      });
    }),
  );
  const program = [
    { code: 0x20, jt: 0, jf: 0, k: 16 },
    { code: 0x15, jt: 0, jf: 0, k: 2 },
    { code: 0x16, jt: 0, jf: 0, k: 0 },
  ];
  expect(printSideBySide(program, { payload: opSpec(OP.SOCKET)?.payload })).toBe(
    [
      '    ld [16]          ; { 0x20, 0, 0, 0x00000010 },  socket.family',
      '    jeq #0x2, l2, l2 ; { 0x15, 0, 0, 0x00000002 },',
      'l2: ret a            ; { 0x16, 0, 0, 0x00000000 },',
    ].join('\n'),
  );
});

describe('accepted forms', () => {
  test('the example of the manual page', () => {
    const text = `struct sock_filter inet_only_filter[] = {
      /* Load socket family from context */
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct io_uring_bpf_ctx, socket.family)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 0, 1), // family
      BPF_STMT(BPF_RET | BPF_K, 1),
      BPF_STMT(BPF_RET | BPF_K, 0),
    };`;
    expect(rows(text)).toEqual([
      [0x20, 0, 0, 16],
      [0x15, 0, 1, 2],
      [0x06, 0, 0, 1],
      [0x06, 0, 0, 0],
    ]);
    expect(parseCArray(text, CONTEXT_OFFSETS)).toMatchObject({ lines: [3, 4, 5, 6] });
  });

  test.each([
    ['', []],
    ['struct sock_filter f[3] = {}', []],
    ['{ 6, 0, 0, 1 }', [[6, 0, 0, 1]]],
    [
      '{ { 6, 0, 0, 1 }, { 0x16 } }',
      [
        [6, 0, 0, 1],
        [0x16, 0, 0, 0],
      ],
    ],
    ['{ BPF_STMT(6, 1) };', [[6, 0, 0, 1]]],
    [
      '{ 6, 0, 0, 1, }, {},',
      [
        [6, 0, 0, 1],
        [0, 0, 0, 0],
      ],
    ],
    ['{ .code = 6, .k = -1 }', [[6, 0, 0, 0xffffffff]]],
    ['{ .jt = 1, 2, 3 }', [[0, 1, 2, 3]]],
    ['{ 6, 0, 0, ~0 }', [[6, 0, 0, 0xffffffff]]],
    ['{ 6, 0, 0, SKF_AD_OFF + 4 }', [[6, 0, 0, 0xfffff004]]],
    ['{ 6, 0, 0, (1u << 31) | 0x0fUL & 07 }', [[6, 0, 0, 0x80000007]]],
    ['{ 6, 0, 0, 1 << 4 + 1 - 2 >> 1 }', [[6, 0, 0, 4]]],
    ['{ 6, 0, 0, +0b11 }', [[6, 0, 0, 3]]],
    ['{ 6, 0, 0, -(-5) }', [[6, 0, 0, 5]]],
    ['{ 6, 0, 0, 010 }', [[6, 0, 0, 8]]],
  ] as const)('%s', (text, want) => {
    expect(rows(text)).toEqual(want);
  });
});

describe('faults', () => {
  test.each([
    ['foo', "1: line 1, column 1: found 'foo', expected {, BPF_STMT or BPF_JUMP"],
    ['constructor', "1: line 1, column 1: found 'constructor', expected {, BPF_STMT or BPF_JUMP"],
    ['int f = 5;', "1: line 1, column 9: found '5', expected { after '='"],
    ['f = { { 6 }', '1: line 1, column 12: the text ends here, expected an instruction or the closing }'],
    ['{', '1: line 1, column 2: the text ends here, expected a number or a constant such as BPF_LD or AF_INET'],
    ['{ 6 } { 6 }', "1: line 1, column 7: found '{', expected {, BPF_STMT, BPF_JUMP or the end of the text"],
    ['{ 6 } }', "1: line 1, column 7: found '}', expected {, BPF_STMT, BPF_JUMP or the end of the text"],
    ['{ 1, 2, 3, 4, 5 }', "1: line 1, column 15: found '5', expected } after code, jt, jf and k"],
    ['{ 1 2 }', "1: line 1, column 5: found '2', expected ',' or }"],
    ['{ .kk = 1 }', "1: line 1, column 4: found 'kk', expected code, jt, jf or k"],
    ['{ .', "1: line 1, column 4: found '', expected code, jt, jf or k"],
    ['{ .k 1 }', "1: line 1, column 6: found '1', expected '='"],
    ['{ 0x10000 }', '1: line 1, column 3: 65536 does not fit in code, expected at most 0xffff'],
    ['{ 6, 256 }', '1: line 1, column 6: 256 does not fit in jt, expected at most 0xff'],
    ['{ 6, 0, -1 }', '1: line 1, column 9: -1 does not fit in jf, expected at most 0xff'],
    ['{ 6, 0, 0, 0x100000000 }', '1: line 1, column 12: 4294967296 does not fit in k, expected at most 0xffffffff'],
    ['{ 6, 0, 0, -2147483649 }', '1: line 1, column 12: -2147483649 does not fit in k, expected at most 0xffffffff'],
    ['{ 6, 0, 0, 1 << 64 }', '1: line 1, column 17: a shift by 64, expected 0 to 63'],
    ['{ 6, 0, 0, 1 >> -1 }', '1: line 1, column 17: a shift by -1, expected 0 to 63'],
    ['{ 6, 0, 0, 0x }', "1: line 1, column 12: found '0x', expected a C integer"],
    ['{ 6, 0, 0, 08 }', "1: line 1, column 12: found '08', expected a C integer"],
    [
      '{ 6, 0, 0, NOPE }',
      "1: line 1, column 12: found 'NOPE', expected a number or a constant such as BPF_LD or AF_INET",
    ],
    ['{ 6, 0, 0, (1 }', "1: line 1, column 15: found '}', expected ')'"],
    ['BPF_STMT 6', "1: line 1, column 10: found '6', expected '('"],
    ['BPF_STMT(6)', "1: line 1, column 11: found ')', expected ',' and k"],
    ['BPF_JUMP(6, 1, 2)', "1: line 1, column 17: found ')', expected ',' and jf"],
    ['BPF_STMT(6, 1, 2)', "1: line 1, column 14: found ',', expected ')'"],
    ['BPF_STMT(6, offsetof(int, x))', "1: line 1, column 22: found 'int', expected 'struct'"],
    ['{ 6 }\n/* open', '1: line 2, column 1: this comment is not closed, expected */'],
    ['{ 6 ? }', "1: line 1, column 5: unexpected character '?'"],
  ])('%j', (text, want) => {
    expect(fault(text)).toBe(want);
  });

  test('an unknown member, and a text that ends in one', () => {
    expect(fault('BPF_STMT(6, offsetof(struct io_uring_bpf_ctx, sqe))')).toMatch(
      /^1: line 1, column 47: found 'sqe', expected a member of struct io_uring_bpf_ctx: user_data, /,
    );
    expect(fault('BPF_STMT(6, offsetof(struct io_uring_bpf_ctx, opcode')).toBe(
      "1: line 1, column 53: the text ends here, expected ')'",
    );
  });

  test('deep nesting is refused, not fatal', () => {
    expect(fault(`{ ${'('.repeat(100_000)}`)).toBe(
      "1: line 1, column 103: found '(', expected an expression nested less deeply",
    );
    expect(rows(`{ ${'('.repeat(90)}6${')'.repeat(90)} }`)).toEqual([[6, 0, 0, 0]]);
  });

  test('any text is parsed or refused', () => {
    const word = fc.constantFrom(
      '{',
      '}',
      '6',
      ',',
      '.',
      'k',
      '=',
      'BPF_STMT',
      'BPF_JUMP',
      '(',
      ')',
      '|',
      '<<',
      '-',
      'offsetof',
      'f',
      '[',
      ']',
      ';',
      'struct',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word).map((w) => w.join(' ')),
          fc.string(),
        ),
        (text) => {
          expect(typeof parseCArray(text, CONTEXT_OFFSETS).ok).toBe('boolean');
        },
      ),
      { numRuns: 2000 },
    );
  });
});
