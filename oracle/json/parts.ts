/** Codecs of the parts steps are made of: targets, placements, arguments, SQEs. */
import { ARENA } from '../scenario/layout.ts';
import { CLONE, IORING_RESTRICTION, IOSQE } from '../uapi/constants.ts';
import type {
  BpfArg,
  Placement,
  Restriction,
  RingRestrictionsArg,
  Sqe,
  Target,
  TaskRestrictionsArg,
} from '../scenario/types.ts';
import {
  asObject,
  expected,
  flags,
  int,
  list,
  maybe,
  named,
  record,
  required,
  s32,
  u16,
  u32,
  u64,
  u8,
  withDefault,
  word,
} from '../schema/codec.ts';
import type { Codec, Json, JsonSchema } from '../schema/codec.ts';
import { FILTER_FLAGS, OPCODES, REGISTER_OPCODES, RESTRICTIONS } from './names.ts';
import { program } from './program.ts';

/** A ring slot. */
export const ringSlot = int(0, 15, 'a ring slot from 0 to 15');
/** A task. */
export const taskId = int(0, 15, 'a task from 0 to 15');

/** Schemas that others refer to. */
export const definitions: Record<string, JsonSchema> = {};

/** Puts the codec's schema under `$defs` and refers to it. */
export function define<T>(name: string, codec: Codec<T>): Codec<T> {
  definitions[name] = codec.schema;
  return { ...codec, schema: { $ref: `#/$defs/${name}` } };
}

const opcodeNamed = (number: Codec<number>): Codec<number> =>
  named(OPCODES, number, 'IORING_OP_', 'a known IORING_OP_ name or a number');
/** An io_uring_register opcode. */
export const registerOpcode = named(
  REGISTER_OPCODES,
  u32,
  'IORING_',
  'a known io_uring_register opcode such as "REGISTER_ENABLE_RINGS", or a number',
);
const sqeFlags = flags(IOSQE, u8, 'IOSQE_');
/** Flags of clone(2) beside those of the kind of child. */
export const cloneFlags = flags(CLONE, u32, 'CLONE_');

const ring = record<{ ring: number }>({ ring: required(ringSlot) });
const registered = record<{ registered: number }>({ registered: required(s32) });
const fd = record<{ fd: number }>({ fd: required(s32) });

/** "task", { "ring": slot }, { "registered": index } or { "fd": number }. */
export const target: Codec<Target> = define('target', {
  decode: (value, at): Target => {
    if (value === 'task') return { kind: 'task' };
    if (typeof value !== 'object' || value === null)
      return expected(at, '"task", { "ring": N }, { "registered": N } or { "fd": N }', value);
    if ('ring' in value) return { kind: 'ring', ring: ring.decode(value, at).ring };
    if ('registered' in value) return { kind: 'registered', index: registered.decode(value, at).registered };
    return { kind: 'fd', fd: fd.decode(value, at).fd };
  },
  encode: (value): Json => {
    switch (value.kind) {
      case 'task':
        return 'task';
      case 'ring':
        return { ring: value.ring };
      case 'registered':
        return { registered: value.index };
      case 'fd':
        return { fd: value.fd };
    }
  },
  schema: {
    description:
      'What the call is aimed at: the calling task (fd = -1), a ring slot, an index in the registered rings, ' +
      'or any descriptor.',
    anyOf: [{ const: 'task' }, ring.schema, registered.schema, fd.schema],
  },
});

const place = word('normal', 'page-end', 'straddle', 'read-only');
const rawPlace = record<{ raw: bigint }>({ raw: required(u64) });

/** Where a structure lies. */
const placement: Codec<Placement> = define('placement', {
  decode: (value, at): Placement =>
    typeof value === 'object' && value !== null
      ? rawPlace.decode(value, at)
      : typeof value === 'string'
        ? place.decode(value, at)
        : expected(at, 'normal, page-end, straddle, read-only or { "raw": "0x..." }', value),
  encode: (value): Json => (typeof value === 'string' ? value : rawPlace.encode(value)),
  schema: {
    description: 'Where the structure lies; raw: the pointer is this address and nothing is written there.',
    anyOf: [place.schema, rawPlace.schema],
  },
});

type Triple = readonly [number, number, number];
/** Three of them. */
export const triple = (item: Codec<number>): Codec<Triple> => list(item, 3, 3) as unknown as Codec<Triple>;
const quintuple = list(u64, 5, 5) as unknown as Codec<BpfArg['resv2']>;

const bpfFields = record<BpfArg>({
  cmd_type: withDefault(u16, 1, 'u16; 1 = IO_URING_BPF_CMD_FILTER'),
  cmd_flags: withDefault(u16, 0),
  resv: withDefault(u32, 0),
  opcode: required(opcodeNamed(u32), 'IORING_OP_ the filter is for, u32'),
  flags: withDefault(flags(FILTER_FLAGS, u32, 'IO_URING_BPF_FILTER_'), 0, 'DENY_REST, SZ_STRICT or any u32'),
  pdu_size: withDefault(u8, 0, 'Payload size the caller expects, in bytes'),
  program: required(program, 'The filter'),
  filter_len: withDefault(
    u32,
    (before) => (before['program'] as BpfArg['program']).length,
    'Instructions as told to the kernel; default: the length of program',
  ),
  resv_filter: withDefault(triple(u8), [0, 0, 0] as const),
  resv2: withDefault(quintuple, [0n, 0n, 0n, 0n, 0n] as const),
  placement: withDefault(placement, 'normal', 'Where struct io_uring_bpf is'),
  program_placement: withDefault(placement, 'normal', 'Where the program is (filter_ptr)'),
});

