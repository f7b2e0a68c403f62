/** Scenarios that go through every opcode, every flag and every bit of a request. */
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { Restriction, Sqe } from '../../oracle/scenario/types.ts';
import { IORING_RESTRICTION, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { bpfArg, FILTER_DENY_REST, restriction } from '../args.ts';
import { onRing, TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { retValue } from '../program/body.ts';
import { roleTable } from '../roles.ts';
import type { Role } from '../roles.ts';
import { FIELD_BITS, variantOf } from '../variants.ts';
import type { VariedField } from '../variants.ts';

type Planned = (b: Builder) => void;

const WIDE_RING = (IORING_SETUP.SUBMIT_ALL | IORING_SETUP.SQE128) >>> 0;
const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k: k >>> 0 });
const LD_ABS = 0x20;
const AND_K = 0x54;
const JEQ_K = 0x15;
const RET_K = 0x06;
const each = <T>(count: number, of: (i: number) => T): readonly T[] => Array.from({ length: count }, (_, i) => of(i));

/** One request of each opcode that passes prep on a ring of 128-byte SQEs, as far as there is one. */
function oneOfEach({ abi, d }: Builder): readonly Role[] {
  return roleTable(abi).byOpcode.flatMap((roles) => {
    const fit = roles.filter(
      ({ prepared, form }) =>
        prepared &&
        form.linked !== true &&
        ((form.need_setup ?? 0) & ~WIDE_RING) === 0 &&
        (WIDE_RING & (form.avoid_setup ?? 0)) === 0,
    );
    return fit.length === 0 ? [] : [d.pick(fit)];
  });
}

/** Each by itself, so that none races with another. */
function askEach(
  b: Builder,
  task: number,
  ring: number | undefined,
  roles: readonly Role[],
  more: Partial<Sqe> = {},
): void {
  if (ring === undefined) return;
  roles.forEach(({ form }, i) => {
    for (const fixture of form.fixtures) b.fixtures.add(fixture);
    b.push({ do: 'submit', task, ring, sqes: [{ ...form.sqe, ...more, user_data: BigInt(i + 1) }] });
  });
}

/** Denies what shows the filter this opcode and size of payload, and allows what shows another. */
function denyOwn(b: Builder, opcode: number): Program {
  const { little_endian: little, pdu_size: sizes } = b.abi;
  const size = sizes[opcode] ?? 0;
  const value = little ? opcode | (size << 16) : (opcode << 24) | (size << 8);
  return [
    f(LD_ABS, 8),
    f(AND_K, little ? 0xffff_00ff : 0xff00_ffff),
    f(JEQ_K, value, 0, 1),
    f(RET_K, 0),
    f(RET_K, retValue(b.d, true)),
  ];
}

/** A filter on every opcode that denies what is of this opcode; own, or inherited and then copied. */
export function everyOpcodeFiltered(inherited: boolean): Planned {
  return (b) => {
    const roles = oneOfEach(b);
    const before = inherited ? undefined : b.ring(0, WIDE_RING, 8);
    const on = before === undefined ? TASK : onRing(before);
    for (let opcode = 0; opcode < b.abi.op_last; opcode++) b.filter(0, on, opcode, denyOwn(b, opcode));
    const ring = before ?? b.ring(0, WIDE_RING, 8);
    if (ring === undefined) return;
    // From now on its table is a copy.
    if (inherited) b.filter(0, onRing(ring), b.d.below(b.abi.op_last), [f(RET_K, 1)]);
    askEach(b, 0, ring, roles);
  };
}

