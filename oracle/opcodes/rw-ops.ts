/** The nine read and write opcodes. */
import { defineOpen } from '../open-answer.ts';
import { Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { FD } from '../scenario/layout.ts';
import { DATA, data, IOVEC, ONE_U64, PATTERN } from '../world/arena.ts';
import { EMPTY_GROUP, GROUP } from './buffers.ts';
import { E, IOSQE, RWF } from '../uapi/constants.ts';
import type { Segment } from './segments.ts';
import {
  fixedContext,
  issueRead,
  prepFixed,
  prepMultishot,
  prepPlain,
  prepVector,
  prepVectorFixed,
  readInto,
  writeFrom,
} from './rw.ts';
import { isPrep, readIovecs, selects } from './segments.ts';
import type { FileOutcome } from './support.ts';
import { anything, result, withFile } from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec } from './types.ts';

const OPEN = defineOpen({
  'rw.multishot': [
    'not-modelled',
    'READ_MULTISHOT with a buffer to read into: it ends when it is cancelled, or the buffers are used up.',
  ],
});

type Extra = Partial<FormSpec>;

function plain(c: OpContext): readonly Segment[] {
  return [{ addr: c.sqe.addr, len: c.sqe.len >>> 0 }];
}

function vector(c: OpContext): readonly Segment[] | undefined {
  const segments = readIovecs(c, c.sqe.addr, c.sqe.len >>> 0);
  return isPrep(segments) ? undefined : segments;
}

/** A fixed transfer: the file first, then the buffer, then the transfer itself. */
function withBuffer(
  c: OpContext,
  segments: readonly Segment[] | undefined,
  body: (c: OpContext, segments: readonly Segment[]) => FileOutcome,
): IssueOutcome {
  return withFile(c, true, () => {
    if (segments === undefined) return anything(WORLD['memory.written-late']);
    const fixed = fixedContext(c, segments);
    const touches = [`buffers:${c.ring}`];
    if (Open.is(fixed)) return { ...anything(fixed), touches, changes: [] };
    if (typeof fixed === 'number') return result(fixed, { touches, changes: [] });
    const outcome = body(fixed, segments);
    return { ...outcome, touches: [...outcome.touches, ...touches] };
  });
}

function form(
  name: string,
  fd: number,
  addr: bigint,
  len: number,
  fields: SqeFields = {},
  extra: Extra = {},
): FormSpec {
  return { name, sqe: { fd, addr, len, ...fields }, fixtures: [], ...extra };
}

const file = { fixtures: ['file'] } as const;
const pipe = { fixtures: ['pipe'] } as const;
const pipeFull = { fixtures: ['pipe_full'] } as const;
const eventfd = { fixtures: ['eventfd'] } as const;
const refused = { prep_error: true } as const;
const sees = (at: number, length: number): Extra => ({ probe: { memory: { at: 0x3000 + at, length } } });
const readAt = data(DATA.read);
const MINUS_ONE = 0xffff_ffff_ffff_ffffn;

/** Refusals that all reads and writes share. */
function shared(addr: bigint, len: number): FormSpec[] {
  return [
    form('bad-fd', FD.closed, addr, len),
    form('unknown-rw-flag', FD.file, addr, len, { op_flags: 0x8000_0000 }, file),
    form('hipri', FD.file, addr, len, { op_flags: RWF.HIPRI }, file),
    form('ioprio-idle', FD.file, addr, len, { ioprio: 3 << 13 }, file),
    form('ioprio-none-level', FD.file, addr, len, { ioprio: 1 }, { ...file, ...refused }),
    form('ioprio-class', FD.file, addr, len, { ioprio: 0xe000 }, { ...file, ...refused }),
    form('attribute-type', FD.file, addr, len, { pad2: 2n }, { ...file, ...refused }),
    form('attribute-null', FD.file, addr, len, { pad2: 1n, addr3: 0n }, { ...file, ...refused }),
  ];
}

/** IORING_OP_READV: reads into several buffers. */
export const READV: OpSpec = {
  opcode: 1,
  since: '5.1',
  manual: 'preadv2(2)',
  selectsBuffer: true,
  takesIoprio: true,
  takesIopoll: true,
  prep: prepVector,
  issue: (c) => {
    if (selects(c)) {
      const one = readIovecs(c, c.sqe.addr, 1);
      return isPrep(one) ? anything(WORLD['memory.written-late']) : issueRead(c, one);
    }
    const segments = vector(c);
    return segments === undefined ? anything(WORLD['memory.written-late']) : readInto(c, segments);
  },
  forms: [
    form('file', FD.file, IOVEC.one, 1, {}, { ...file, ...sees(DATA.vector_a, 16) }),
    form('file-two', FD.file, IOVEC.two, 2, { off: 4n }, { ...file, ...sees(DATA.vector_b, 8) }),
    form('file-none', FD.file, IOVEC.one, 0, {}, file),
    form('pipe', FD.pipe2_read, IOVEC.two, 2, { op_flags: RWF.NOWAIT }, { ...pipeFull, ...sees(DATA.vector_a, 8) }),
    form('select-empty', FD.file, IOVEC.one, 1, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }, file),
    form(
      'select-two',
      FD.file,
      IOVEC.two,
      2,
      { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
      { ...file, ...refused },
    ),
    form('too-many', FD.file, IOVEC.one, 1025, {}, { ...file, ...refused }),
    form('null', FD.file, 0n, 1, {}, { ...file, ...refused }),
    ...shared(IOVEC.one, 1),
  ],
};

