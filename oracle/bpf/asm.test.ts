import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { OP, opSpec } from '../opcodes/index.ts';
import { formatFaults, parseAsm, printAsm } from './asm.ts';
import type { PrintOptions } from './asm.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { anyProgram, nearlyValid } from '../testing/programs.ts';

const rows = (text: string): number[][] => {
  const parsed = parseAsm(text);
  if (!parsed.ok) throw new Error(formatFaults(parsed.errors));
  return parsed.program.map(({ code, jt, jf, k }) => [code, jt, jf, k]);
};

const faults = (text: string): string => {
  const parsed = parseAsm(text);
  return parsed.ok ? 'no fault' : formatFaults(parsed.errors);
};

describe('print and parse', () => {
  test('give back any program', () => {
    fc.assert(
      fc.property(anyProgram, fc.boolean(), (program, comments) => {
        const parsed = parseAsm(printAsm(program, { payload: opSpec(OP.OPENAT)?.payload, comments }));
        expect(parsed).toMatchObject({ ok: true, program });
      }),
      { numRuns: 3000 },
    );
  });

  test('need no raw line for a program io_uring takes', () => {
    fc.assert(
      fc.property(nearlyValid(20), (program) => {
        const text = printAsm(program);
        expect(text).not.toContain('.raw');
        expect(parseAsm(text)).toMatchObject({ ok: true, program });
      }),
    );
  });

  test('reach every instruction of the table', () => {
    for (const { code, mnemonic } of INSTRUCTIONS) {
      const program = [
        { code, jt: 0, jf: 0, k: 0 },
        { code: 0x06, jt: 0, jf: 0, k: 0 },
      ];
      const text = printAsm(program);
      expect(text.replace(/l1: /, '').trimStart().split(/\s/)[0]).toBe(mnemonic);
      expect(parseAsm(text)).toMatchObject({ ok: true, program });
    }
  });

  test('the empty program is the empty text', () => {
    expect(printAsm([])).toBe('');
    expect(parseAsm('')).toEqual({ ok: true, program: [], lines: [] });
  });
});

describe('printed form', () => {
  const print = (text: string, options: PrintOptions = {}): string => {
    const parsed = parseAsm(text);
    return parsed.ok ? printAsm(parsed.program, options) : formatFaults(parsed.errors);
  };

  test('has labels only where something jumps to, and field names', () => {
    expect(print('ld [16] jeq #2, good ld [0] good: ret #1', { payload: opSpec(OP.SOCKET)?.payload })).toBe(
      ['    ld [16] ; socket.family', '    jeq #0x2, l3, l2', 'l2: ld [0]  ; user_data low', 'l3: ret #0x1'].join('\n'),
    );
  });

  test('leaves comments out on request, and follows the byte order', () => {
    expect(print('ld [16] ret a', { payload: opSpec(OP.SOCKET)?.payload, comments: false })).toBe('ld [16]\nret a');
    expect(print('ld [0] ret a', { littleEndian: false })).toBe('ld [0] ; user_data high\nret a');
  });

  test('of every operand', () => {
    expect(
      print(
        'ld proto ldb [x + 70000] ldx 4*([14]&0xf) lsh #31 add #70000 and #10 ld len st M[3] neg tax div x ret %x',
      ).split('\n'),
    ).toEqual([
      'ld [0xfffff000]',
      'ldb [x + 0x11170]',
      'ldxb 4*([14]&0xf)',
      'lsh #31',
      'add #0x11170',
      'and #0xa',
      'ld len',
      'st M[3]',
      'neg',
      'tax',
      'div x',
      'ret x',
    ]);
  });

  test('is raw where the language has no words', () => {
    expect(print('.raw 0xff, 1, 2, 3')).toBe('.raw 0x00ff, 1, 2, 0x3');
    expect(print('.raw 0x06, 1, 0, 3')).toBe('.raw 0x0006, 1, 0, 0x3');
    expect(print('.raw 0x84, 0, 0, 3')).toBe('.raw 0x0084, 0, 0, 0x3');
    expect(print('.raw 0x1d, 0, 0, 3 ret a')).toMatch(/^\.raw/);
    expect(print('.raw 0x15, 1, 0, 0 ret a')).toMatch(/^\.raw/);
    expect(print('.raw 0x05, 0, 0, 1 ret a')).toMatch(/^\.raw/);
  });

  test('shows a jump back to where it goes', () => {
    expect(print('aa: ld #1 ja aa')).toBe('l0: ld #0x1\n    ja l0');
    expect(rows('aa: ld #1 ja aa')[1]).toEqual([0x05, 0, 0, 0xfffffffe]);
  });
});