/** DENY_REST beside a filter on one opcode, for the first, the last and some other. */
export function everyOpcodeDenied(onTask: boolean): Planned {
  return (b) => {
    const { d, abi } = b;
    const roles = oneOfEach(b);
    const before = onTask ? undefined : b.ring(0, WIDE_RING, 8);
    const own = d.pick([0, abi.op_last - 1, d.below(abi.op_last)]);
    b.filter(0, before === undefined ? TASK : onRing(before), own, [f(RET_K, 1)], FILTER_DENY_REST);
    const ring = before ?? b.ring(0, WIDE_RING, 8);
    askEach(
      b,
      0,
      ring,
      roles.filter(({ opcode }) => opcode !== own),
    );
    if (own !== OP.NOP || ring === undefined) return;
    b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.NOP, user_data: 99n }] });
  };
}

/** An allowlist of one opcode, for the task, and everything else asked for. */
export function everyOpcodeRestricted(opcode: (b: Builder) => number): Planned {
  return (b) => {
    const own = opcode(b);
    const roles = oneOfEach(b);
    b.restrict(0, TASK, [
      restriction(IORING_RESTRICTION.SQE_OP, own),
      restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, 0xff),
    ]);
    askEach(
      b,
      0,
      b.ring(0, WIDE_RING, 8),
      roles.filter((role) => role.opcode !== own || role.once.length === 0),
    );
  };
}

/** Flags that are required or allowed, bit by bit, a ring for each; those that no request has as well. */
export function everyFlagRestricted(b: Builder): void {
  const { SQE_OP, SQE_FLAGS_ALLOWED, SQE_FLAGS_REQUIRED } = IORING_RESTRICTION;
  for (const kind of [SQE_FLAGS_REQUIRED, SQE_FLAGS_ALLOWED])
    for (let bit = 0; bit < 8; bit++) {
      const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL | IORING_SETUP.R_DISABLED, 8);
      if (ring === undefined) return;
      const list: Restriction[] = [restriction(SQE_OP, OP.NOP), restriction(kind, 1 << bit)];
      b.restrict(0, onRing(ring), list);
      b.enable(0, ring);
      for (const flags of [0, IOSQE.ASYNC, IOSQE.IO_LINK, IOSQE.IO_HARDLINK])
        b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.NOP, flags, user_data: BigInt(flags) }] });
    }
}

/** Every flag of an SQE, alone and with another: a filter that denies what shows just these. */
export function everyFlagSeen(b: Builder): void {
  const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 8);
  if (ring === undefined) return;
  const { IO_DRAIN, IO_LINK, IO_HARDLINK, ASYNC, CQE_SKIP_SUCCESS } = IOSQE;
  // CQE_SKIP_SUCCESS comes last: no drain is taken after it.
  const single = [0, IO_DRAIN, IO_LINK, IO_HARDLINK, ASYNC, CQE_SKIP_SUCCESS];
  const flags = [...single, IO_LINK | ASYNC, IO_HARDLINK | ASYNC, IO_LINK | CQE_SKIP_SUCCESS, ASYNC | CQE_SKIP_SUCCESS];
  const word = (value: number): number => (b.abi.little_endian ? value << 8 : value << 16);
  const denied = b.d.some(flags, 0.7);
  const out = [f(LD_ABS, 8), f(AND_K, word(0xff))];
  for (const [i, value] of denied.entries()) out.push(f(JEQ_K, word(value), denied.length - i, 0));
  b.filter(0, onRing(ring), OP.NOP, [...out, f(RET_K, 1), f(RET_K, 0)]);
  for (const [i, value] of flags.entries())
    b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.NOP, flags: value, user_data: BigInt(i + 1) }] });
}

/** Sizes of payloads with each pair of flags of a filter: equal, near, smaller, larger; strict and not. */
export function everyPduSize(b: Builder): void {
  const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 8);
  if (ring === undefined) return;
  for (const opcode of [OP.SOCKET, OP.OPENAT2, OP.NOP, OP.CONNECT]) {
    const size = b.abi.pdu_size[opcode] ?? 0;
    for (const pdu of new Set([size, size - 1, size + 1, 0, 4, 8, 16, 128, 255, size ^ 0x80]))
      for (const flags of [0, 2, 1, 3])
        if (pdu >= 0) b.registerArg(0, onRing(ring), { ...bpfArg(b.abi, opcode, [f(RET_K, 1)], flags), pdu_size: pdu });
  }
  for (const bit of each(32, (i) => (1 << i) >>> 0))
    for (const on of [TASK, onRing(ring)]) b.registerArg(0, on, bpfArg(b.abi, OP.NOP, [f(RET_K, 0)]), (1 ^ bit) >>> 0);
  b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.NOP, user_data: 1n }] });
}