/** IORING_OP_WRITEV: writes from several buffers. */
export const WRITEV: OpSpec = {
  opcode: 2,
  since: '5.1',
  manual: 'pwritev2(2)',
  takesIoprio: true,
  takesIopoll: true,
  prep: prepVector,
  issue: (c) => {
    const segments = vector(c);
    return segments === undefined ? anything(WORLD['memory.written-late']) : writeFrom(c, segments);
  },
  forms: [
    form('file', FD.file, IOVEC.one, 1, { off: 32n }, file),
    form('file-two', FD.file, IOVEC.two, 2, {}, file),
    form('pipe', FD.pipe_write, IOVEC.two, 2, {}, pipe),
    form('read-end', FD.pipe_read, IOVEC.one, 1, {}, pipe),
    form('null', FD.file, 0n, 2, {}, { ...file, ...refused }),
    form('too-many', FD.file, IOVEC.one, 4096, {}, { ...file, ...refused }),
    ...shared(IOVEC.one, 1),
  ],
};

/** IORING_OP_READ_FIXED: reads into a registered buffer. */
export const READ_FIXED: OpSpec = {
  opcode: 4,
  since: '5.1',
  manual: 'preadv2(2)',
  takesIoprio: true,
  takesIopoll: true,
  prep: prepFixed,
  issue: (c) => withBuffer(c, plain(c), (own, segments) => readInto(own, segments)),
  forms: [
    form('file', FD.file, readAt, 16, {}, { ...file, ...sees(DATA.read, 16) }),
    form('outside', FD.file, data(0xff8), 16, {}, file),
    form('no-buffer', FD.file, readAt, 16, { buf_index: 9 }, file),
    ...shared(readAt, 8).filter(
      ({ name }) => name === 'bad-fd' || name.startsWith('ioprio') || name.startsWith('attribute'),
    ),
  ],
};

/** IORING_OP_WRITE_FIXED: writes from a registered buffer. */
export const WRITE_FIXED: OpSpec = {
  opcode: 5,
  since: '5.1',
  manual: 'pwritev2(2)',
  takesIoprio: true,
  takesIopoll: true,
  prep: prepFixed,
  issue: (c) => withBuffer(c, plain(c), (own, segments) => writeFrom(own, segments)),
  forms: [
    form('file', FD.file, data(DATA.write), 16, {}, file),
    form('no-buffer', FD.file, data(DATA.write), 16, { buf_index: 9 }, file),
    form('read-end', FD.pipe_read, data(DATA.write), 16, {}, pipe),
    ...shared(data(DATA.write), 8).filter(({ name }) => name === 'bad-fd' || name.startsWith('attribute')),
  ],
};

/** IORING_OP_READ: reads into one buffer. */
export const READ: OpSpec = {
  opcode: 22,
  since: '5.6',
  manual: 'pread(2)',
  selectsBuffer: true,
  takesIoprio: true,
  takesIopoll: true,
  prep: prepPlain,
  issue: (c) => issueRead(c, plain(c)),
  forms: [
    form('file', FD.file, readAt, 16, {}, { ...file, ...sees(DATA.read, 16) }),
    form('file-all', FD.file, readAt, 64, {}, { ...file, ...sees(DATA.read, 64) }),
    form('file-short', FD.file, readAt, 64, { off: 60n }, { ...file, ...sees(DATA.read, 4) }),
    form('file-end', FD.file, readAt, 8, { off: 0x1000n }, file),
    form('file-current', FD.file, readAt, 8, { off: MINUS_ONE }, { ...file, ...sees(DATA.read, 8) }),
    form('file-zero', FD.file, readAt, 0, {}, file),
    form('file-null', FD.file, 0n, 8, {}, file),
    form('file-negative', FD.file, readAt, 8, { off: 0x8000_0000_0000_0000n }, file),
    form('pipe', FD.pipe2_read, readAt, 8, { op_flags: RWF.NOWAIT }, { ...pipeFull, ...sees(DATA.read, 8) }),
    form('write-end', FD.pipe_write, readAt, 8, {}, pipe),
    form('eventfd', FD.eventfd, readAt, 8, { op_flags: RWF.NOWAIT }, { ...eventfd, ...sees(DATA.read, 8) }),
    form('eventfd-small', FD.eventfd, readAt, 7, {}, eventfd),
    form(
      'select',
      FD.file,
      0n,
      64,
      { flags: IOSQE.BUFFER_SELECT, buf_index: GROUP },
      { ...file, ...sees(DATA.provide, 64) },
    ),
    form('select-empty', FD.file, 0n, 64, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }, file),
    form('fixed-file', 0, readAt, 8, { flags: IOSQE.FIXED_FILE }),
    form('kernel-address', FD.file, 0xffff_8000_0000_0000n, 8, {}, { ...file, ...refused }),
    ...shared(readAt, 8),
  ],
};

