/** The nine read and write opcodes. */
import { FD } from '../scenario/layout.ts';
import { DATA, data, IOVEC, ONE_U64, PATTERN } from '../world/arena.ts';
import { EMPTY_GROUP, GROUP } from './buffers.ts';
import { E, IOSQE, RWF } from '../uapi/constants.ts';
import type { Segment } from './rw.ts';
import {
  fixedContext,
  isPrep,
  issueRead,
  prepFixed,
  prepMultishot,
  prepPlain,
  prepVector,
  prepVectorFixed,
  readInto,
  readIovecs,
  selects,
  writeFrom,
} from './rw.ts';
import type { FileOutcome } from './support.ts';
import { ANY, result, withFile } from './support.ts';
import type { IssueOutcome, OpContext, OpForm, OpSpec, OpTraits, PrepOutcome } from './types.ts';

type Extra = Partial<OpForm>;
type Fields = Partial<OpForm['sqe']>;

const READV = 1;
const WRITEV = 2;
const READ_FIXED = 4;
const WRITE_FIXED = 5;
const READ = 22;
const WRITE = 23;
const READ_MULTISHOT = 49;
const READV_FIXED = 60;
const WRITEV_FIXED = 61;

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
    if (segments === undefined) return ANY;
    const fixed = fixedContext(c, segments);
    const touches = [`buffers:${c.ring}`];
    if (fixed === 'unknown') return { ...ANY, touches, changes: [] };
    if (typeof fixed === 'number') return result(fixed, { touches, changes: [] });
    const outcome = body(fixed, segments);
    return { ...outcome, touches: [...outcome.touches, ...touches] };
  });
}

function spec(
  opcode: number,
  name: string,
  traits: Partial<OpTraits>,
  prep: (c: OpContext) => PrepOutcome,
  issue: (c: OpContext) => IssueOutcome,
  forms: OpForm[],
): OpSpec {
  return { opcode, name, ...traits, prep, issue, forms };
}

function form(
  opcode: number,
  name: string,
  fd: number,
  addr: bigint,
  len: number,
  fields: Fields = {},
  extra: Extra = {},
): OpForm {
  return { name, sqe: { opcode, fd, addr, len, ...fields }, fixtures: [], ...extra };
}

const file = { fixtures: ['file'] } as const;
const pipe = { fixtures: ['pipe'] } as const;
const pipe_full = { fixtures: ['pipe_full'] } as const;
const eventfd = { fixtures: ['eventfd'] } as const;
const refused = { prep_error: true } as const;
const sees = (at: number, length: number): Extra => ({ probe: { memory: { at: 0x3000 + at, length } } });
const read_at = data(DATA.read);
const MINUS_ONE = 0xffff_ffff_ffff_ffffn;

/** Refusals that all reads and writes share. */
function shared(opcode: number, addr: bigint, len: number): OpForm[] {
  return [
    form(opcode, 'bad-fd', FD.closed, addr, len),
    form(opcode, 'unknown-rw-flag', FD.file, addr, len, { op_flags: 0x8000_0000 }, file),
    form(opcode, 'hipri', FD.file, addr, len, { op_flags: RWF.HIPRI }, file),
    form(opcode, 'ioprio-idle', FD.file, addr, len, { ioprio: 3 << 13 }, file),
    form(opcode, 'ioprio-none-level', FD.file, addr, len, { ioprio: 1 }, { ...file, ...refused }),
    form(opcode, 'ioprio-class', FD.file, addr, len, { ioprio: 0xe000 }, { ...file, ...refused }),
    form(opcode, 'attribute-type', FD.file, addr, len, { pad2: 2n }, { ...file, ...refused }),
    form(opcode, 'attribute-null', FD.file, addr, len, { pad2: 1n, addr3: 0n }, { ...file, ...refused }),
  ];
}