const FIELDS = Object.keys(FIELD_BITS) as readonly VariedField[];

/** A request of each of these opcodes with every bit of every field turned, where that makes it one that is refused. */
export function everyRequestBit(part: number, parts: number): Planned {
  return (b) => {
    const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 64);
    if (ring === undefined) return;
    b.register(0, onRing(ring), IORING_REGISTER.REGISTER_PERSONALITY);
    const refused: Sqe[] = [];
    for (const [opcode, roles] of roleTable(b.abi).byOpcode.entries()) {
      const plain = roles.filter(({ form }) => form.need_setup === undefined && form.linked !== true);
      if (opcode % parts === part && plain.length > 0) refused.push(...everyTurn(b, plain));
    }
    for (let from = 0; from < refused.length; from += 64) {
      const sqes = refused.slice(from, from + 64).map((sqe, i) => ({ ...sqe, user_data: BigInt(from + i) }));
      b.push({ do: 'submit', task: 0, ring, sqes });
    }
  };
}

/** One of these roles with each bit turned. What runs may change what others find: here only what is refused. */
function everyTurn({ abi, d, fixtures }: Builder, roles: readonly Role[]): Sqe[] {
  const prepared = roles.filter((role) => role.prepared);
  const base = d.pick(prepared.length > 0 ? prepared : roles);
  for (const fixture of base.form.fixtures) fixtures.add(fixture);
  return FIELDS.flatMap((field) =>
    each(FIELD_BITS[field], (bit) => variantOf(base, field, 1n << BigInt(bit), abi)).flatMap((made) =>
      made === undefined || made.prepared ? [] : [made.form.sqe],
    ),
  );
}

/** SOCKET of every family, denied by all that a filter sees of it: nobody need know what it would make. */
export function everyFamilyDenied(b: Builder): void {
  const { d } = b;
  const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 64);
  if (ring === undefined || (b.abi.pdu_size[OP.SOCKET] ?? 0) === 0) return;
  b.register(0, onRing(ring), IORING_REGISTER.REGISTER_PERSONALITY);
  const protocols = [0x300, 0x1234_5678, 0x8_0001];
  const sockets = each(48, (family) => ({ fd: family, off: BigInt(1 + (family % 5)), len: d.pick(protocols) }));
  const checks = sockets.map(({ fd, off, len }) => [fd, Number(off), len] as const);
  b.filter(0, onRing(ring), OP.SOCKET, denyingAll(4, checks));
  const batch = (from: number, more: Partial<Sqe>): Sqe[] =>
    sockets.map((fields, i) => ({ opcode: OP.SOCKET, ...fields, ...more, user_data: BigInt(from + i) }));
  b.push({ do: 'submit', task: 0, ring, sqes: batch(1, {}) });
  // What a request may do as somebody else is the same.
  b.push({ do: 'submit', task: 0, ring, sqes: batch(100, { personality: 1 }) });
}

/** Denies what has all words of one of these rows, from word `first` of the context on. */
function denyingAll(first: number, rows: readonly (readonly number[])[]): Program {
  const out: SockFilter[] = [];
  for (const row of rows) {
    for (const [i, value] of row.entries())
      out.push(f(LD_ABS, 4 * (first + i)), f(JEQ_K, value, 0, 2 * (row.length - 1 - i) + 1));
    out.push(f(RET_K, 0));
  }
  return [...out, f(RET_K, 1)];
}
