/** Programs one step from valid: each way of refusal, and its accepted neighbour. */
import type { BpfRuleId } from '../../oracle/bpf/bpf-rules.ts';
import { instructionOf } from '../../oracle/bpf/instructions.ts';
import { BPF_MAXINSNS } from '../../oracle/bpf/program.ts';
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import type { Draw } from '../draw.ts';
import { splice } from '../../oracle/bpf/splice.ts';

const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k: k >>> 0 });

/** How a valid program is spoilt: instructions put at a random place, or a change of the whole. */
type Spoil = (d: Draw, program: Program, ctxSize: number) => Program;

/** Puts `by` somewhere before the last instruction. */
function put(d: Draw, program: Program, ...by: SockFilter[]): Program {
  const at = d.chance(0.3) ? 0 : d.below(program.length);
  return splice(program, at, at, by);
}

const CONDITIONAL = [0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d] as const;
const READ = [0x60, 0x61] as const;
const WRITE = [0x02, 0x03] as const;
const SHIFT = [0x64, 0x74] as const;
/** Offsets past the end: exactly the end most often. */
const beyond = (d: Draw): number => d.pick([0, 0, 0, 1, 2, d.below(200)]);

function unknownCode(d: Draw): number {
  for (;;) {
    const code = d.chance(0.6)
      ? (d.pick([0x00, 0x20, 0x06, 0x16, 0x15, 0x04, 0x60, 0x80]) ^ (1 << d.below(16))) & 0xffff
      : d.below(0x1_0000);
    const row = instructionOf(code);
    if (row === undefined || !row.generic) return code;
  }
}

/** One spoiler per reason of refusal. */
export const SPOILERS: {
  readonly [K in Exclude<BpfRuleId, 'bpf.program.empty' | 'bpf.program.too-long'> &
    (`bpf.generic.${string}` | `bpf.whitelist.${string}`)]: Spoil;
} = {
  'bpf.generic.unknown-instruction': (d, p) => {
    if (d.chance(0.3)) {
      // ret x, or a ret whose class bits are right and whose size or mode bits are not.
      return [...p.slice(0, -1), f(d.pick([0x0e, 0x1e, 0x26, 0x46, 0x86, 0x106]), 1)];
    }
    return put(d, p, f(unknownCode(d), d.edge32()));
  },
  'bpf.generic.div-by-zero-k': (d, p) => put(d, p, f(d.chance(0.7) ? 0x34 : 0x94, 0)),
  'bpf.generic.shift-k': (d, p) =>
    put(d, p, f(d.pick(SHIFT), d.pick([32, 32, 33, 63, 64, 0x100, 0x8000_0000, 0xffff_ffff]))),
  'bpf.generic.scratch-index': (d, p) =>
    put(d, p, f(d.pick([...READ, ...WRITE]), d.pick([16, 16, 17, 31, 32, 0x100, 0x8000_0000, 0xffff_ffff]))),
  'bpf.generic.jump-ja': (d, p) => {
    const at = d.below(p.length);
    const q = splice(p, at, at, [f(0x05, 0)]);
    return q.map((x, pc) =>
      pc === at
        ? f(
            0x05,
            d.chance(0.3)
              ? d.pick([0xffff_ffff, 0xffff_fffe, 0x8000_0000, 0x7fff_ffff, 0x1_0000, 4096])
              : q.length - at - 1 + beyond(d),
          )
        : x,
    );
  },
  'bpf.generic.jump-jt': (d, p) => spoilJump(d, p, 'jt'),
  'bpf.generic.jump-jf': (d, p) => spoilJump(d, p, 'jf'),
  'bpf.generic.ancillary-offset': (d, p) =>
    put(
      d,
      p,
      f(
        d.pick([0x20, 0x28, 0x30]),
        d.pick([0xffff_f001, 0xffff_f002, 0xffff_f040, 0xffff_f044, 0xffff_f100, 0xffff_fffc, 0xffff_ffff]),
      ),
    ),
  'bpf.generic.end-without-ret': (d, p) => {
    const end = f(d.pick([0x00, 0x20, 0x07, 0x87, 0x04, 0x80]), 0);
    return d.chance(0.5) ? [...p.slice(0, -1), end] : [...p, end];
  },
  'bpf.generic.scratch-unwritten': (d, p) => {
    const k = d.below(16);
    const read = f(d.pick(READ), k);
    const write = f(d.pick(WRITE), k);
    switch (d.below(5)) {
      case 3:
        // A jump that is always taken goes past the write.
        return splice(p, 0, 0, [f(0x05, 1), write, read]);
      case 0:
        // At the very start nothing is written.
        return splice(p, 0, 0, [read]);
      case 1:
        // Only the true branch writes.
        return splice(p, 0, 0, [f(d.pick(CONDITIONAL), d.edge32(), 0, 1), write, read]);
      case 2:
        // Only the false branch writes.
        return splice(p, 0, 0, [f(d.pick(CONDITIONAL), d.edge32(), 1, 0), write, read]);
      default:
        // A neighbour is written.
        return splice(p, 0, 0, [f(d.pick(WRITE), (k + 1) & 15), read]);
    }
  },
  'bpf.generic.scratch-after-ret': (d, p) => {
    const k = d.below(16);
    const read = f(d.pick(READ), k);
    if (d.chance(0.5)) return [f(0x06, 1), read, ...p];
    // The path through ret leaves the word unwritten; the real path writes it.
    return splice(p, 0, 0, [f(0x15, d.edge32(), 0, 2), f(d.pick(WRITE), k), f(0x05, 1), f(0x06, d.below(2)), read]);
  },
  'bpf.whitelist.load-outside': (d, p, size) =>
    put(
      d,
      p,
      f(
        0x20,
        d.pick([
          size,
          size,
          size + 1,
          size + 4,
          size + 8,
          0x1000,
          0x7fff_fffc,
          0x8000_0000,
          0xffff_effc,
          0xffff_f000,
          0xffff_f004,
          0xffff_f028,
          0xffff_f03c,
        ]),
      ),
    ),
  'bpf.whitelist.load-unaligned': (d, p, size) =>
    put(d, p, f(0x20, d.pick([1, 2, 3, 5, 9, 10, 17, size - 1, size - 2, size - 3]))),
  'bpf.whitelist.load-narrow': (d, p, size) =>
    put(d, p, f(d.pick([0x28, 0x30]), d.pick([0, 1, 2, 8, 9, 10, size - 1, size, 0xffff_f000, 0xffff_f030]))),
  'bpf.whitelist.load-indirect': (d, p) =>
    put(d, p, f(d.pick([0x40, 0x48, 0x50]), d.pick([0, 4, 8, 16, 40, 0xffff_fff0]))),
  'bpf.whitelist.load-msh': (d, p) => put(d, p, f(0xb1, d.pick([0, 1, 8, 14, 40]))),
  'bpf.whitelist.mod': (d, p) => put(d, p, d.chance(0.5) ? f(0x94, d.edge32() || 3) : f(0x9c, 0)),
};