describe('the language of bpf_asm', () => {
  test('examples of filter.rst', () => {
    expect(rows('  ldh [12]\n  jne #0x806, drop\n  ret #-1\n  drop: ret #0')).toEqual([
      [0x28, 0, 0, 12],
      [0x15, 0, 1, 0x806],
      [0x06, 0, 0, 0xffffffff],
      [0x06, 0, 0, 0],
    ]);
    expect(rows('ld vlan_tci\njneq #10, drop\nret #-1\ndrop: ret #0')).toEqual([
      [0x20, 0, 0, 0xfffff02c],
      [0x15, 0, 1, 10],
      [0x06, 0, 0, 0xffffffff],
      [0x06, 0, 0, 0],
    ]);
    expect(
      rows(
        'ld [4] /* arch */\njne #0xc000003e, bad /* a\n b */\nld [0]\njeq #15, good\nbad: ret #0\n' +
          'good: ret #0x7fff0000',
      ),
    ).toEqual([
      [0x20, 0, 0, 4],
      [0x15, 0, 2, 0xc000003e],
      [0x20, 0, 0, 0],
      [0x15, 1, 0, 15],
      [0x06, 0, 0, 0],
      [0x06, 0, 0, 0x7fff0000],
    ]);
  });

  test.each([
    ['ld #0x10', [0x00, 0, 0, 16]],
    ['ldi 5', [0x00, 0, 0, 5]],
    ['ldi #5', [0x00, 0, 0, 5]],
    ['LD #010', [0x00, 0, 0, 8]],
    ['ld #0b101', [0x00, 0, 0, 5]],
    ['ld #-2147483648', [0x00, 0, 0, 0x80000000]],
    ['ld #+7', [0x00, 0, 0, 7]],
    ['ld #0', [0x00, 0, 0, 0]],
    ['ld # 4294967295', [0x00, 0, 0, 0xffffffff]],
    ['ld len', [0x80, 0, 0, 0]],
    ['ld #len', [0x80, 0, 0, 0]],
    ['ldx #LEN', [0x81, 0, 0, 0]],
    ['ld #rand', [0x20, 0, 0, 0xfffff038]],
    ['ldb type', [0x30, 0, 0, 0xfffff004]],
    ['ldh [x+4]', [0x48, 0, 0, 4]],
    ['ldb [%x + 4]', [0x50, 0, 0, 4]],
    ['ld [x + 0x4]', [0x40, 0, 0, 4]],
    ['ldb [4]', [0x30, 0, 0, 4]],
    ['ldx #1', [0x01, 0, 0, 1]],
    ['ldxi 1', [0x01, 0, 0, 1]],
    ['ldx m[3]', [0x61, 0, 0, 3]],
    ['ldx 4 * ( [14] & 15 )', [0xb1, 0, 0, 14]],
    ['ldxb 4*([14]&0xf)', [0xb1, 0, 0, 14]],
    ['st M[1]', [0x02, 0, 0, 1]],
    ['stx M[1]', [0x03, 0, 0, 1]],
    ['add x', [0x0c, 0, 0, 0]],
    ['add %x', [0x0c, 0, 0, 0]],
    ['add %X', [0x0c, 0, 0, 0]],
    ['ret a', [0x16, 0, 0, 0]],
    ['ret %a', [0x16, 0, 0, 0]],
    ['ret x', [0x0e, 0, 0, 0]],
    ['neg', [0x84, 0, 0, 0]],
    ['txa', [0x87, 0, 0, 0]],
    ['.raw 0xffff, 255, 255, -1', [0xffff, 255, 255, 0xffffffff]],
  ] as const)('%s', (text, want) => {
    expect(rows(text)).toEqual([want]);
  });

  test.each([
    ['jeq #1, yes, noo', [0x15, 0, 1, 1]],
    ['jeq x, noo', [0x1d, 1, 0, 0]],
    ['jne #1, noo', [0x15, 0, 1, 1]],
    ['jneq %x, noo', [0x1d, 0, 1, 0]],
    ['jlt #1, noo', [0x35, 0, 1, 1]],
    ['jle x, noo', [0x2d, 0, 1, 0]],
    ['jgt #1, noo, yes', [0x25, 1, 0, 1]],
    ['jge #1, noo', [0x35, 1, 0, 1]],
    ['jset #1, yes, noo', [0x45, 0, 1, 1]],
    ['ja noo', [0x05, 0, 0, 1]],
    ['jmp noo', [0x05, 0, 0, 1]],
  ] as const)('%s', (text, want) => {
    expect(rows(`${text}\nyes: ret #1\nnoo: ret #0`)[0]).toEqual(want);
  });

  test('comments, labels on lines of their own, and labels that look like names', () => {
    expect(
      rows('# first\nld [0]; trailing\n#0x5 is a comment in column 1\n/* a * b **/ ja lenx\nlenx:\n Lenx: l_1: ret a'),
    ).toHaveLength(3);
  });

  test('lines of the instructions', () => {
    expect(parseAsm('\nld #1 tax\n\naa: ret\n a')).toMatchObject({ ok: true, lines: [2, 2, 4] });
  });
});

