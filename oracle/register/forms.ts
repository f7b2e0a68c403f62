/** Ready-made io_uring_register calls with a known answer; generators draw from these. */
import type { Fixture } from '../scenario/layout.ts';
import { ARENA, ARENA_BASE, ARENA_END, FD, RING_FD } from '../scenario/layout.ts';
import { DATA, data } from '../world/arena.ts';
import { IORING_SETUP } from '../uapi/constants.ts';
import { NOBODY } from '../opcodes/time-ops.ts';

export interface RegisterForm {
  /** Unique inside the opcode. */
  readonly name: string;
  readonly opcode: number;
  /** Aimed at a ring's descriptor, or at the task (fd = -1). */
  readonly on: 'ring' | 'task';
  readonly nr_args: number;
  /** Written to ARENA.args before the call; the argument points there unless raw_arg is given. */
  readonly bytes?: Uint8Array;
  readonly raw_arg?: bigint;
  readonly fixtures: readonly Fixture[];
  /** Setup flags the ring must not have. */
  readonly avoid_setup?: number;
  /** Ring slots that should exist for the interesting answer (the call works without them too). */
  readonly rings?: readonly number[];
}

const ARGS = BigInt(ARENA_BASE + ARENA.args);

/** Little-endian structure: [size in bytes, value] pairs. The guests are little-endian. */
function struct(...fields: readonly (readonly [1 | 2 | 4 | 8, number | bigint])[]): Uint8Array {
  const size = fields.reduce((sum, [width]) => sum + width, 0);
  const view = new DataView(new ArrayBuffer(size));
  let at = 0;
  for (const [width, value] of fields) {
    const bits = BigInt.asUintN(width * 8, BigInt(value));
    if (width === 8) view.setBigUint64(at, bits, true);
    else if (width === 4) view.setUint32(at, Number(bits), true);
    else if (width === 2) view.setUint16(at, Number(bits), true);
    else view.setUint8(at, Number(bits));
    at += width;
  }
  return new Uint8Array(view.buffer);
}

const u32s = (...values: number[]): Uint8Array => struct(...values.map((value) => [4, value] as const));
const u64s = (...values: (number | bigint)[]): Uint8Array => struct(...values.map((value) => [8, value] as const));

type Extra = Partial<Omit<RegisterForm, 'name' | 'opcode' | 'nr_args'>>;

function form(opcode: number, name: string, nr_args: number, extra: Extra = {}): RegisterForm {
  return { name, opcode, on: 'ring', nr_args, fixtures: [], ...extra };
}

const raw = (raw_arg: bigint): Extra => ({ raw_arg });
const bytes = (...argument: [Uint8Array]): Extra => ({ bytes: argument[0] });
const NULL = raw(0n);
const UNMAPPED = raw(BigInt(ARENA_END));

const two_buffers = u64s(data(DATA.read), 0x100, data(0), 0x1000);
const rsrc_register = (nr: number, flags: number, at: bigint): Uint8Array =>
  struct([4, nr], [4, flags], [8, 0], [8, at], [8, 0]);
const rsrc_update2 = (offset: number, at: bigint, nr: number): Uint8Array =>
  struct([4, offset], [4, 0], [8, at], [8, 0], [4, nr], [4, 0]);

/** A header and what it points at, one after the other in the argument area. */
function after(header: Uint8Array, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(header.length + payload.length);
  out.set(header);
  out.set(payload, header.length);
  return out;
}

const pbuf = (entries: number, group: number, flags: number): Uint8Array =>
  struct([8, 0], [4, entries], [2, group], [2, flags], [8, 0], [8, 0], [8, 0]);
const cancel = (addr: bigint, fd: number, flags: number): Uint8Array =>
  struct([8, addr], [4, fd], [4, flags], [8, -1], [8, -1], [8, 0], [8, 0], [8, 0], [8, 0]).subarray(0, 64);
const region = (size: number): Uint8Array =>
  after(u64s(ARGS + 32n, 0, 0, 0), struct([8, 0], [8, size], [4, 0], [4, 0], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0]));
const query = (op: number, size: number): Uint8Array =>
  after(struct([8, 0], [8, ARGS + 64n], [4, op], [4, size], [4, 0], [4, 0], [4, 0], [4, 0]), new Uint8Array(24 + 256));

