/** Scenarios that go through every bit of the structures of registrations, and of the words that filters see. */
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import { OP, opSpec } from '../../oracle/opcodes/index.ts';
import type { BpfArg, Restriction, Sqe } from '../../oracle/scenario/types.ts';
import { IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { bpfArg, restriction, ringRestrictions, taskRestrictions } from '../args.ts';
import { onRing, TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { retValue } from '../program/body.ts';
import { registerForms } from '../../oracle/register/index.ts';
import type { RegisterForm } from '../../oracle/register/index.ts';
import { isKnown, pushRegister } from './register-calls.ts';
import { knownRole, roleOf, roleTable } from '../roles.ts';
import type { Role } from '../roles.ts';
import { variantOf } from '../variants.ts';
import type { VariedField } from '../variants.ts';

const SUBMIT_ALL = IORING_SETUP.SUBMIT_ALL;
const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k: k >>> 0 });
const LD_ABS = 0x20;
const JEQ_K = 0x15;
const AND_K = 0x54;
const JSET_K = 0x45;
const RET_K = 0x06;
/** Lets nothing pass. */
const HARM: Program = [f(RET_K, 0)];

const each = <T>(count: number, of: (i: number) => T): readonly T[] => Array.from({ length: count }, (_, i) => of(i));
const powers = (bits: number): readonly number[] => each(bits, (bit) => (1 << bit) >>> 0);

/** struct io_uring_bpf and io_uring_bpf_filter with one bit that should not be there, all of them. */
function spoiltFilters(arg: BpfArg): readonly BpfArg[] {
  const numbers = (['cmd_type', 'cmd_flags', 'resv', 'opcode', 'flags', 'filter_len', 'pdu_size'] as const).flatMap(
    (name) => {
      const bits = name.startsWith('cmd') ? 16 : name === 'pdu_size' ? 8 : 32;
      return powers(bits).map((bit): BpfArg => ({ ...arg, [name]: (arg[name] ^ bit) >>> 0 }));
    },
  );
  const bytes = [0, 1, 2].flatMap((at) =>
    powers(8).map(
      (bit): BpfArg => ({ ...arg, resv_filter: arg.resv_filter.with(at, bit) as [number, number, number] }),
    ),
  );
  const words = [0, 1, 2, 3, 4].flatMap((at) =>
    each(64, (bit): BpfArg => ({ ...arg, resv2: arg.resv2.with(at, 1n << BigInt(bit)) as unknown as BpfArg['resv2'] })),
  );
  return [...numbers, ...bytes, ...words];
}

/** Part `part` of `parts` of all filters with one bit wrong, each of which would do harm if it were taken. */
export function everyFilterBit(part: number, parts: number): (b: Builder) => void {
  return (b) => {
    const ring = b.ring(0, SUBMIT_ALL, 64);
    if (ring === undefined) return;
    const arg = bpfArg(b.abi, OP.NOP, HARM);
    spoiltFilters(arg).forEach((spoilt, i) => {
      if (i % parts === part) b.registerArg(0, onRing(ring), spoilt);
    });
    b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.NOP, user_data: 1n }] });
  };
}

