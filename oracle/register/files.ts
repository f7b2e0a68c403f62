/** Registered files: direct descriptors. */
import { Open } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { WORLD } from '../world/open.ts';
import { reply, bad, takesNothing, unknown } from './spec.ts';
import { after, ARGS, argBytes, call, NULL, raw, struct, u32s } from './ready-made.ts';
import { register2, update2, rsrcRegister, rsrcUpdate2 } from './resource-arrays.ts';
import { rule } from '../rule.ts';
import { E, FILE_INDEX_ALLOC } from '../uapi/constants.ts';
import { lookupPlain, updateFiles } from '../opcodes/fd-ops.ts';
import { FD, RING_FD } from '../scenario/layout.ts';
import type { Answer, RingCall, RegisterFamily } from './spec.ts';
import type { OpenFile } from '../world/files.ts';

const FILES = rule(
  'register.files',
  'man',
  'Files are registered once per ring; a second table is -EBUSY, a missing one -ENXIO, a bad or io_uring descriptor ' +
    '-EBADF.',
  'io_uring_register(2), IORING_REGISTER_FILES',
);

const FILES_UPDATE = rule(
  'register.files-update',
  'man',
  'An update replaces slots of the table and answers how many; outside the table it is -EINVAL, without one -ENXIO.',
  'io_uring_register(2), IORING_REGISTER_FILES_UPDATE',
);

const ALLOC_RANGE = rule(
  'register.alloc-range',
  'man',
  'The range for allocated direct descriptors must lie inside the table.',
  'io_uring_register(2), IORING_REGISTER_FILE_ALLOC_RANGE',
);

const MAX_FILES = 1 << 20;
/** RLIMIT_NOFILE is left at what the guest starts with. */
const NOFILE_UNSURE = 1024;

/** Registers `count` descriptors found at `address` (0: a sparse table). */
function registerFiles(call: RingCall, address: bigint, count: number): Answer {
  const { ring, view } = call;
  if (ring.unknown) return unknown(ring, ring.unknown);
  if (ring.files !== undefined) return reply(-E.BUSY);
  if (count === 0) return bad(E.INVAL);
  if (count > MAX_FILES) return reply(-E.MFILE);
  if (count > NOFILE_UNSURE) return unknown(ring, REGISTER['register-call.files-many']);
  const table: (OpenFile | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    if (address === 0n) {
      table.push(undefined);
      continue;
    }
    const entry = call.arg.readAt(address + BigInt(i * 4), 4);
    if (entry === 'fault') return reply(-E.FAULT);
    if (Open.is(entry)) return unknown(ring, entry);
    const fd = entry.s32(0);
    const file = fd === -1 ? undefined : lookupPlain(view, fd);
    if (file === 'unknown') return unknown(ring, WORLD['descriptor.not-ours']);
    if (fd !== -1 && file === undefined) return reply(-E.BADF);
    table.push(file);
  }
  return reply(0, () => ring.setFiles(table));
}

function updateDescriptors(call: RingCall, offset: number, address: bigint, count: number): Answer {
  const { ring, view, on } = call;
  if (ring.unknown) return unknown(ring, ring.unknown);
  if (offset + count > 0xffff_ffff) return reply(-E.OVERFLOW);
  if (ring.files === undefined) return reply(-E.NXIO);
  if (offset + count > ring.files.length) return reply(-E.INVAL);
  const fds: number[] = [];
  let fault = false;
  for (let i = 0; i < count; i++) {
    const entry = call.arg.readAt(address + BigInt(i * 4), 4);
    if (Open.is(entry)) return unknown(ring, entry);
    if (entry === 'fault') {
      fault = true;
      break;
    }
    fds.push(entry.s32(0));
  }
  if (fault && fds.length === 0) return reply(-E.FAULT);
  const { res, apply } = updateFiles(
    { ring: on.slot, sandbox: view.sandbox, ringAt: (fd) => view.ringAt(fd) },
    offset,
    fds,
  );
  return Open.is(res) ? unknown(ring, res) : { ret: res, ...(apply === undefined ? {} : { effect: apply }) };
}

const filesAndPipe = { fixtures: ['file', 'pipe'] } as const;