/** The SQE of a message to ring `slot`. */
function message(
  slot: number,
  fields: {
    readonly flags?: number;
    readonly opcode?: number;
    readonly command?: number;
    readonly buf_index?: number;
    readonly fd?: number;
  } = {},
): Uint8Array {
  return struct(
    [1, fields.opcode ?? 40],
    [1, fields.flags ?? 0],
    [2, 0],
    [4, fields.fd ?? RING_FD + slot],
    [8, 0x626c_696e_6400 + slot],
    [8, fields.command ?? 0],
    [4, 0x51],
    [4, 0],
    [8, 0],
    [2, fields.buf_index ?? 0],
    [2, 0],
    [4, 0],
    [8, 0],
    [8, 0],
  );
}

const eventfd = { fixtures: ['eventfd'] } as const;
const files = { fixtures: ['file', 'pipe'] } as const;
const task = { on: 'task' } as const;

export const registerForms: readonly RegisterForm[] = [
  form(0, 'two', 2, bytes(two_buffers)),
  form(0, 'sparse', 1, bytes(u64s(0, 0))),
  form(0, 'none', 0, bytes(two_buffers)),
  form(0, 'null', 1, NULL),
  form(0, 'unmapped', 1, UNMAPPED),
  form(0, 'bad-buffer', 1, bytes(u64s(BigInt(ARENA_END), 16))),
  form(0, 'empty-buffer', 1, bytes(u64s(data(0), 0))),
  form(1, 'unregister', 0, NULL),
  form(1, 'with-count', 1, NULL),
  form(2, 'two', 2, { ...bytes(u32s(FD.file, FD.pipe_read)), ...files }),
  form(2, 'sparse', 4, bytes(u32s(-1, -1, -1, -1))),
  form(2, 'closed', 1, bytes(u32s(FD.closed))),
  form(2, 'ring', 1, bytes(u32s(RING_FD))),
  form(2, 'none', 0, bytes(u32s(-1))),
  form(2, 'null', 1, NULL),
  form(3, 'unregister', 0, NULL),
  form(3, 'with-argument', 0, raw(ARGS)),
  form(4, 'eventfd', 1, { ...bytes(u32s(FD.eventfd)), ...eventfd }),
  form(4, 'not-eventfd', 1, { ...bytes(u32s(FD.pipe_read)), fixtures: ['pipe'] }),
  form(4, 'closed', 1, bytes(u32s(FD.closed))),
  form(4, 'two', 2, { ...bytes(u32s(FD.eventfd, FD.eventfd)), ...eventfd }),
  form(4, 'null', 1, NULL),
  form(5, 'unregister', 0, NULL),
  form(5, 'with-count', 1, NULL),
  form(6, 'clear', 1, bytes(after(struct([4, 0], [4, 0], [8, ARGS + 16n]), u32s(-1)))),
  form(6, 'pipe', 2, {
    ...bytes(after(struct([4, 1], [4, 0], [8, ARGS + 16n]), u32s(FD.pipe_read, FD.pipe_write))),
    fixtures: ['pipe'],
  }),
  form(6, 'skip', 1, bytes(after(struct([4, 0], [4, 0], [8, ARGS + 16n]), u32s(-2)))),
  form(6, 'reserved', 1, bytes(struct([4, 0], [4, 1], [8, 0]))),
  form(6, 'none', 0, bytes(new Uint8Array(16))),
  form(7, 'eventfd', 1, { ...bytes(u32s(FD.eventfd)), ...eventfd }),
  form(7, 'unmapped', 1, UNMAPPED),
  form(8, 'all', 256, bytes(new Uint8Array(16 + 256 * 8))),
  form(8, 'none', 0, bytes(new Uint8Array(16))),
  form(8, 'not-zero', 1, bytes(new Uint8Array(24).fill(1))),
  form(8, 'too-many', 257, bytes(new Uint8Array(16 + 257 * 8))),
  form(8, 'null', 1, NULL),
  form(9, 'register', 0, NULL),
  form(9, 'with-count', 1, NULL),
  form(10, 'first', 1, NULL),
  form(10, 'unknown', 77, NULL),
  form(10, 'with-argument', 1, raw(ARGS)),
  form(13, 'sparse', 32, bytes(rsrc_register(8, 1, 0n))),
  form(13, 'two', 32, { ...bytes(after(rsrc_register(2, 0, ARGS + 32n), u32s(FD.file, FD.pipe_write))), ...files }),
  form(13, 'sparse-with-data', 32, bytes(rsrc_register(1, 1, ARGS))),
  form(13, 'unknown-flag', 32, bytes(rsrc_register(1, 2, 0n))),
  form(13, 'none', 32, bytes(rsrc_register(0, 1, 0n))),
  form(13, 'wrong-size', 31, bytes(rsrc_register(8, 1, 0n))),
  form(14, 'clear', 32, bytes(after(rsrc_update2(0, ARGS + 32n, 1), u32s(-1)))),
  form(14, 'none', 32, bytes(rsrc_update2(0, 0n, 0))),
  form(14, 'wrong-size', 24, bytes(rsrc_update2(0, 0n, 1))),
  form(15, 'sparse', 32, bytes(rsrc_register(4, 1, 0n))),
  form(15, 'one', 32, bytes(after(rsrc_register(1, 0, ARGS + 32n), u64s(data(0), 0x800)))),
  form(15, 'wrong-size', 33, bytes(rsrc_register(4, 1, 0n))),
  form(16, 'one', 32, bytes(after(rsrc_update2(0, ARGS + 32n, 1), u64s(data(DATA.write), 0x100)))),
  form(16, 'far', 32, bytes(after(rsrc_update2(0x4000, ARGS + 32n, 1), u64s(0, 0)))),
  form(16, 'null', 32, NULL),
  form(17, 'first-processor', 8, bytes(u64s(1))),
  form(17, 'none', 0, bytes(u64s(1))),
  form(17, 'unmapped', 8, UNMAPPED),
  form(18, 'unregister', 0, NULL),
  form(18, 'with-count', 1, NULL),
  form(19, 'ask', 2, bytes(u32s(0, 0))),
  form(19, 'negative', 2, bytes(u32s(-1, 0))),
  form(19, 'one', 1, bytes(u32s(0, 0))),
  form(20, 'any-slot', 1, { ...bytes(struct([4, -1], [4, 0], [8, RING_FD])), rings: [0] }),
  form(20, 'slot-3', 1, { ...bytes(struct([4, 3], [4, 0], [8, RING_FD])), rings: [0] }),
  form(20, 'slot-16', 1, { ...bytes(struct([4, 16], [4, 0], [8, RING_FD])), rings: [0] }),
  form(20, 'not-a-ring', 1, { ...bytes(struct([4, -1], [4, 0], [8, FD.eventfd])), ...eventfd }),
  form(20, 'closed', 1, bytes(struct([4, -1], [4, 0], [8, FD.closed]))),
  form(20, 'reserved', 1, bytes(struct([4, -1], [4, 1], [8, RING_FD]))),
  form(20, 'none', 0, bytes(new Uint8Array(16))),
  form(20, 'too-many', 17, bytes(new Uint8Array(17 * 16))),
  form(21, 'slot-3', 1, bytes(struct([4, 3], [4, 0], [8, 0]))),
  form(21, 'data-set', 1, bytes(struct([4, 3], [4, 0], [8, 1]))),
  form(21, 'slot-16', 1, bytes(struct([4, 16], [4, 0], [8, 0]))),
  form(22, 'kernel-memory', 1, bytes(pbuf(8, 3, 1))),
  form(22, 'odd-entries', 1, bytes(pbuf(3, 3, 1))),
  form(22, 'unknown-flag', 1, bytes(pbuf(8, 3, 0x8000))),
  form(22, 'null', 1, NULL),
  form(23, 'group-3', 1, bytes(pbuf(0, 3, 0))),
  form(23, 'missing', 1, bytes(pbuf(0, 9, 0))),
  form(23, 'flags-set', 1, bytes(pbuf(0, 3, 1))),
  form(24, 'missing', 1, bytes(cancel(NOBODY, 0, 0))),
  form(24, 'bad-fd', 1, bytes(cancel(0n, FD.closed, 2))),
  form(24, 'unknown-flag', 1, bytes(cancel(NOBODY, 0, 0x100))),
  form(24, 'two', 2, bytes(cancel(NOBODY, 0, 0))),
  form(25, 'empty', 0, bytes(struct([4, 0], [4, 0], [8, 0]))),
  form(25, 'first-two', 0, bytes(struct([4, 0], [4, 2], [8, 0]))),
  form(25, 'wraps', 0, bytes(struct([4, -1], [4, 2], [8, 0]))),
  form(25, 'with-count', 1, bytes(new Uint8Array(16))),
  form(26, 'missing', 1, bytes(u32s(9, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
  form(26, 'group-3', 1, bytes(u32s(3, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
  form(26, 'reserved', 1, bytes(u32s(9, 0, 1, 0, 0, 0, 0, 0, 0, 0))),
  form(27, 'off', 1, bytes(new Uint8Array(16))),
  form(27, 'reserved', 1, bytes(struct([4, 0], [1, 0], [1, 0], [1, 1], [1, 0], [4, 0], [4, 0]))),
  form(27, 'unknown-op', 1, bytes(struct([4, 0], [1, 0], [1, 9], [1, 0], [1, 0], [4, 0], [4, 0]))),
  form(28, 'unregister', 1, NULL),
  form(28, 'none', 0, NULL),
  form(29, 'monotonic', 0, bytes(u32s(1, 0, 0, 0))),
  form(29, 'boottime', 0, bytes(u32s(7, 0, 0, 0))),
  form(29, 'realtime', 0, bytes(u32s(0, 0, 0, 0))),
  form(29, 'reserved', 0, bytes(u32s(1, 0, 0, 1))),
  form(30, 'no-buffers', 1, { ...bytes(u32s(RING_FD + 1, 0, 0, 0, 0, 0, 0, 0)), rings: [1] }),
  form(30, 'closed', 1, bytes(u32s(FD.closed, 0, 0, 0, 0, 0, 0, 0))),
  form(30, 'unknown-flag', 1, bytes(u32s(RING_FD, 4, 0, 0, 0, 0, 0, 0))),
  form(31, 'on-ring', 1, bytes(message(0))),
  form(31, 'to-ring-0', 1, { ...bytes(message(0)), ...task, rings: [0] }),
  form(31, 'to-ring-1', 1, { ...bytes(message(1)), ...task, rings: [1] }),
  form(31, 'not-a-ring', 1, { ...bytes(message(0, { fd: FD.eventfd })), ...task, ...eventfd }),
  form(31, 'closed', 1, { ...bytes(message(0, { fd: FD.closed })), ...task }),
  form(31, 'flags-set', 1, { ...bytes(message(0, { flags: 0x10 })), ...task }),
  form(31, 'other-opcode', 1, { ...bytes(message(0, { opcode: 0 })), ...task }),
  form(31, 'send-fd', 1, { ...bytes(message(0, { command: 1 })), ...task }),
  form(31, 'buf-index-set', 1, { ...bytes(message(0, { buf_index: 1 })), ...task }),
  form(31, 'null', 1, { ...NULL, ...task }),
  form(31, 'two', 2, { ...bytes(message(0)), ...task }),
  form(32, 'zero', 1, bytes(new Uint8Array(128))),
  form(32, 'null', 1, NULL),
  form(33, 'not-deferred', 1, { ...bytes(new Uint8Array(120)), avoid_setup: IORING_SETUP.DEFER_TASKRUN }),
  form(33, 'null', 1, NULL),
  form(34, 'page', 1, bytes(region(4096))),
  form(34, 'odd-size', 1, bytes(region(100))),
  form(34, 'null-region', 1, bytes(u64s(0, 0, 0, 0))),
  form(34, 'null', 1, NULL),
  form(35, 'opcodes', 0, bytes(query(0, 48))),
  form(35, 'opcodes-blind', 0, { ...bytes(query(0, 48)), ...task }),
  form(35, 'unknown-query', 0, { ...bytes(query(999, 16)), ...task }),
  form(35, 'nothing', 0, { ...NULL, ...task }),
  form(35, 'with-count', 1, { ...bytes(query(0, 48)), ...task }),
  form(35, 'unmapped', 0, { ...UNMAPPED, ...task }),
  form(36, 'no-queue', 0, bytes(new Uint8Array(64))),
  form(36, 'with-count', 1, bytes(new Uint8Array(64))),
  // With fd = -1 every other opcode is unknown.
  ...Array.from({ length: 37 }, (_, opcode) => opcode)
    .filter((opcode) => ![11, 31, 35].includes(opcode))
    .map((opcode) => form(opcode, 'blind', 1, { ...bytes(new Uint8Array(64)), ...task })),
];