/** Kinds of entries and heads with one bit that no kernel takes; and reserved bits, which it does not look at. */
export function everyRestrictionBit(b: Builder): void {
  const { abi } = b;
  const entry = restriction(IORING_RESTRICTION.SQE_OP, OP.NOP);
  const ring = b.ring(0, SUBMIT_ALL | IORING_SETUP.R_DISABLED, 8);
  if (ring === undefined) return;
  const on = onRing(ring);
  for (const bit of powers(16).slice(2)) b.restrict(0, on, [{ ...entry, opcode: entry.opcode | bit }]);
  // Opcodes that nothing has, in every bit.
  for (const [kind, last] of [
    [IORING_RESTRICTION.SQE_OP, abi.op_last],
    [IORING_RESTRICTION.REGISTER_OP, abi.register_last],
  ] as const)
    for (const op of new Set([last, ...powers(8).flatMap((bit) => [bit, bit | 0x80]), 0xff]))
      if (op >= last) for (const target of [on, TASK]) b.restrict(0, target, [restriction(kind, op)]);
  // Above the most entries that there can be.
  for (const bit of powers(32).slice(8))
    b.push({ do: 'register_restrictions', task: 0, on, nr_args: (bit | 1) >>> 0, arg: ringRestrictions([entry]) });
  const right = taskRestrictions([entry]);
  const heads = [
    ...powers(16).map((bit) => ({ ...right, flags: bit })),
    ...powers(16)
      .slice(7)
      .map((bit) => ({ ...right, nr_res: bit | 1 })),
    ...[0, 1, 2].flatMap((at) => powers(32).map((bit) => ({ ...right, resv: withAt(right.resv, at, bit) }))),
  ];
  for (const arg of heads) b.push({ do: 'register_task_restrictions', task: 0, on: TASK, nr_args: 1, arg });
  for (const bit of powers(32))
    b.push({ do: 'register_task_restrictions', task: 0, on: TASK, nr_args: (1 ^ bit) >>> 0, arg: right });
  const reserved = [
    ...powers(8).map((bit) => ({ resv: bit })),
    ...[0, 1, 2].flatMap((at) => powers(32).map((bit) => ({ resv2: withAt(entry.resv2, at, bit) }))),
  ];
  const most = 4 + abi.op_last + abi.register_last;
  b.restrict(
    0,
    on,
    reserved.slice(0, most).map((bits, i) => ({ ...restriction(IORING_RESTRICTION.SQE_OP, i % abi.op_last), ...bits })),
  );
  b.enable(0, ring);
  for (const slot of [ring, b.ring(0, SUBMIT_ALL, 8)])
    if (slot !== undefined) b.push({ do: 'submit', task: 0, ring: slot, sqes: [{ opcode: OP.NOP, user_data: 1n }] });
  // The first is taken, the others come too late.
  for (const count of powers(7)) b.restrict(0, TASK, new Array<Restriction>(count).fill(entry));
}

const withAt = (of: readonly [number, number, number], at: number, value: number): [number, number, number] =>
  of.with(at, value) as [number, number, number];

/** More entries than a ring can have, by one bit each. */
export function everyEntriesBit(b: Builder): void {
  for (const bit of powers(32).slice(16)) b.ring(0, SUBMIT_ALL, (64 | bit) >>> 0);
}

/** Rings of every size that there is. */
export function everySize(b: Builder): void {
  const rings = powers(16).map((entries) => b.ring(0, SUBMIT_ALL, entries));
  for (const ring of rings)
    if (ring !== undefined)
      b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.NOP, user_data: BigInt(ring) }] });
}

/** Set-up flags that no kernel knows, one bit each. */
export function everySetupBit(b: Builder): void {
  const known = Object.values(IORING_SETUP).reduce((all, flag) => (all | flag) >>> 0, 0);
  for (const bit of powers(32)) if ((known & bit) === 0) b.ring(0, (SUBMIT_ALL | bit) >>> 0, 8);
}

/** The io_uring_register calls whose structures are gone through byte by byte; a ring for each opcode. */
export function everyArgumentByte(part: number): (b: Builder) => void {
  return (b) => {
    const opcodes = [...new Set(registerForms.filter(({ on }) => on === 'ring').map(({ opcode }) => opcode))];
    for (const opcode of opcodes.filter((_, i) => i % ARGUMENT_PARTS === part)) {
      const ring = b.ring(0, SUBMIT_ALL, 8);
      if (ring === undefined) return;
      for (const form of variedBytes(b, opcode)) pushRegister(b, 0, onRing(ring), form);
    }
  };
}

/** Into how many scenarios the register opcodes are cut: a scenario has no more than sixteen rings. */
export const ARGUMENT_PARTS = 4;

