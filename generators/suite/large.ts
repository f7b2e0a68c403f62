/** Scenarios that are too large to be drawn often: deep stacks, long programs, tables of arithmetic. */
import type { Instruction } from '../../oracle/bpf/instructions.ts';
import { BPF_MAXINSNS } from '../../oracle/bpf/program.ts';
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import type { Sqe, Target } from '../../oracle/scenario/types.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { retValue } from '../program/body.ts';
import type { ProgramContexts } from '../program/body.ts';
import {
  byteHops,
  farHops,
  filledProgram,
  ladder,
  mixedProgram,
  packHops,
  programOfLength,
  scratchProgram,
} from '../program/large.ts';
import { startProgram, tableProgram } from '../program/table.ts';

type Planned = (b: Builder) => void;

const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k: k >>> 0 });
const LD_ABS = 0x20;
const JEQ_K = 0x15;
const JA = 0x05;
const RET_K = 0x06;

/** How programs are run. */
interface Way {
  readonly jit?: boolean;
  readonly harden?: 0 | 1 | 2;
  /** The compiler is asked whether it compiled them. */
  readonly traces?: boolean;
}

function run(b: Builder, { jit = true, harden = 0, traces = false }: Way): void {
  b.jit = jit;
  b.harden = harden;
  b.traces = traces;
}

const NOP = 0;
const nop = (userData: bigint): Sqe => ({ opcode: NOP, user_data: userData });

/** Allows what does not have this user_data (its low half). */
function allBut(b: Builder, low: number): Program {
  const { d } = b;
  const word = b.abi.little_endian ? 0 : 4;
  return [f(LD_ABS, word), f(JEQ_K, low, 0, 1), f(RET_K, 0), f(RET_K, retValue(d, true))];
}

/** user_data of requests that are denied, by where in the stack the filter stands that does it. */
interface Denied {
  readonly first: number;
  readonly middle: number;
  readonly last: number;
}

const drawDenied = (b: Builder): Denied => {
  const base = b.d.u32() & 0xffff_fff0;
  return { first: (base + 1) >>> 0, middle: (base + 2) >>> 0, last: (base + 3) >>> 0 };
};

/** A stack of `depth` filters, at least 4, of which three deny something: the first, one in the middle and the last. */
function stack(b: Builder, task: number, on: Target, depth: number, { first, middle, last }: Denied): void {
  const { d } = b;
  const rest = depth - 3;
  const below = d.chance(0.5) ? rest >>> 1 : d.int(0, rest);
  const pass: Program = d.chance(0.5) ? [f(RET_K, retValue(d, true))] : allBut(b, (first ^ 0x8000_0000) >>> 0);
  b.deepFilter(task, on, NOP, allBut(b, first), 1);
  b.deepFilter(task, on, NOP, pass, below);
  b.deepFilter(task, on, NOP, allBut(b, middle), 1);
  b.deepFilter(task, on, NOP, pass, rest - below);
  b.deepFilter(task, on, NOP, allBut(b, last), 1);
}

/** Requests that one filter each denies, and some that all allow. */
function ask(b: Builder, task: number, ring: number | undefined, denied: Denied): void {
  if (ring === undefined) return;
  const { first, middle, last } = denied;
  const low = [first, last, first + 0x10, middle, 0, middle, last];
  const sqes = low.map((value, i) => nop((BigInt(i + 1) << 32n) | BigInt(value >>> 0)));
  b.push({ do: 'submit', task, ring, sqes: b.d.shuffle(sqes) });
}

/** A stack this deep on a ring, or on the task that makes the ring. */
export function deepStack(depth: number): Planned {
  return (b) => {
    const { d } = b;
    const denied = drawDenied(b);
    const onTask = d.chance(0.5);
    const flags = drawRingFlags(d);
    if (onTask) stack(b, 0, TASK, depth, denied);
    const ring = b.ring(0, flags, 64);
    if (ring === undefined) return;
    if (!onTask) stack(b, 0, onRing(ring), depth, denied);
    ask(b, 0, ring, denied);
    // One more on top, and the whole once more.
    b.deepFilter(0, onRing(ring), NOP, allBut(b, 0), 1);
    ask(b, 0, ring, denied);
  };
}

/** A stack this deep that a child has from its parent, and adds to; what it adds stays its own. */
export function inheritedStack(depth: number, how: SpawnHow): Planned {
  return (b) => {
    const { d } = b;
    const denied = drawDenied(b);
    const flags = IORING_SETUP.SUBMIT_ALL;
    stack(b, 0, TASK, depth, denied);
    const before = d.chance(0.5) ? b.ring(0, flags, 64) : undefined;
    const child = b.spawn(0, how);
    if (child === undefined) return;
    ask(b, child, b.ring(child, flags, 64), denied);
    const own = drawDenied(b);
    stack(b, child, TASK, 4 + d.below(8), own);
    const ring = b.ring(child, flags, 64);
    ask(b, child, ring, denied);
    ask(b, child, ring, own);
    if (d.chance(0.5) || how === 'vfork') b.push({ do: 'exit', task: child });
    if (before !== undefined) ask(b, 0, before, denied);
    const after = b.ring(0, flags, 64);
    ask(b, 0, after, denied);
    ask(b, 0, after, own);
  };
}

