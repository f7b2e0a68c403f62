/**
 * The rules of classic BPF as io_uring uses it: when a program is refused, and
 * what each instruction does. Citations: `filter.rst` is the kernel's
 * Documentation/networking/filter.rst; "PATCH 1/7" is the patch of the series
 * that adds BPF filtering of opcodes.
 */
import { defineRules } from '../rule.ts';

const WHITELIST = 'PATCH 1/7, io_uring/bpf_filter.c, io_uring_check_cbpf_filter()';
const TABLE = "filter.rst, 'BPF engine and instruction set', instruction table";
const MODES = "filter.rst, 'BPF engine and instruction set', addressing modes";
const GENERIC =
  'PATCH 1/7, io_register_bpf_filter(): bpf_prog_create_from_user() runs the checks common to all classic BPF';

/** Every rule about programs, keyed by id. */
export const bpfRules = defineRules({
  'bpf.program.accepted': [
    'man',
    'A program that breaks no other rule is accepted.',
    'io_uring_register_bpf_filter(3), RETURN VALUE and ERRORS (-EINVAL is for an invalid filter only)',
  ],
  'bpf.program.empty': [
    'patch',
    'A program of no instructions is refused with -EINVAL.',
    'PATCH 1/7, io_register_bpf_filter(): filter_len 0',
    'filter_len 0 is refused as filter-reg.len before the program is looked at; explain reaches it',
  ],
  'bpf.program.too-long': [
    'uapi',
    'A program of more than 4096 instructions is refused with -EINVAL.',
    'linux/bpf_common.h, BPF_MAXINSNS; PATCH 1/7, io_register_bpf_filter(): filter_len above BPF_MAXINSNS',
    'filter_len above 4096 is refused as filter-reg.len before the program is looked at; explain reaches it',
  ],

  'bpf.generic.unknown-instruction': [
    'uapi',
    'A program with a code that is no classic-BPF instruction is refused with -EINVAL, reachable or not; ret x is ' +
      'not one.',
    `linux/bpf_common.h and linux/filter.h, the codes; ${GENERIC}`,
  ],
  'bpf.generic.div-by-zero-k': ['patch', 'Division or remainder by the constant 0 is refused with -EINVAL.', GENERIC],
  'bpf.generic.shift-k': ['patch', 'A shift by a constant of 32 or more is refused with -EINVAL.', GENERIC],
  'bpf.generic.scratch-index': [
    'uapi',
    'A scratch word with an index of 16 or more is refused with -EINVAL.',
    `linux/filter.h, BPF_MEMWORDS; ${TABLE} (M[] is addressable from 0 to 15)`,
  ],
  'bpf.generic.jump-ja': [
    'patch',
    'An unconditional jump to or beyond the end of the program is refused with -EINVAL; its 32-bit offset does ' +
      'not wrap.',
    GENERIC,
  ],
  'bpf.generic.jump-jt': [
    'patch',
    'A conditional jump whose true branch leaves the program is refused with -EINVAL.',
    GENERIC,
  ],
  'bpf.generic.jump-jf': [
    'patch',
    'A conditional jump whose false branch leaves the program is refused with -EINVAL.',
    GENERIC,
  ],
  'bpf.generic.ancillary-offset': [
    'uapi',
    'An absolute load from SKF_AD_OFF upwards that is no ancillary datum is refused with -EINVAL by the generic check.',
    'linux/filter.h, SKF_AD_OFF (negative offsets are invalid but for ancillary data)',
  ],
  'bpf.generic.end-without-ret': [
    'patch',
    'A program whose last instruction is not ret is refused with -EINVAL.',
    GENERIC,
  ],
  'bpf.generic.scratch-unwritten': [
    'patch',
    'A read of a scratch word that some path from the start leaves unwritten is refused with -EINVAL.',
    `${GENERIC} (check_load_and_stores)`,
  ],
  'bpf.generic.scratch-after-ret': [
    'observed',
    'The scratch check lets ret fall through: a read that is unwritten only on a path through a ret is refused ' +
      'with -EINVAL as well.',
    'ret #0, ld M[0], ret a is refused on 7.0.13; after ja the same dead read is accepted',
  ],

  'bpf.whitelist.load-outside': [
    'patch',
    'ld [k] with k at or beyond the size of the context is refused with -EINVAL.',
    WHITELIST,
  ],
  'bpf.whitelist.load-unaligned': ['patch', 'ld [k] with k not a multiple of 4 is refused with -EINVAL.', WHITELIST],
  'bpf.whitelist.load-narrow': ['patch', 'ldh [k] and ldb [k] are refused with -EINVAL.', WHITELIST],
  'bpf.whitelist.load-indirect': ['patch', 'Loads from [x + k] are refused with -EINVAL.', WHITELIST],
  'bpf.whitelist.load-msh': ['patch', 'ldxb 4*([k]&0xf) is refused with -EINVAL.', WHITELIST],
  'bpf.whitelist.mod': ['patch', 'mod is refused with -EINVAL, by a constant or by X.', WHITELIST],

  'bpf.run.initial-a': [
    'observed',
    'A is 0 when a program starts.',
    'ret a as the only instruction denies on 7.0.13; no public text states it',
  ],
  'bpf.run.initial-x': [
    'observed',
    'X is 0 when a program starts.',
    'txa, ret a denies on 7.0.13; no public text states it',
  ],
  'bpf.run.div-by-zero-x': [
    'observed',
    'Division by X = 0 ends the program with 0.',
    'div x, ret #1 denies on 7.0.13; no public text states it',
  ],
  'bpf.run.shift-x-mask': [
    'observed',
    'A shift by X uses the low 5 bits of X.',
    'lsh x with X = 33 doubles A on 7.0.13; no public text states it',
  ],

  'bpf.ld.imm': ['man', 'ld #k sets A to k.', `${TABLE}: ld, mode 4`],
  'bpf.ld.abs': [
    'man',
    "ld [k] sets A to the 32-bit context word at byte k, in the machine's byte order.",
    'io_uring_register_bpf_filter(3), Filter Context (the context is a C structure read with absolute addressing)',
  ],
  'bpf.ld.mem': ['man', 'ld M[k] sets A to scratch word k.', `${TABLE}: ld, mode 3`],
  'bpf.ld.len': ['patch', 'ld len sets A to the size of the context.', WHITELIST],
  'bpf.ldx.imm': ['man', 'ldx #k sets X to k.', `${TABLE}: ldx, mode 4`],
  'bpf.ldx.mem': ['man', 'ldx M[k] sets X to scratch word k.', `${TABLE}: ldx, mode 3`],
  'bpf.ldx.len': ['patch', 'ldx len sets X to the size of the context.', WHITELIST],
  'bpf.st.mem': ['man', 'st M[k] stores A in scratch word k.', `${TABLE}: st`],
  'bpf.stx.mem': ['man', 'stx M[k] stores X in scratch word k.', `${TABLE}: stx`],

  'bpf.alu.add-k': ['man', 'add #k sets A to A + k, modulo 2^32.', `${TABLE}: add (A is 32 bits wide)`],
  'bpf.alu.add-x': ['man', 'add x sets A to A + X, modulo 2^32.', `${TABLE}: add (A is 32 bits wide)`],
  'bpf.alu.sub-k': ['man', 'sub #k sets A to A - k, modulo 2^32.', `${TABLE}: sub (A is 32 bits wide)`],
  'bpf.alu.sub-x': ['man', 'sub x sets A to A - X, modulo 2^32.', `${TABLE}: sub (A is 32 bits wide)`],
  'bpf.alu.mul-k': ['man', 'mul #k sets A to A * k, modulo 2^32.', `${TABLE}: mul (A is 32 bits wide)`],
  'bpf.alu.mul-x': ['man', 'mul x sets A to A * X, modulo 2^32.', `${TABLE}: mul (A is 32 bits wide)`],
  'bpf.alu.div-k': [
    'man',
    'div #k sets A to the unsigned quotient of A by k.',
    `${TABLE}: div; unsigned because sock_filter.k is __u32 (linux/filter.h)`,
  ],
  'bpf.alu.div-x': ['man', 'div x sets A to the unsigned quotient of A by X, when X is not 0.', `${TABLE}: div`],
  'bpf.alu.or-k': ['man', 'or #k sets A to A | k.', `${TABLE}: or`],
  'bpf.alu.or-x': ['man', 'or x sets A to A | X.', `${TABLE}: or`],
  'bpf.alu.and-k': ['man', 'and #k sets A to A & k.', `${TABLE}: and`],
  'bpf.alu.and-x': ['man', 'and x sets A to A & X.', `${TABLE}: and`],
  'bpf.alu.xor-k': ['man', 'xor #k sets A to A ^ k.', `${TABLE}: xor`],
  'bpf.alu.xor-x': ['man', 'xor x sets A to A ^ X.', `${TABLE}: xor`],
  'bpf.alu.lsh-k': ['man', 'lsh #k shifts A left by k, filling with zeros.', `${TABLE}: lsh`],
  'bpf.alu.lsh-x': ['man', 'lsh x shifts A left by X, filling with zeros.', `${TABLE}: lsh`],
  'bpf.alu.rsh-k': ['man', 'rsh #k shifts A right by k, filling with zeros.', `${TABLE}: rsh`],
  'bpf.alu.rsh-x': ['man', 'rsh x shifts A right by X, filling with zeros.', `${TABLE}: rsh`],
  'bpf.alu.neg': [
    'observed',
    'neg sets A to -A, modulo 2^32.',
    `ld #5, neg gives 0xfffffffb on 7.0.13; linux/bpf_common.h names BPF_NEG, but ${TABLE} prints it as !A`,
  ],
  'bpf.misc.tax': ['man', 'tax sets X to A.', `${TABLE}: tax`],
  'bpf.misc.txa': ['man', 'txa sets A to X.', `${TABLE}: txa`],

  'bpf.jmp.ja': ['man', 'ja goes k instructions beyond the next one.', `${TABLE}: ja`],
  'bpf.jmp.jeq-k': ['man', 'jeq #k compares A == k.', `${TABLE}: jeq`],
  'bpf.jmp.jeq-x': ['man', 'jeq x compares A == X.', `${TABLE}: jeq`],
  'bpf.jmp.jgt-k': [
    'man',
    'jgt #k compares A > k, unsigned.',
    `${TABLE}: jgt; sock_filter.k is __u32 (linux/filter.h)`,
  ],
  'bpf.jmp.jgt-x': ['man', 'jgt x compares A > X, unsigned.', `${TABLE}: jgt`],
  'bpf.jmp.jge-k': [
    'man',
    'jge #k compares A >= k, unsigned.',
    `${TABLE}: jge; sock_filter.k is __u32 (linux/filter.h)`,
  ],
  'bpf.jmp.jge-x': ['man', 'jge x compares A >= X, unsigned.', `${TABLE}: jge`],
  'bpf.jmp.jset-k': ['man', 'jset #k tests whether A & k is not 0.', `${TABLE}: jset`],
  'bpf.jmp.jset-x': ['man', 'jset x tests whether A & X is not 0.', `${TABLE}: jset`],
  'bpf.jmp.true-branch': [
    'man',
    'A conditional jump whose comparison holds goes jt instructions beyond the next one.',
    `${MODES} 7 and 8`,
  ],
  'bpf.jmp.false-branch': [
    'man',
    'A conditional jump whose comparison does not hold goes jf instructions beyond the next one.',
    `${MODES} 7 and 8`,
  ],
  'bpf.ret.k': ['man', 'ret #k ends the program with k.', `${TABLE}: ret, mode 4`],
  'bpf.ret.a': ['man', 'ret a ends the program with A.', `${TABLE}: ret, mode 11`],
});

/** Id of a rule about programs. */
export type BpfRuleId = keyof typeof bpfRules;