describe('faults', () => {
  test.each([
    ['ld', '1: line 1, column 3: the text ends here, expected #k, [k], [x + k], M[k] or len'],
    ['ld [2 ret a', "1: line 1, column 7: found 'ret', expected ']'"],
    ['ldh #1', "1: line 1, column 5: 'ldh' does not take #k, expected [k] or [x + k]"],
    ['ldx [4]', "1: line 1, column 5: 'ldx' does not take [k], expected #k, M[k], len or 4*([k]&0xf)"],
    ['ldi x', "1: line 1, column 5: found 'x', expected #k or k"],
    ['st x', "1: line 1, column 4: 'st' does not take x, expected M[k]"],
    ['ret foo', "1: line 1, column 5: found 'foo', expected #k, x or a"],
    ['add %m', "1: line 1, column 6: found 'm', expected x or a after '%'"],
    ['add :', "1: line 1, column 5: found ':', expected #k or x"],
    ['ld [%a + 1]', "1: line 1, column 6: found 'a', expected x after '%'"],
    ['ld [x 1]', "1: line 1, column 7: found '1', expected '+' after x"],
    [
      'ld [x - 1]',
      "1: line 1, column 7: unexpected character '-'\n2: line 1, column 9: found '1', expected '+' after x",
    ],
    ['ldxb 5*([0]&0xf)', "1: line 1, column 6: found '5', expected 4 in '4*([k]&0xf)'"],
    ['ldxb 4*([0]&0xe)', "1: line 1, column 13: found '0xe', expected 0xf in '4*([k]&0xf)'"],
    ['jeq #1', "1: line 1, column 7: the text ends here, expected ',' and a label"],
    ['jeq #1, 5', "1: line 1, column 9: found '5', expected a label after ','"],
    [
      'aa: jne #1, aa, aa',
      "1: line 1, column 13: 'aa' is -1 instructions beyond the next one, expected 0 to 255\n" +
        "2: line 1, column 15: 'jne' takes one label, not two",
    ],
    ['jeq #1, x', "1: line 1, column 9: found 'x', expected a label after ','"],
    [
      'jeq #1, yy yy: ret a jeq #1, yy',
      "1: line 1, column 30: 'yy' is -2 instructions beyond the next one, expected 0 to 255",
    ],
    ['ja nowhere', "1: line 1, column 4: no instruction has the label 'nowhere'"],
    ['aa: ret a\naa: ret a', "1: line 2, column 1: the label 'aa' is defined twice"],
    ['aa ret a', "1: line 1, column 4: found 'ret', expected ':' after the label 'aa'"],
    ['ret a\naa:', '1: line 2, column 4: the text ends here, expected an instruction or a label'],
    [
      'l: ret a',
      "1: line 1, column 1: unexpected 'l'; a label has at least two characters\n" +
        "2: line 1, column 2: found ':', expected an instruction or a label",
    ],
    [
      'ld #089',
      '1: line 1, column 5: 089 is no number: expected octal digits after the leading 0\n' +
        "2: line 1, column 8: the text ends here, expected a number after '#'",
    ],
    [
      'ld #4294967296 tax',
      '1: line 1, column 5: 4294967296 does not fit in 32 bits\n' +
        "2: line 1, column 16: found 'tax', expected a number after '#'",
    ],
    [
      'ret #-2147483649\nret a',
      '1: line 1, column 6: -2147483649 does not fit in 32 bits\n' +
        "2: line 2, column 1: found 'ret', expected a number after '#'",
    ],
    ['ret a /* never\nclosed', '1: line 1, column 7: this comment is not closed, expected */'],
    ['ret a $', "1: line 1, column 7: unexpected character '$'"],
    ['.raw 0x10000, 0, 0, 0', '1: line 1, column 6: 0x10000 is too large for code, expected at most 65535'],
    ['.raw 1, 256, 0, 0', '1: line 1, column 9: 256 is too large for jt, expected at most 255'],
    ['.raw 1, 2', "1: line 1, column 10: the text ends here, expected ','"],
    [
      '.rawx',
      "1: line 1, column 1: unexpected character '.'\n" +
        "2: line 1, column 6: the text ends here, expected ':' after the label 'rawx'",
    ],
  ])('%j', (text, want) => {
    expect(faults(text)).toBe(want);
  });

  test('of several lines are all found, and no fault makes another', () => {
    const text = 'start: ld [x]\n  jeq #1, done, next\nnext: add\ntax 5\n  ja start\ndone: ret #1';
    expect(faults(text)).toBe(
      [
        "1: line 1, column 13: found ']', expected '+' after x",
        "2: line 4, column 1: found 'tax', expected #k or x",
        "3: line 4, column 5: found '5', expected an instruction or a label",
      ].join('\n'),
    );
  });

  test('a jump of 255 is the longest', () => {
    const text = (skip: number): string => `jeq #1, far\n${'tax\n'.repeat(skip)}far: ret a`;
    expect(rows(text(255))[0]).toEqual([0x15, 255, 0, 1]);
    expect(faults(text(256))).toBe(
      "1: line 1, column 9: 'far' is 256 instructions beyond the next one, expected 0 to 255",
    );
  });

  test('end after twenty', () => {
    const parsed = parseAsm('ld ]\n'.repeat(50));
    expect(parsed.ok ? 0 : parsed.errors.length).toBe(20);
  });

  test('any text is parsed or refused with a place inside it', () => {
    const word = fc.constantFrom(
      'ld',
      'ldx',
      'jeq',
      'ret',
      '#1',
      '#',
      '[',
      ']',
      'x',
      'a',
      'M',
      'len',
      'aa',
      'aa:',
      ',',
      '+',
      '4',
      '*',
      '(',
      ')',
      '&',
      '.raw',
      '%',
      '\n',
      '; c',
      '/*',
      '*/',
      'proto',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(word).map((w) => w.join(' ')),
          fc.string({ unit: 'grapheme' }),
        ),
        (text) => {
          const parsed = parseAsm(text);
          if (parsed.ok) return;
          const lines = text.split('\n');
          for (const { line, column } of parsed.errors) {
            expect(line).toBeLessThanOrEqual(lines.length);
            expect(column).toBeLessThanOrEqual(lines[line - 1]!.length + 1);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
