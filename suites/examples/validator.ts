/** Which programs the kernel takes. */
import { OP } from '../../oracle/opcodes/index.ts';
import type { Program } from '../../oracle/bpf/program.ts';
import { asm, example, filter, onRing, ring, submit, suite, nop } from './build.ts';

const on = onRing(0);
const tries = (...programs: (string | Program)[]) => [
  ring(0),
  ...programs.map((program) => filter(on, OP.NOP, program)),
];
const long = (length: number): Program =>
  Array.from({ length }, (_, i) =>
    i === length - 1 ? { code: 0x06, jt: 0, jf: 0, k: 1 } : { code: 0x00, jt: 0, jf: 0, k: i },
  );

/** Examples of suite validator. */
export const validator = suite('validator', [
  example(
    'A constant shift stays below 32',
    'A shift by 32 would mean different things to different machines.',
    tries('lsh #31\nret a', 'lsh #32\nret a', 'rsh #31\nret a', 'rsh #32\nret a'),
  ),
  example(
    'A load is aligned and inside the context',
    'A filter must not read kernel memory beside the context.',
    tries(
      'ld [36]\nret #1',
      'ld [40]\nret #1',
      'ld [44]\nret #1',
      'ld [2]\nret #1',
      'ld [1]\nret #1',
      'ld [4294967292]\nret #1',
    ),
  ),
  example(
    'A scratch word is written on every path before it is read',
    "Scratch memory would otherwise show what earlier code left on the kernel's stack.",
    tries(
      'ld M[0]\nret a',
      'st M[0]\nld M[0]\nret a',
      'jeq #0, one, two\none: st M[3]\ntwo: ldx M[3]\nret #1',
      'jeq #0, one, two\none: st M[3]\nja end\ntwo: stx M[3]\nend: ldx M[3]\nret #1',
      'st M[15]\nld M[14]\nret #1',
      'st M[16]\nret #1',
      'st M[15]\nret #1',
    ),
  ),
  example(
    'A program ends with ret and jumps stay inside',
    'Execution must not run off the end.',
    tries(
      'ld #1',
      'ld #1\nja end\nend: ret #1',
      [{ code: 0x05, jt: 0, jf: 0, k: 1 }, ...asm('ret #1')],
      [{ code: 0x05, jt: 0, jf: 0, k: 0 }, ...asm('ret #1')],
      [{ code: 0x15, jt: 1, jf: 0, k: 0 }, ...asm('ret #1')],
      [{ code: 0x15, jt: 0, jf: 1, k: 0 }, ...asm('ret #1')],
      [{ code: 0x15, jt: 0, jf: 0, k: 0 }, ...asm('ret #1')],
      asm('ret #1\nld #1'),
    ),
  ),
  example(
    'Instructions of the packet world are refused',
    'There is no packet, so every way to read one is shut.',
    tries(
      'ldb [0]\nret #1',
      'ldh [0]\nret #1',
      'ld [x + 0]\nret #1',
      'ldxb 4*([0]&0xf)\nret #1',
      'mod #3\nret #1',
      'mod x\nret #1',
      'div #0\nret #1',
      'div #1\nret #1',
      'ldx len\nret #1',
      'ld len\nret #1',
      [{ code: 0x0e, jt: 0, jf: 0, k: 0 }],
      [{ code: 0xff, jt: 0, jf: 0, k: 0 }, ...asm('ret #1')],
      [{ code: 0x106, jt: 0, jf: 0, k: 1 }],
    ),
  ),
  example('4096 instructions fit, 4097 do not', 'The bound is documented; a filter compiler relies on it.', [
    ring(0),
    filter(on, OP.NOP, long(4096)),
    filter(on, OP.READ, long(4097)),
    submit(0, nop()),
  ]),
]);