/** One call per byte of the argument that the rules know the answer of when it is another. */
function variedBytes({ d, abi }: Builder, opcode: number): readonly RegisterForm[] {
  const forms = registerForms.filter(
    (form) => form.opcode === opcode && form.on === 'ring' && form.bytes !== undefined,
  );
  const longest = Math.min(MOST_BYTES, Math.max(0, ...forms.map(({ bytes }) => bytes!.length)));
  return each(longest, (at) => {
    for (const form of d.shuffle(forms)) {
      for (const mask of d.shuffle([...powers(8), 0xff])) {
        const byte = form.bytes![at];
        const changed = byte === undefined ? undefined : { ...form, bytes: form.bytes!.with(at, byte ^ mask) };
        if (changed !== undefined && isKnown(changed, abi, SUBMIT_ALL)) return changed;
      }
    }
    return undefined;
  }).filter((form) => form !== undefined);
}

/** Longer arguments are arrays of the same over and over. */
const MOST_BYTES = 64;

/** Compares a word with a value of which one bit is off, for every other bit: those requests are denied. */
function wordProgram(b: Builder, word: number, base: number, parity: 0 | 1): Program {
  const out = [f(LD_ABS, 4 * word)];
  const denied = each(16, (i) => 2 * i + parity);
  for (const [i, bit] of denied.entries()) out.push(f(JEQ_K, base ^ (1 << bit), denied.length - i, 0));
  out.push(f(RET_K, retValue(b.d, true)), f(RET_K, 0));
  return out;
}

/** Allows the values that a word has: one that comes in another form is denied. */
function listProgram(b: Builder, word: number, values: readonly number[]): Program {
  const all = b.d.shuffle([...new Set(values)]);
  const out = [f(LD_ABS, 4 * word)];
  for (const [i, value] of all.entries()) out.push(f(JEQ_K, value, all.length - i, 0));
  out.push(f(RET_K, 0), f(RET_K, retValue(b.d, true)));
  return out;
}

/** A word against masks of some bits, and against values that requests have. */
function maskProgram(b: Builder, word: number, values: readonly number[]): Program {
  const { d } = b;
  const mask = d.chance(0.5) ? 0xffff_ffff : d.u32();
  // Not what many of them have.
  const rare = values.filter((value) => values.filter((other) => other === value).length < 4);
  const denied = [...new Set(d.sample(rare, 3).map((value) => (value & mask) >>> 0))].filter((value) => value !== 0);
  const out = [f(LD_ABS, 4 * word), f(JSET_K, 1 << d.below(32), 0, 1), f(AND_K, 0x7fff_ffff), f(AND_K, mask)];
  for (const [i, value] of denied.entries()) out.push(f(JEQ_K, value, denied.length - i, 0));
  out.push(f(RET_K, retValue(d, true)), f(RET_K, 0));
  return out;
}

/** Words of the payload of a request, as a filter sees them, with the four before it. */
const wordsOf = ({ payload }: Role): readonly number[] => [...(payload ?? [])];

/**
 * Requests whose payload differs from that of one of them in a single bit, for every bit; a filter for each word, which
 * denies about half of those.
 */
export function everyPayloadBit(opcode: number, parity: 0 | 1): (b: Builder) => void {
  return (b) => {
    const { abi } = b;
    const table = roleTable(abi);
    const roles = payloadRoles(b, opcode);
    const base = roles[0] ?? table.byOpcode[opcode]?.find((role) => role.prepared);
    const ring = b.ring(0, SUBMIT_ALL, 64);
    if (base === undefined || ring === undefined) return;
    const words = wordsOf(base);
    const size = abi.pdu_size[opcode] ?? 0;
    for (let word = 0; word < size / 4; word++) {
      const values = roles.map((role) => wordsOf(role)[word]!);
      b.filter(0, onRing(ring), opcode, wordProgram(b, 4 + word, words[word]!, parity));
      b.filter(0, onRing(ring), opcode, listProgram(b, 4 + word, values));
      if (opcode === OP.CONNECT && word % 2 === parity)
        b.filter(0, onRing(ring), opcode, maskProgram(b, 4 + word, values));
    }
    const open = openRoles(b, opcode);
    if (open.length > 0) b.filter(0, onRing(ring), opcode, denying(words, open));
    // Those that act on a file or a socket come one by one: side by side they would race.
    askAll(b, ring, [...roles, ...open], opcode === OP.SOCKET ? 32 : 1);
  };
}