export const rwSpecs: readonly OpSpec[] = [
  spec(
    READV,
    'READV',
    { selectsBuffer: true, takesIoprio: true, takesIopoll: true },
    prepVector,
    (c) => {
      if (selects(c)) {
        const one = readIovecs(c, c.sqe.addr, 1);
        return isPrep(one) ? ANY : issueRead(c, one);
      }
      const segments = vector(c);
      return segments === undefined ? ANY : readInto(c, segments);
    },
    [
      form(READV, 'file', FD.file, IOVEC.one, 1, {}, { ...file, ...sees(DATA.vector_a, 16) }),
      form(READV, 'file-two', FD.file, IOVEC.two, 2, { off: 4n }, { ...file, ...sees(DATA.vector_b, 8) }),
      form(READV, 'file-none', FD.file, IOVEC.one, 0, {}, file),
      form(
        READV,
        'pipe',
        FD.pipe2_read,
        IOVEC.two,
        2,
        { op_flags: RWF.NOWAIT },
        { ...pipe_full, ...sees(DATA.vector_a, 8) },
      ),
      form(READV, 'select-empty', FD.file, IOVEC.one, 1, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }, file),
      form(
        READV,
        'select-two',
        FD.file,
        IOVEC.two,
        2,
        { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
        { ...file, ...refused },
      ),
      form(READV, 'too-many', FD.file, IOVEC.one, 1025, {}, { ...file, ...refused }),
      form(READV, 'null', FD.file, 0n, 1, {}, { ...file, ...refused }),
      ...shared(READV, IOVEC.one, 1),
    ],
  ),
  spec(
    WRITEV,
    'WRITEV',
    { takesIoprio: true, takesIopoll: true },
    prepVector,
    (c) => {
      const segments = vector(c);
      return segments === undefined ? ANY : writeFrom(c, segments);
    },
    [
      form(WRITEV, 'file', FD.file, IOVEC.one, 1, { off: 32n }, file),
      form(WRITEV, 'file-two', FD.file, IOVEC.two, 2, {}, file),
      form(WRITEV, 'pipe', FD.pipe_write, IOVEC.two, 2, {}, pipe),
      form(WRITEV, 'read-end', FD.pipe_read, IOVEC.one, 1, {}, pipe),
      form(WRITEV, 'null', FD.file, 0n, 2, {}, { ...file, ...refused }),
      form(WRITEV, 'too-many', FD.file, IOVEC.one, 4096, {}, { ...file, ...refused }),
      ...shared(WRITEV, IOVEC.one, 1),
    ],
  ),
  spec(
    READ_FIXED,
    'READ_FIXED',
    { takesIoprio: true, takesIopoll: true },
    prepFixed,
    (c) => withBuffer(c, plain(c), (own, segments) => readInto(own, segments)),
    [
      form(READ_FIXED, 'file', FD.file, read_at, 16, {}, { ...file, ...sees(DATA.read, 16) }),
      form(READ_FIXED, 'outside', FD.file, data(0xff8), 16, {}, file),
      form(READ_FIXED, 'no-buffer', FD.file, read_at, 16, { buf_index: 9 }, file),
      ...shared(READ_FIXED, read_at, 8).filter(
        ({ name }) => name === 'bad-fd' || name.startsWith('ioprio') || name.startsWith('attribute'),
      ),
    ],
  ),
  spec(
    WRITE_FIXED,
    'WRITE_FIXED',
    { takesIoprio: true, takesIopoll: true },
    prepFixed,
    (c) => withBuffer(c, plain(c), (own, segments) => writeFrom(own, segments)),
    [
      form(WRITE_FIXED, 'file', FD.file, data(DATA.write), 16, {}, file),
      form(WRITE_FIXED, 'no-buffer', FD.file, data(DATA.write), 16, { buf_index: 9 }, file),
      form(WRITE_FIXED, 'read-end', FD.pipe_read, data(DATA.write), 16, {}, pipe),
      ...shared(WRITE_FIXED, data(DATA.write), 8).filter(
        ({ name }) => name === 'bad-fd' || name.startsWith('attribute'),
      ),
    ],
  ),
  spec(
    READ,
    'READ',
    { selectsBuffer: true, takesIoprio: true, takesIopoll: true },
    prepPlain,
    (c) => issueRead(c, plain(c)),
    [
      form(READ, 'file', FD.file, read_at, 16, {}, { ...file, ...sees(DATA.read, 16) }),
      form(READ, 'file-all', FD.file, read_at, 64, {}, { ...file, ...sees(DATA.read, 64) }),
      form(READ, 'file-short', FD.file, read_at, 64, { off: 60n }, { ...file, ...sees(DATA.read, 4) }),
      form(READ, 'file-end', FD.file, read_at, 8, { off: 0x1000n }, file),
      form(READ, 'file-current', FD.file, read_at, 8, { off: MINUS_ONE }, { ...file, ...sees(DATA.read, 8) }),
      form(READ, 'file-zero', FD.file, read_at, 0, {}, file),
      form(READ, 'file-null', FD.file, 0n, 8, {}, file),
      form(READ, 'file-negative', FD.file, read_at, 8, { off: 0x8000_0000_0000_0000n }, file),
      form(READ, 'pipe', FD.pipe2_read, read_at, 8, { op_flags: RWF.NOWAIT }, { ...pipe_full, ...sees(DATA.read, 8) }),
      form(READ, 'write-end', FD.pipe_write, read_at, 8, {}, pipe),
      form(READ, 'eventfd', FD.eventfd, read_at, 8, { op_flags: RWF.NOWAIT }, { ...eventfd, ...sees(DATA.read, 8) }),
      form(READ, 'eventfd-small', FD.eventfd, read_at, 7, {}, eventfd),
      form(
        READ,
        'select',
        FD.file,
        0n,
        64,
        { flags: IOSQE.BUFFER_SELECT, buf_index: GROUP },
        { ...file, ...sees(DATA.provide, 64) },
      ),
      form(READ, 'select-empty', FD.file, 0n, 64, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }, file),
      form(READ, 'fixed-file', 0, read_at, 8, { flags: IOSQE.FIXED_FILE }),
      form(READ, 'kernel-address', FD.file, 0xffff_8000_0000_0000n, 8, {}, { ...file, ...refused }),
      ...shared(READ, read_at, 8),
    ],
  ),
  spec(WRITE, 'WRITE', { takesIoprio: true, takesIopoll: true }, prepPlain, (c) => writeFrom(c, plain(c)), [
    form(WRITE, 'file', FD.file, PATTERN, 16, {}, file),
    form(WRITE, 'file-extend', FD.file, PATTERN, 16, { off: 80n }, file),
    form(WRITE, 'file-current', FD.file, PATTERN, 4, { off: MINUS_ONE }, file),
    form(WRITE, 'file-zero', FD.file, PATTERN, 0, {}, file),
    form(WRITE, 'file-null', FD.file, 0n, 8, {}, file),
    form(WRITE, 'pipe', FD.pipe_write, PATTERN, 16, {}, pipe),
    form(WRITE, 'read-end', FD.pipe_read, PATTERN, 16, {}, pipe),
    form(WRITE, 'eventfd', FD.eventfd, ONE_U64, 8, {}, eventfd),
    form(WRITE, 'eventfd-small', FD.eventfd, ONE_U64, 4, {}, eventfd),
    form(WRITE, 'fixed-file', 0, PATTERN, 8, { flags: IOSQE.FIXED_FILE }),
    form(WRITE, 'kernel-address', FD.file, 0xffff_8000_0000_0000n, 8, {}, { ...file, ...refused }),
    ...shared(WRITE, PATTERN, 8),
  ]),
  spec(
    READ_MULTISHOT,
    'READ_MULTISHOT',
    { selectsBuffer: true },
    prepMultishot,
    (c) =>
      withFile(c, false, (open) => {
        if (open.kind === 'file' || open.kind === 'dir') return result(-E.BADFD);
        const { groups } = c.sandbox.world.ring(c.ring);
        return groups.get(c.sqe.buf_index) === undefined && open.kind !== 'ring' ? result(-E.NOBUFS) : ANY;
      }),
    [
      form(
        READ_MULTISHOT,
        'not-pollable',
        FD.file,
        0n,
        0,
        { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
        file,
      ),
      form(
        READ_MULTISHOT,
        'no-buffers',
        FD.pipe2_read,
        0n,
        0,
        { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
        pipe_full,
      ),
      form(READ_MULTISHOT, 'bad-fd', FD.closed, 0n, 0, { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP }),
      form(READ_MULTISHOT, 'no-select', FD.pipe2_read, 0n, 0, {}, { ...pipe_full, ...refused }),
      form(
        READ_MULTISHOT,
        'addr-set',
        FD.pipe2_read,
        1n,
        0,
        { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
        { ...pipe_full, ...refused },
      ),
      form(
        READ_MULTISHOT,
        'len-set',
        FD.pipe2_read,
        0n,
        1,
        { flags: IOSQE.BUFFER_SELECT, buf_index: EMPTY_GROUP },
        { ...pipe_full, ...refused },
      ),
    ],
  ),
  spec(
    READV_FIXED,
    'READV_FIXED',
    { takesIoprio: true, takesIopoll: true },
    prepVectorFixed,
    (c) => withBuffer(c, vector(c), (own, segments) => readInto(own, segments)),
    [
      form(READV_FIXED, 'file', FD.file, IOVEC.two, 2, {}, { ...file, ...sees(DATA.vector_a, 8) }),
      form(READV_FIXED, 'no-buffer', FD.file, IOVEC.one, 1, { buf_index: 9 }, file),
      form(READV_FIXED, 'bad-fd', FD.closed, IOVEC.one, 1),
      form(READV_FIXED, 'null', FD.file, 0n, 1, {}, { ...file, ...refused }),
      form(READV_FIXED, 'attribute-type', FD.file, IOVEC.one, 1, { pad2: 4n }, { ...file, ...refused }),
    ],
  ),
  spec(
    WRITEV_FIXED,
    'WRITEV_FIXED',
    { takesIoprio: true, takesIopoll: true },
    prepVectorFixed,
    (c) => withBuffer(c, vector(c), (own, segments) => writeFrom(own, segments)),
    [
      form(WRITEV_FIXED, 'file', FD.file, IOVEC.two, 2, {}, file),
      form(WRITEV_FIXED, 'no-buffer', FD.file, IOVEC.one, 1, { buf_index: 9 }, file),
      form(WRITEV_FIXED, 'bad-fd', FD.closed, IOVEC.one, 1),
      form(WRITEV_FIXED, 'null', FD.file, 0n, 1, {}, { ...file, ...refused }),
    ],
  ),
];