function spoilJump(d: Draw, p: Program, which: 'jt' | 'jf'): Program {
  // Near enough to the end that one byte reaches beyond it.
  const last = p.length;
  const at = d.int(Math.max(0, last - 100), last - 1);
  const q = splice(p, at, at, [f(d.pick(CONDITIONAL), d.edge32())]);
  const after = q.length - at - 1;
  const bad = d.chance(0.2) ? 255 : Math.min(255, after + beyond(d));
  const good = d.below(Math.min(after, 4));
  return q.map((x, pc) => (pc === at ? { ...x, jt: which === 'jt' ? bad : good, jf: which === 'jf' ? bad : good } : x));
}

/** Reasons of refusal a program itself can give rise to. */
export const REASONS = Object.keys(SPOILERS) as (keyof typeof SPOILERS)[];

/** A valid program turned into one that `reason` refuses (now and then an earlier check sees it first). */
export function spoil(
  d: Draw,
  program: Program,
  ctxSize: number,
  reason: keyof typeof SPOILERS = d.pick(REASONS),
): Program {
  const room = program.length > BPF_MAXINSNS - 8 ? program.slice(-200) : program;
  return SPOILERS[reason](d, room, ctxSize);
}

/** The accepted neighbours of the spoilers: still valid, one step from refusal. */
export function touchLimit(d: Draw, program: Program, ctxSize: number): Program {
  const p = program.length > BPF_MAXINSNS - 8 ? program.slice(-200) : program;
  const k = d.below(16);
  switch (d.below(10)) {
    case 0:
      return put(d, p, f(d.pick(SHIFT), d.pick([0, 31])));
    case 1:
      return put(d, p, f(d.pick(WRITE), 15));
    case 2:
      return put(d, p, f(0x20, ctxSize - 4));
    case 3:
      return put(d, p, f(0x34, d.pick([1, 0xffff_ffff, 0x8000_0000])));
    case 4:
      return splice(p, 0, 0, [f(0x05, p.length - 1)]);
    case 5:
      // Dead code behind ja may read what nobody wrote.
      return splice(p, 0, 0, [f(0x05, 1), f(d.pick(READ), k)]);
    case 6:
      return splice(p, 0, 0, [
        f(d.pick(CONDITIONAL), d.edge32(), 0, 2),
        f(d.pick(WRITE), k),
        f(0x05, 1),
        f(d.pick(WRITE), k),
        f(d.pick(READ), k),
      ]);
    case 7:
      // Unused fields are free.
      return put(d, p, {
        code: d.pick([0x07, 0x87, 0x84, 0x80, 0x81]),
        jt: d.below(256),
        jf: d.below(256),
        k: d.edge32(),
      });
    case 8:
      return p.map((x) =>
        x.code === 0x16
          ? { ...x, k: 0xffff_ffff, jt: 255, jf: 255 }
          : x.code === 0x06
            ? { ...x, jt: d.below(256), jf: d.below(256) }
            : x,
      );
    default: {
      const at = d.below(p.length);
      const q = splice(p, at, at, [f(d.pick(CONDITIONAL), d.edge32())]);
      const after = q.length - at - 2;
      return q.map((x, pc) =>
        pc === at ? { ...x, jt: Math.min(255, after), jf: d.below(Math.min(256, after + 1)) } : x,
      );
    }
  }
}

/** Any bytes at all: 1 .. 24 instructions, known codes preferred. */
export function noise(d: Draw): Program {
  const out: SockFilter[] = [];
  const known = d.chance(0.6);
  for (let n = d.int(1, 24); n > 0; n--) {
    const code = known ? d.pick(CODES) : d.below(0x1_0000);
    out.push({
      code,
      jt: d.chance(0.5) ? d.below(4) : d.below(256),
      jf: d.chance(0.5) ? d.below(4) : d.below(256),
      k: d.chance(0.5) ? d.below(20) : d.edge32(),
    });
  }
  if (d.chance(0.6)) out.push(f(0x06, d.below(2)));
  return out;
}

const CODES: readonly number[] = Array.from({ length: 256 }, (_, code) => code).filter(
  (code) => instructionOf(code) !== undefined,
);