/** Those of which nobody knows what they would do: they are denied, so that they show what a filter sees of them. */
function openRoles({ abi }: Builder, opcode: number): readonly Role[] {
  const spec = opSpec(opcode);
  if (spec === undefined || opcode >= abi.op_last) return [];
  return spec.wide
    .filter((form) => knownRole(spec, form, abi) === undefined)
    .map((form) => roleOf(spec, form, abi))
    .filter((role) => role?.prepared === true) as readonly Role[];
}

/** Denies each of these by the first word in which it differs from the others. */
function denying(base: readonly number[], roles: readonly Role[]): Program {
  const checks = roles.flatMap((role) => {
    const word = wordsOf(role).findIndex((value, i) => value !== base[i]);
    return word < 0 ? [] : [[4 + word, wordsOf(role)[word]!] as const];
  });
  const out = checks.flatMap(([word, value], i) => [
    f(LD_ABS, 4 * word),
    f(JEQ_K, value, 2 * (checks.length - 1 - i) + 1, 0),
  ]);
  return [...out, f(RET_K, 1), f(RET_K, 0)];
}

/** The first is the one that the others differ from. */
function payloadRoles({ abi }: Builder, opcode: number): readonly Role[] {
  const table = roleTable(abi);
  const wide = table.wide[opcode] ?? [];
  if ((table.byOpcode[opcode] ?? []).length === 0) return [];
  const named = (name: string): Role => table.byOpcode[opcode]!.find(({ form }) => form.name === name)!;
  if (opcode === OP.OPENAT2) return [named('rdonly'), ...wide];
  if (opcode === OP.CONNECT) return wide;
  const [base, fields]: readonly [Role, readonly VariedField[]] =
    opcode === OP.SOCKET ? [named('family-high'), ['fd', 'len', 'off']] : [named('rdonly'), ['op_flags', 'len']];
  const variants = fields.flatMap((field) => each(32, (bit) => variantOf(base, field, 1n << BigInt(bit), abi)));
  // A mode counts only where a file may be made.
  const modes =
    opcode === OP.OPENAT ? each(12, (bit) => variantOf(named('create-existing'), 'len', 1n << BigInt(bit), abi)) : [];
  return [base, ...[...variants, ...modes].filter((role) => role?.prepared === true)] as readonly Role[];
}

/** All of them, in batches. */
function askAll(b: Builder, ring: number, roles: readonly Role[], size: number): void {
  for (let from = 0; from < roles.length; from += size) {
    const batch = roles.slice(from, from + size);
    for (const { form } of batch) for (const fixture of form.fixtures) b.fixtures.add(fixture);
    const sqes = batch.map(({ form }, i): Sqe => ({ ...form.sqe, user_data: BigInt(from + i + 1) }));
    b.push({ do: 'submit', task: 0, ring, sqes });
  }
}

/** The same for user_data, which every request has. */
export function everyUserDataBit(parity: 0 | 1): (b: Builder) => void {
  return (b) => userDataBits(b, parity);
}

function userDataBits(b: Builder, parity: 0 | 1): void {
  const { d } = b;
  const ring = b.ring(0, SUBMIT_ALL, 64);
  if (ring === undefined) return;
  const base = (BigInt(d.u32()) << 32n) | BigInt(d.u32());
  for (const half of [0, 1]) {
    const word = b.abi.little_endian ? half : 1 - half;
    const value = Number((base >> BigInt(32 * half)) & 0xffff_ffffn);
    b.filter(0, onRing(ring), OP.NOP, wordProgram(b, word, value, parity));
  }
  const values = [base, ...each(64, (bit) => base ^ (1n << BigInt(bit)))];
  for (const from of [0, 33])
    b.push({
      do: 'submit',
      task: 0,
      ring,
      sqes: values.slice(from, from + 33).map((userData) => ({ opcode: OP.NOP, user_data: userData })),
    });
}