/** Registers one program for each opcode of a crew, and makes requests of it. */
function perOpcode(b: Builder, count: number, make: (on: ProgramContexts, n: number) => Program): void {
  const { d } = b;
  const flags = IORING_SETUP.SUBMIT_ALL;
  const crew = b.crew({ opcodes: [NOP], count, setup_flags: flags, flags: d.chance(0.5) ? 0 : 0.1, links: 0 });
  const ring = b.ring(0, flags, 64);
  if (ring === undefined) return;
  const opcodes = crew.opcodes;
  for (let n = 0; n < count; n++) {
    const opcode = opcodes[n % opcodes.length]!;
    b.deepFilter(0, onRing(ring), opcode, make(crew.contexts(opcode), n), 1);
  }
  submitTwice(b, ring, crew);
}

function submitTwice(b: Builder, ring: number, crew: Crew): void {
  b.submit(0, ring, crew, 64);
  b.submit(0, ring, crew, 64);
}

/** Programs full of one instruction each, of this length. */
export function fullOf(rows: readonly Instruction[], length: number, way: Way = {}): Planned {
  return (b) => {
    run(b, way);
    perOpcode(b, rows.length, (on, n) => filledProgram(b.d, on, rows[n]!, length));
  };
}

/** Programs of all instructions, of these lengths. */
export function mixedOf(lengths: readonly number[], way: Way = {}): Planned {
  return (b) => {
    run(b, way);
    perOpcode(b, lengths.length, (on, n) => mixedProgram(b.d, on, lengths[n]!));
  };
}

/** Valid programs of these lengths, however short, on one opcode each. */
export function ofLengths(lengths: readonly number[], way: Way = {}): Planned {
  return (b) => {
    run(b, way);
    perOpcode(b, lengths.length, (on, n) => programOfLength(b.d, on, lengths[n]!));
  };
}

/** Jumps over blocks of every number of bytes around a boundary of the machine code's own jumps. */
export function byteSizes(way: Way, count = 3): Planned {
  return (b) => {
    run(b, way);
    // Below and above 127 bytes; a comparison and the loads of a hop take some themselves.
    perOpcode(b, count, (on, n) => byteHops(b.d, on, [90, 104, 116][n % 3]!, way.harden === 2 ? 1500 : 3000));
  };
}

/** Jumps of given lengths in instructions, in every way. */
export function jumpsOf(distances: readonly number[], way: Way = {}, code?: number): Planned {
  const programs = packHops(distances);
  return (b) => {
    run(b, way);
    perOpcode(b, programs.length, (on, n) => farHops(b.d, on, programs[n]!, code));
  };
}

/** The longest jump there is: from the first instruction to the last, over all that a program may hold. */
export function longestJump(code: number): Planned {
  return (b) => {
    perOpcode(b, 2, (on, n) => {
      const over = Array.from({ length: BPF_MAXINSNS - 2 }, () => f(code, 3));
      if (n === 0) return [f(JA, BPF_MAXINSNS - 2), ...over, f(RET_K, retValue(b.d, true))];
      const word = on.words[0] ?? 0;
      const head = [f(LD_ABS, word * 4), f(JEQ_K, on.contexts[0]?.[word] ?? 0, 0, 1), f(JA, BPF_MAXINSNS - 5)];
      return [...head, ...over.slice(4), f(RET_K, retValue(b.d, true)), f(RET_K, 0)];
    });
  };
}

/** Long lists of what is allowed. */
export function ladders(lengths: readonly number[], way: Way = {}): Planned {
  return (b) => {
    run(b, way);
    perOpcode(b, lengths.length, (on, n) => ladder(b.d, on, lengths[n]!));
  };
}

/** All scratch words, several times over. */
export function scratchWords(count: number, way: Way = {}): Planned {
  return (b) => {
    run(b, way);
    perOpcode(b, count, (on) => scratchProgram(b.d, on));
  };
}

/** A table of arithmetic for each of these instructions, in stacks of programs that all allow. */
export function tables(rows: readonly Instruction[], most: number, way: Way = {}): Planned {
  return (b) => {
    const { d } = b;
    run(b, way);
    const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 64);
    if (ring === undefined) return;
    // The last to be registered runs first, on what the kernel left in its registers, the first behind all others.
    b.deepFilter(0, onRing(ring), NOP, startProgram(d), 1);
    for (const row of rows) b.deepFilter(0, onRing(ring), NOP, tableProgram(d, row, most), 1);
    b.deepFilter(0, onRing(ring), NOP, startProgram(d), 1);
    b.push({ do: 'submit', task: 0, ring, sqes: [nop(BigInt(d.u32())), nop(1n)] });
  };
}