/** The opcodes of this family. */
export const files = {
  /** IORING_REGISTER_FILES: registers files. */
  REGISTER_FILES: {
    opcode: 2,
    since: '5.1',
    rule: FILES,
    suppliesRequests: true,
    onRing: (call) => (call.arg.isNull ? bad(E.FAULT) : registerFiles(call, call.arg.address, call.nr_args)),
    forms: [
      call('two', 2, { ...argBytes(u32s(FD.file, FD.pipe_read)), ...filesAndPipe }),
      call('sparse', 4, argBytes(u32s(-1, -1, -1, -1))),
      call('closed', 1, argBytes(u32s(FD.closed))),
      call('ring', 1, argBytes(u32s(RING_FD))),
      call('none', 0, argBytes(u32s(-1))),
      call('null', 1, NULL),
    ],
  },

  /** IORING_UNREGISTER_FILES: gives the files back. */
  UNREGISTER_FILES: {
    opcode: 3,
    since: '5.1',
    rule: FILES,
    onRing: (call) => {
      const { ring } = call;
      if (!takesNothing(call)) return bad(E.INVAL);
      if (ring.unknown) return unknown(ring, ring.unknown);
      if (ring.files === undefined) return reply(-E.NXIO);
      return reply(0, () => {
        ring.files = undefined;
        ring.alloc_start = ring.alloc_end = ring.alloc_hint = 0;
      });
    },
    forms: [call('unregister', 0, NULL), call('with-argument', 0, raw(ARGS)), call('with-count', 1, NULL)],
  },

  /** IORING_REGISTER_FILES_UPDATE: replaces registered files. */
  REGISTER_FILES_UPDATE: {
    opcode: 6,
    since: '5.5',
    rule: FILES_UPDATE,
    onRing: (call) => {
      if (call.nr_args === 0) return bad(E.INVAL);
      const up = call.arg.read(0, 16);
      if (up === 'fault') return bad(E.FAULT);
      if (Open.is(up)) return unknown(call.ring, up);
      if (up.u32(4) !== 0) return bad(E.INVAL);
      return updateDescriptors(call, up.u32(0), up.u64(8), call.nr_args);
    },
    forms: [
      call('clear', 1, argBytes(after(struct([4, 0], [4, 0], [8, ARGS + 16n]), u32s(-1)))),
      call('pipe', 2, {
        ...argBytes(after(struct([4, 1], [4, 0], [8, ARGS + 16n]), u32s(FD.pipe_read, FD.pipe_write))),
        fixtures: ['pipe'],
      }),
      call('skip', 1, argBytes(after(struct([4, 0], [4, 0], [8, ARGS + 16n]), u32s(-2)))),
      call('reserved', 1, argBytes(struct([4, 0], [4, 1], [8, 0]))),
      call('none', 0, argBytes(new Uint8Array(16))),
    ],
  },

  /** IORING_REGISTER_FILES2: registers files, with tags or sparsely. */
  REGISTER_FILES2: {
    opcode: 13,
    since: '5.13',
    rule: FILES,
    suppliesRequests: true,
    onRing: (call) => register2(call, registerFiles),
    forms: [
      call('sparse', 32, argBytes(rsrcRegister(8, 1, 0n))),
      call('two', 32, {
        ...argBytes(after(rsrcRegister(2, 0, ARGS + 32n), u32s(FD.file, FD.pipe_write))),
        ...filesAndPipe,
      }),
      call('sparse-with-data', 32, argBytes(rsrcRegister(1, 1, ARGS))),
      call('unknown-flag', 32, argBytes(rsrcRegister(1, 2, 0n))),
      call('none', 32, argBytes(rsrcRegister(0, 1, 0n))),
      call('wrong-size', 31, argBytes(rsrcRegister(8, 1, 0n))),
    ],
  },

  /** IORING_REGISTER_FILES_UPDATE2: replaces registered files, with tags. */
  REGISTER_FILES_UPDATE2: {
    opcode: 14,
    since: '5.13',
    rule: FILES_UPDATE,
    onRing: (call) => update2(call, updateDescriptors),
    forms: [
      call('clear', 32, argBytes(after(rsrcUpdate2(0, ARGS + 32n, 1), u32s(-1)))),
      call('none', 32, argBytes(rsrcUpdate2(0, 0n, 0))),
      call('wrong-size', 24, argBytes(rsrcUpdate2(0, 0n, 1))),
    ],
  },

  /** IORING_REGISTER_FILE_ALLOC_RANGE: says where allocated direct descriptors may stand. */
  REGISTER_FILE_ALLOC_RANGE: {
    opcode: 25,
    since: '6.0',
    rule: ALLOC_RANGE,
    onRing: (call) => {
      const { ring } = call;
      if (call.arg.isNull || call.nr_args !== 0) return bad(E.INVAL);
      const range = call.arg.read(0, 16);
      if (range === 'fault') return bad(E.FAULT);
      if (Open.is(range)) return unknown(ring, range);
      if (ring.unknown) return unknown(ring, ring.unknown);
      const off = range.u32(0);
      const end = off + range.u32(4);
      if (end > FILE_INDEX_ALLOC) return reply(-E.OVERFLOW);
      if (range.u64(8) !== 0n || end > (ring.files?.length ?? 0)) return reply(-E.INVAL);
      return reply(0, () => {
        ring.alloc_start = ring.alloc_hint = off;
        ring.alloc_end = end;
      });
    },
    forms: [
      call('empty', 0, argBytes(struct([4, 0], [4, 0], [8, 0]))),
      call('first-two', 0, argBytes(struct([4, 0], [4, 2], [8, 0]))),
      call('wraps', 0, argBytes(struct([4, -1], [4, 2], [8, 0]))),
      call('with-count', 1, argBytes(new Uint8Array(16))),
      call('null', 0, NULL),
    ],
  },
} satisfies RegisterFamily;
