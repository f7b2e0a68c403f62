/** What the kernel tells about itself. */
import { Open } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { reply, anyAnswer, bad } from './spec.ts';
import { after, ARGS, argBytes, call, NULL, struct, task, UNMAPPED } from './ready-made.ts';
import { rule } from '../rule.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { E } from '../uapi/constants.ts';
import type { Argument, Fields } from './argument.ts';
import type { Answer, BlindCall, RingCall, RegisterFamily } from './spec.ts';

const PROBE = rule(
  'register.probe',
  'man',
  'A probe answers 0 when the structure passed in is all zero, and tells of each opcode that it is there.',
  'io_uring_register(2), IORING_REGISTER_PROBE',
);

const QUERY = rule(
  'register.query',
  'man',
  'A query answers 0 when every header could be read and written; results are in the headers.',
  'linux/io_uring/query.h',
);

function probe({ arg, nr_args, view }: RingCall): Answer {
  if (arg.isNull || nr_args > 256) return bad(E.INVAL);
  const size = 16 + 8 * Math.min(nr_args, view.abi.op_last);
  const bytes = arg.read(0, size);
  if (bytes === 'fault') return bad(E.FAULT);
  if (Open.is(bytes)) return { ret: REGISTER['register-call.probe-bytes'].among(0, -E.INVAL) };
  if (!bytes.isZero(0, size)) return reply(-E.INVAL);
  const memory = arg.written(probed(view.abi, (size - PROBE_HEAD) / PROBE_OP));
  const flags = PROBE_HEAD + RECV_ZC * PROBE_OP + 2;
  return memory === undefined ? reply(0) : { ret: 0, memory, memory_open: [flags, flags + 1] };
}

const PROBE_HEAD = 16;
const PROBE_OP = 8;
const IO_URING_OP_SUPPORTED = 1;
/** Of the opcodes that requests are made of here the only one that is up to the kernel's configuration. */
const RECV_ZC = 58;

/** struct io_uring_probe: the last opcode, how many are told of, and each with its number and whether it is there. */
function probed({ op_last: last, little_endian: little }: AbiProfile, count: number): Uint8Array {
  const bytes = new Uint8Array(PROBE_HEAD + PROBE_OP * count);
  const view = new DataView(bytes.buffer);
  bytes.set([last - 1, count]);
  for (let op = 0, at = PROBE_HEAD; op < count; op++, at += PROBE_OP) {
    view.setUint8(at, op);
    view.setUint16(at + 2, IO_URING_OP_SUPPORTED, little);
  }
  return bytes;
}

/** One struct io_uring_query_hdr: undefined where the call goes on. */
function queryOne(arg: Argument, header: Fields): Answer | undefined {
  const size = header.u32(20);
  if (size > 4096) return { ret: REGISTER['register-call.query-size'].among(0, -E['2BIG']) };
  const valid = header.isZero(28, 40) && header.u32(24) === 0 && size !== 0 && header.u32(16) === 0;
  // What a refused query writes back depends on the release.
  if (!valid) return size === 0 ? undefined : { ret: REGISTER['register-call.query-refused'].among(0, -E.FAULT) };
  const data = arg.readAt(header.u64(8), size);
  if (data === 'fault') return bad(E.FAULT);
  return Open.is(data) ? anyAnswer(data) : undefined;
}

/** Longest chain of queries that is followed. */
const MAX_QUERIES = 8;

function query({ arg, nr_args }: BlindCall): Answer {
  if (nr_args !== 0) return bad(E.INVAL);
  let at = arg.address;
  for (let i = 0; at !== 0n; i++) {
    if (i >= MAX_QUERIES) return anyAnswer(REGISTER['register-call.query-long']);
    const header = arg.readAt(at, 40);
    if (header === 'fault') return bad(E.FAULT);
    if (Open.is(header)) return anyAnswer(header);
    const ended = queryOne(arg, header);
    if (ended !== undefined) return ended;
    at = header.u64(0);
  }
  return reply(0);
}

const queried = (op: number, size: number): Uint8Array =>
  after(struct([8, 0], [8, ARGS + 64n], [4, op], [4, size], [4, 0], [4, 0], [4, 0], [4, 0]), new Uint8Array(24 + 256));

/** The opcodes of this family. */
export const queries = {
  /** IORING_REGISTER_PROBE: asks which opcodes there are. */
  REGISTER_PROBE: {
    opcode: 8,
    since: '5.6',
    rule: PROBE,
    onRing: probe,
    forms: [
      call('all', 256, argBytes(new Uint8Array(16 + 256 * 8))),
      call('none', 0, argBytes(new Uint8Array(16))),
      call('not-zero', 1, argBytes(new Uint8Array(24).fill(1))),
      call('too-many', 257, argBytes(new Uint8Array(16 + 257 * 8))),
      call('null', 1, NULL),
    ],
  },

  /** IORING_REGISTER_QUERY: asks what the kernel supports. */
  REGISTER_QUERY: {
    opcode: 35,
    // io_uring_register(2) has 6.15, but the header had it only months after that.
    since: '6.18',
    rule: QUERY,
    onRing: query,
    blind: query,
    forms: [
      call('opcodes', 0, argBytes(queried(0, 48))),
      call('opcodes-blind', 0, { ...argBytes(queried(0, 48)), ...task }),
      call('unknown-query', 0, { ...argBytes(queried(999, 16)), ...task }),
      call('nothing', 0, { ...NULL, ...task }),
      call('with-count', 1, { ...argBytes(queried(0, 48)), ...task }),
      call('unmapped', 0, { ...UNMAPPED, ...task }),
    ],
  },
} satisfies RegisterFamily;