/** IORING_OP_WRITE: writes from one buffer. */
export const WRITE: OpSpec = {
  opcode: 23,
  since: '5.6',
  manual: 'pwrite(2)',
  takesIoprio: true,
  takesIopoll: true,
  prep: prepPlain,
  issue: (c) => writeFrom(c, plain(c)),
  forms: [
    form('file', FD.file, PATTERN, 16, {}, file),
    form('file-extend', FD.file, PATTERN, 16, { off: 80n }, file),
    form('file-current', FD.file, PATTERN, 4, { off: MINUS_ONE }, file),
    form('file-zero', FD.file, PATTERN, 0, {}, file),
    form('file-null', FD.file, 0n, 8, {}, file),
    form('pipe', FD.pipe_write, PATTERN, 16, {}, pipe),
    form('read-end', FD.pipe_read, PATTERN, 16, {}, pipe),
    form('eventfd', FD.eventfd, ONE_U64, 8, {}, eventfd),
    form('eventfd-small', FD.eventfd, ONE_U64, 4, {}, eventfd),
    form('fixed-file', 0, PATTERN, 8, { flags: IOSQE.FIXED_FILE }),
    form('kernel-address', FD.file, 0xffff_8000_0000_0000n, 8, {}, { ...file, ...refused }),
    ...shared(PATTERN, 8),
  ],
};

/** IORING_OP_READ_MULTISHOT: reads again and again into provided buffers. */
export const READ_MULTISHOT: OpSpec = {
  opcode: 49,
  since: '6.7',
  selectsBuffer: true,
  prep: prepMultishot,
  issue: (c) =>
    withFile(c, false, (open) => {
      if (open.kind === 'file' || open.kind === 'dir') return result(-E.BADFD);
      const { groups } = c.sandbox.common.ring(c.ring);
      return groups.get(c.sqe.buf_index) === undefined && open.kind !== 'ring'
        ? result(-E.NOBUFS)
        : anything(OPEN['rw.multishot']);
    }),
  forms: [
    form('not-pollable', FD.file, 0n, 0, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }, file),
    form('no-buffers', FD.pipe2_read, 0n, 0, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }, pipeFull),
    form('bad-fd', FD.closed, 0n, 0, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }),
    form('no-select', FD.pipe2_read, 0n, 0, {}, { ...pipeFull, ...refused }),
    form(
      'addr-set',
      FD.pipe2_read,
      1n,
      0,
      { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
      { ...pipeFull, ...refused },
    ),
    form(
      'len-set',
      FD.pipe2_read,
      0n,
      1,
      { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
      { ...pipeFull, ...refused },
    ),
  ],
};

/** IORING_OP_READV_FIXED: reads into several places of a registered buffer. */
export const READV_FIXED: OpSpec = {
  opcode: 60,
  since: '6.15',
  manual: 'preadv2(2)',
  takesIoprio: true,
  takesIopoll: true,
  prep: prepVectorFixed,
  issue: (c) => withBuffer(c, vector(c), (own, segments) => readInto(own, segments)),
  forms: [
    form('file', FD.file, IOVEC.two, 2, {}, { ...file, ...sees(DATA.vector_a, 8) }),
    form('no-buffer', FD.file, IOVEC.one, 1, { buf_index: 9 }, file),
    form('bad-fd', FD.closed, IOVEC.one, 1),
    form('null', FD.file, 0n, 1, {}, { ...file, ...refused }),
    form('attribute-type', FD.file, IOVEC.one, 1, { pad2: 4n }, { ...file, ...refused }),
  ],
};

/** IORING_OP_WRITEV_FIXED: writes from several places of a registered buffer. */
export const WRITEV_FIXED: OpSpec = {
  opcode: 61,
  since: '6.15',
  manual: 'pwritev2(2)',
  takesIoprio: true,
  takesIopoll: true,
  prep: prepVectorFixed,
  issue: (c) => withBuffer(c, vector(c), (own, segments) => writeFrom(own, segments)),
  forms: [
    form('file', FD.file, IOVEC.two, 2, {}, file),
    form('no-buffer', FD.file, IOVEC.one, 1, { buf_index: 9 }, file),
    form('bad-fd', FD.closed, IOVEC.one, 1),
    form('null', FD.file, 0n, 1, {}, { ...file, ...refused }),
  ],
};