/** struct io_uring_bpf and its program. */
export const bpfArg: Codec<BpfArg> = define('bpf', {
  ...bpfFields,
  encode: (value) => ({
    ...(bpfFields.encode(value) as { readonly [key: string]: Json }),
    program: program.encodeFor(value.program, value.opcode),
  }),
});

const kind = named(
  RESTRICTIONS,
  u16,
  'IORING_RESTRICTION_',
  `one of ${[...RESTRICTIONS.values()].join(', ')}, or a number`,
);
const VALUE_OF: ReadonlyMap<number, Codec<number>> = new Map([
  [IORING_RESTRICTION.REGISTER_OP, named(REGISTER_OPCODES, u8, 'IORING_', 'an io_uring_register opcode')],
  [IORING_RESTRICTION.SQE_OP, opcodeNamed(u8)],
  [IORING_RESTRICTION.SQE_FLAGS_ALLOWED, sqeFlags],
  [IORING_RESTRICTION.SQE_FLAGS_REQUIRED, sqeFlags],
]);

const restrictionFields = (value: Codec<number>): Codec<Restriction> =>
  record<Restriction>({
    opcode: required(kind, 'Kind of restriction, u16'),
    value: withDefault(value, 0, 'register_op, sqe_op or sqe_flags, u8'),
    resv: withDefault(u8, 0),
    resv2: withDefault(triple(u32), [0, 0, 0] as const),
  });
const restrictionCodecs = new Map([...VALUE_OF].map(([opcode, value]) => [opcode, restrictionFields(value)]));
const otherRestriction = restrictionFields(u8);
const restrictionOf = (opcode: number): Codec<Restriction> => restrictionCodecs.get(opcode) ?? otherRestriction;

/** struct io_uring_restriction. */
const restriction: Codec<Restriction> = define('restriction', {
  decode: (value, at) => {
    const { opcode } = asObject(value, at);
    return restrictionOf(opcode === undefined ? -1 : kind.decode(opcode, `${at}.opcode`)).decode(value, at);
  },
  encode: (value) => restrictionOf(value.opcode).encode(value),
  schema: restrictionFields({
    ...u8,
    schema: {
      anyOf: [...new Set([...VALUE_OF.values()].map(({ schema }) => JSON.stringify(schema)))].map(
        (schema) => JSON.parse(schema) as JsonSchema,
      ),
    },
  }).schema,
});

const restrictionList = list(restriction, ARENA.args_size / 16 - 1);

/** An array of restrictions. */
export const ringRestrictionsArg = record<RingRestrictionsArg>({
  restrictions: required(restrictionList),
  placement: withDefault(placement, 'normal'),
});

/** struct io_uring_task_restriction. */
export const taskRestrictionsArg = record<TaskRestrictionsArg>({
  flags: withDefault(u16, 0),
  restrictions: required(restrictionList),
  nr_res: withDefault(
    u16,
    (before) => (before['restrictions'] as readonly Restriction[]).length,
    'Number of entries as told to the kernel; default: the length of restrictions',
  ),
  resv: withDefault(triple(u32), [0, 0, 0] as const),
  placement: withDefault(placement, 'normal'),
});

const sqeFields = record<Sqe>({
  opcode: required(opcodeNamed(u8), 'u8'),
  flags: maybe(sqeFlags, 'u8, IOSQE_*'),
  ioprio: maybe(u16, 'u16'),
  fd: maybe(s32, 's32'),
  off: maybe(u64, 'u64 at byte 8'),
  addr: maybe(u64, 'u64 at byte 16'),
  len: maybe(u32, 'u32 at byte 24'),
  op_flags: maybe(u32, 'u32 at byte 28'),
  user_data: maybe(u64, 'u64 at byte 32'),
  buf_index: maybe(u16, 'u16 at byte 40'),
  personality: maybe(u16, 'u16 at byte 42'),
  file_index: maybe(u32, 'u32 at byte 44'),
  addr3: maybe(u64, 'u64 at byte 48'),
  pad2: maybe(u64, 'u64 at byte 56'),
});

/** The SQE without its fields that are 0: the same 64 bytes. */
export function withoutZeros(sqe: Sqe): Sqe {
  return Object.fromEntries(
    Object.entries(sqe).filter(
      ([name, value]) => name === 'opcode' || (value !== 0 && value !== 0n && value !== undefined),
    ),
  ) as unknown as Sqe;
}

/** An SQE; fields that are 0 are left out. */
export const sqe: Codec<Sqe> = define('sqe', {
  ...sqeFields,
  decode: (value, at) => withoutZeros(sqeFields.decode(value, at)),
  encode: (value) => sqeFields.encode(withoutZeros(value)),
});
