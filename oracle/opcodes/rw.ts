/** Reads and writes: prep checks and what an allowed transfer does. */
import { defineOpen, Open } from '../open-answer.ts';
import { FILE_OPEN } from './open-answers.ts';
import { E, IORING_SETUP, IOSQE, RWF } from '../uapi/constants.ts';
import type { OpenFile } from '../world/files.ts';
import { append } from '../world/files.ts';
import type { FileOutcome } from './support.ts';
import { EINVAL, EFAULT, PREP_OK, prepOpen, anything, result, transfer, withFile, unknownFile } from './support.ts';
import {
  addressRefusal,
  gather,
  isPrep,
  NEGATIVE,
  readIovecs,
  scatter,
  segmentNames,
  selects,
  total,
} from './segments.ts';
import type { Segment } from './segments.ts';
import { selectBuffer } from './buffers.ts';
import type { IssueOutcome, OpContext, PrepOutcome } from './types.ts';

const OPEN = defineOpen({
  'rw.ioprio': [
    'not-modelled',
    'I/O priorities of the real-time class, and class 0 with a level: up to capabilities and release.',
  ],
  'rw.attribute': ['not-modelled', 'Reads and writes with a struct io_uring_attr_pi: up to the block device.'],
  'rw.flags': ['not-modelled', 'RWF_* flags that only some file systems take.'],
  'rw.directory': ['not-modelled', 'A read of a directory with flags or a negative position.'],
  'rw.partly-mapped': ['not-modelled', 'A transfer to or from memory of which only a part is mapped.'],
  'rw.pipe-waits': [
    'timing',
    'A read of an empty pipe.',
    'Another request writes to it.',
    'Nobody ever does, or a worker is refused for RWF_NOWAIT.',
  ],
  'rw.eventfd-waits': [
    'timing',
    'A read of an eventfd at 0, or a write that would overflow it.',
    'Another request changes it.',
    'Nobody ever does.',
  ],
  'rw.pipe-full': ['not-modelled', 'A write to a pipe that holds more than four pages.'],
  'rw.eventfd-pieces': ['not-modelled', 'A write to an eventfd of more than eight bytes, or in pieces.'],
  'rw.huge-vector': [
    'not-modelled',
    'READV_FIXED and WRITEV_FIXED with so many segments that there may be no memory for the list of them.',
  ],
  'rw.selected-unused': [
    'timing',
    'A selected buffer that ends up unused.',
    'The request ran at once: the buffer is put back.',
    'A worker had it: the buffer is gone.',
  ],
});

/** sqe.ioprio of a read or write; open for the real-time class, which depends on capabilities. */
function ioprioError(ioprio: number): PrepOutcome | undefined {
  if (ioprio === 0) return undefined;
  switch (ioprio >>> 13) {
    case 0:
      return (ioprio & 7) !== 0 ? EINVAL : prepOpen(OPEN['rw.ioprio']);
    case 1:
      return prepOpen(OPEN['rw.ioprio']);
    case 2:
    case 3:
      return undefined;
    default:
      return EINVAL;
  }
}

/** The part of prep that all reads and writes share. */
function prepCommon(c: OpContext): PrepOutcome | undefined {
  const bad = ioprioError(c.sqe.ioprio);
  if (bad) return bad;
  if (c.sqe.pad2 !== 0n) {
    if (c.sqe.pad2 !== 1n) return EINVAL;
    const attribute = c.sandbox.memory.read(c.sqe.addr3, 32);
    return attribute === 'fault' ? EFAULT : prepOpen(OPEN['rw.attribute']);
  }
  return undefined;
}

/** READ and WRITE: a plain buffer. */
export function prepPlain(c: OpContext): PrepOutcome {
  const bad = prepCommon(c);
  if (bad) return bad;
  if (selects(c)) return PREP_OK;
  return addressRefusal(c.sqe.addr) ?? PREP_OK;
}

/** READV and WRITEV: iovecs are read by prep; with a selected buffer there must be exactly one. */
export function prepVector(c: OpContext): PrepOutcome {
  const bad = prepCommon(c);
  if (bad) return bad;
  if (selects(c)) {
    if (c.sqe.len !== 1) return EINVAL;
    const one = readIovecs(c, c.sqe.addr, 1);
    return isPrep(one) ? one : PREP_OK;
  }
  const segments = readIovecs(c, c.sqe.addr, c.sqe.len >>> 0);
  return isPrep(segments) ? segments : PREP_OK;
}

/** READ_FIXED and WRITE_FIXED: the buffer is looked up when the request runs. */
export function prepFixed(c: OpContext): PrepOutcome {
  return prepCommon(c) ?? PREP_OK;
}

/** Segments whose list a kernel surely finds memory for. */
const HUGE_VECTOR = 0x1000;

/** READV_FIXED and WRITEV_FIXED. */
export function prepVectorFixed(c: OpContext): PrepOutcome {
  const bad = prepCommon(c);
  if (bad) return bad;
  if (c.sqe.len >>> 0 > HUGE_VECTOR) return prepOpen(OPEN['rw.huge-vector']);
  const segments = readIovecs(c, c.sqe.addr, c.sqe.len >>> 0, true);
  return isPrep(segments) ? segments : PREP_OK;
}

/** READ_MULTISHOT: only with a selected buffer, and without one of its own. */
export function prepMultishot(c: OpContext): PrepOutcome {
  if (!selects(c)) return EINVAL;
  const bad = prepCommon(c);
  if (bad) return bad;
  return c.sqe.addr !== 0n || c.sqe.len !== 0 ? EINVAL : PREP_OK;
}

/** True, false or why nobody knows: can all segments be accessed? */
function mapped(c: OpContext, segments: readonly Segment[]): boolean | Open {
  let all: boolean | Open = true;
  for (const { addr, len } of segments) {
    const one = c.sandbox.memory.mapped(addr, len);
    if (one === false) return false;
    if (Open.is(one)) all = one;
  }
  return all;
}

/** -errno for rw_flags the file does not take, a place for those not modelled. */
function flagError(c: OpContext, file: OpenFile): number | Open {
  const flags = c.sqe.op_flags;
  if (flags === 0) return 0;
  if ((flags & 0xffff_0000) !== 0) return -E.OPNOTSUPP;
  if (flags === RWF.HIPRI && (c.setup_flags & IORING_SETUP.IOPOLL) === 0) return -E.INVAL;
  if (flags === RWF.NOWAIT && (file.kind === 'pipe' || file.kind === 'eventfd')) return 0;
  return OPEN['rw.flags'];
}

/** Position argument: negative positions other than -1 are refused. */
function positionError(c: OpContext): boolean {
  return c.sqe.off >= NEGATIVE && c.sqe.off !== (1n << 64n) - 1n;
}

const CURRENT = (1n << 64n) - 1n;

/** A transfer between a file and memory. */
interface Transfer {
  readonly c: OpContext;
  readonly segments: readonly Segment[];
  /** Bytes asked for. */
  readonly wanted: number;
  /** What of memory the request touches and changes, and CQE flags. */
  readonly memory: Pick<IssueOutcome, 'touches' | 'changes' | 'blind' | 'cflags'>;
}

/** A read: whether its memory can be written, and what else happens when it is done. */
interface Read extends Transfer {
  readonly reachable: boolean;
  readonly also: () => void;
}

/** A write: the bytes, or why nobody knows them. */
interface Write extends Transfer {
  readonly bytes: Uint8Array | Open;
}

type File = Extract<OpenFile, { kind: 'file' }>;
type Pipe = Extract<OpenFile, { kind: 'pipe' }>;
type Eventfd = Extract<OpenFile, { kind: 'eventfd' }>;

/** Why flags or position are refused, or undefined. */
function refusedTransfer(c: OpContext, file: OpenFile): IssueOutcome | undefined {
  const bad = flagError(c, file);
  if (Open.is(bad)) return anything(bad);
  if (bad !== 0) return result(bad);
  return positionError(c) ? result(-E.INVAL) : undefined;
}

/** Why a file cannot be read at all, or undefined. */
function refusedRead(c: OpContext, file: OpenFile): IssueOutcome | undefined {
  switch (file.kind) {
    case 'file':
      return file.readable ? undefined : result(-E.BADF);
    case 'pipe':
      return file.end === 'read' ? undefined : result(-E.BADF);
    case 'dir':
      return c.sqe.op_flags === 0 && !positionError(c) ? result(-E.ISDIR) : anything(OPEN['rw.directory']);
    case 'eventfd':
      return undefined;
    default:
      return anything(unknownFile(file));
  }
}

/** The answer where some of the memory cannot be accessed. */
function faulted(c: OpContext, segments: readonly Segment[]): IssueOutcome {
  return segments.length === 1 && isBad(c, segments[0]) ? result(-E.FAULT) : anything(OPEN['rw.partly-mapped']);
}

function readFile({ c, segments, wanted, memory, reachable, also }: Read, file: File): IssueOutcome {
  const from = c.sqe.off === CURRENT ? file.pos : Number(c.sqe.off < 0x1_0000_0000n ? c.sqe.off : 0x1_0000_0000n);
  const bytes = file.node.content.slice(from, from + wanted);
  if (!reachable && bytes.length > 0) return { ...faulted(c, segments), looksInside: true };
  return transfer(bytes.length, wanted, {
    ...memory,
    looksInside: true,
    effect: () => {
      scatter(c, segments, bytes);
      if (c.sqe.off === CURRENT) file.pos = from + bytes.length;
      also();
    },
  });
}

function readPipe({ c, segments, wanted, memory, reachable, also }: Read, { pipe, nonblock }: Pipe): IssueOutcome {
  if (wanted === 0) return transfer(0, 0);
  const plain = c.sqe.op_flags === 0 && (c.sqe.flags & IOSQE.BUFFER_SELECT) === 0;
  // pipe(7), "I/O on pipes and FIFOs": with nobody left to write, a read sees end-of-file; one that waits already, too.
  if (pipe.bytes.length === 0 && plain && !nonblock && !c.sandbox.common.mayHold(pipe, 'write'))
    return transfer(0, wanted);
  // A worker reads without RWF_NOWAIT, so that an empty pipe may make it wait all the same.
  if (pipe.bytes.length === 0) return anything(OPEN['rw.pipe-waits']);
  if (!reachable) return faulted(c, segments);
  const bytes = pipe.bytes.slice(0, wanted);
  return transfer(bytes.length, wanted, {
    ...memory,
    effect: () => {
      pipe.bytes = pipe.bytes.slice(bytes.length);
      scatter(c, segments, bytes);
      also();
    },
  });
}

function readEventfd({ c, segments, wanted, memory, reachable, also }: Read, file: Eventfd): IssueOutcome {
  if (wanted < 8) return result(-E.INVAL);
  if (file.counter === 0n)
    return (c.sqe.op_flags & RWF.NOWAIT) !== 0 ? result(-E.AGAIN) : anything(OPEN['rw.eventfd-waits']);
  if (!reachable) return anything(OPEN['rw.partly-mapped']);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, file.counter, c.abi.little_endian);
  return transfer(8, wanted, {
    ...memory,
    effect: () => {
      file.counter = 0n;
      scatter(c, segments, bytes);
      also();
    },
  });
}

/** A read changes what it takes bytes from, and the position of a file that it reads at the current one. */
const movesOrTakes =
  (c: OpContext) =>
  (file: OpenFile): boolean =>
    file.kind !== 'file' || c.sqe.off === CURRENT;

/** Reads into `segments`. `cflags` is passed on (selected buffer). */
export function readInto(
  c: OpContext,
  segments: readonly Segment[],
  cflags = 0,
  also: () => void = () => undefined,
): FileOutcome {
  return withFile(c, movesOrTakes(c), (file) => {
    const refused = refusedRead(c, file) ?? refusedTransfer(c, file);
    if (refused !== undefined) return refused;
    const reachable = mapped(c, segments);
    if (Open.is(reachable)) return anything(reachable);
    const names = segmentNames(segments);
    const memory = { touches: names, blind: names, cflags };
    const read: Read = { c, segments, wanted: total(segments), memory, reachable, also };
    switch (file.kind) {
      case 'file':
        return readFile(read, file);
      case 'pipe':
        return readPipe(read, file);
      case 'eventfd':
        return readEventfd(read, file);
      /* v8 ignore next 2 -- refusedRead has answered */
      default:
        return anything(unknownFile(file));
    }
  });
}

/** One segment that starts where nothing is mapped. */
function isBad(c: OpContext, segment: Segment | undefined): boolean {
  return segment !== undefined && c.sandbox.memory.mapped(segment.addr, 1) === false;
}

/** Why a file cannot be written at all, or undefined. */
function refusedWrite(file: OpenFile): IssueOutcome | undefined {
  switch (file.kind) {
    case 'file':
      return file.writable ? undefined : result(-E.BADF);
    case 'pipe':
      return file.end === 'write' ? undefined : result(-E.BADF);
    case 'dir':
      return result(-E.BADF);
    case 'eventfd':
      return undefined;
    default:
      return anything(unknownFile(file));
  }
}

function writeFile({ c, wanted, memory, bytes }: Write, file: File): IssueOutcome {
  const at = file.append ? file.node.content.length : c.sqe.off === CURRENT ? file.pos : Number(c.sqe.off);
  if (!(at + wanted <= 0x1_0000)) return anything(FILE_OPEN['file.large']);
  return transfer(wanted, wanted, {
    ...memory,
    effect: () => {
      if (Open.is(bytes)) c.sandbox.taint(file.node.id, bytes);
      else overwrite(file.node, at, bytes);
      if (c.sqe.off === CURRENT) file.pos = at + wanted;
    },
  });
}

function writePipe({ c, wanted, memory, bytes }: Write, { pipe }: Pipe): IssueOutcome {
  if (wanted === 0) return transfer(0, 0);
  if (pipe.bytes.length + wanted > 0x4000) return anything(OPEN['rw.pipe-full']);
  return transfer(wanted, wanted, {
    ...memory,
    effect: () => {
      if (Open.is(bytes)) c.sandbox.taint(pipe.id, bytes);
      else pipe.bytes = append(pipe.bytes, bytes);
    },
  });
}

function writeEventfd({ c, segments, wanted, memory, bytes }: Write, file: Eventfd): IssueOutcome {
  if (wanted < 8) return result(-E.INVAL);
  if (Open.is(bytes)) return anything(bytes);
  if (wanted !== 8 || segments.length !== 1) return anything(OPEN['rw.eventfd-pieces']);
  const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, c.abi.little_endian);
  if (value === CURRENT) return result(-E.INVAL);
  if (file.counter + value >= CURRENT) return anything(OPEN['rw.eventfd-waits']);
  return transfer(8, 8, {
    ...memory,
    effect: () => {
      file.counter += value;
    },
  });
}

/** Writes the bytes of `segments`. */
export function writeFrom(c: OpContext, segments: readonly Segment[]): FileOutcome {
  return withFile(c, true, (file) => {
    const refused = refusedWrite(file) ?? refusedTransfer(c, file);
    if (refused !== undefined) return refused;
    const bytes = gather(c, segments);
    if (bytes === 'fault') return file.kind === 'eventfd' ? anything(OPEN['rw.partly-mapped']) : faulted(c, segments);
    const reachable = mapped(c, segments);
    if (Open.is(reachable)) return anything(reachable);
    const memory = { touches: segmentNames(segments), changes: [] };
    const write: Write = { c, segments, wanted: total(segments), memory, bytes };
    switch (file.kind) {
      case 'file':
        return writeFile(write, file);
      case 'pipe':
        return writePipe(write, file);
      case 'eventfd':
        return writeEventfd(write, file);
      /* v8 ignore next 2 -- refusedWrite has answered */
      default:
        return anything(unknownFile(file));
    }
  });
}

/** Writes into a file's content, filling a gap with zeroes. */
export function overwrite(node: { content: Uint8Array }, at: number, bytes: Uint8Array): void {
  if (bytes.length === 0) return;
  const content = new Uint8Array(Math.max(node.content.length, at + bytes.length));
  content.set(node.content);
  content.set(bytes, at);
  node.content = content;
}

/** The context a fixed transfer runs in (the memory is the registrant's), -errno, or why nobody knows. */
export function fixedContext(c: OpContext, asked: readonly Segment[]): OpContext | number | Open {
  const ring = c.sandbox.common.ring(c.ring);
  if (ring.unknown) return ring.unknown;
  const buffer = ring.buffers?.[c.sqe.buf_index];
  if (buffer === undefined) return -E.FAULT;
  for (const { addr, len } of asked) {
    if (addr < buffer.addr || addr + BigInt(len) > buffer.addr + BigInt(buffer.len)) return -E.FAULT;
  }
  return { ...c, sandbox: c.sandbox.over(buffer.memory) };
}

/** READ and READV without or with a selected buffer. */
export function issueRead(c: OpContext, segments: readonly Segment[]): IssueOutcome {
  if (!selects(c)) return readInto(c, segments);
  return withFile(c, true, () => {
    const chosen = selectBuffer(c, total(segments));
    if (Open.is(chosen)) return anything(chosen);
    if (chosen === undefined) return result(-E.NOBUFS, { touches: [`groups:${c.ring}`], changes: [] });
    const inner = readInto(c, [chosen.segment], chosen.cflags, chosen.take);
    // A selected buffer that ends up unused is put back or not, depending on how the request ran.
    if (typeof inner.res !== 'number' || inner.res <= 0)
      return { ...anything(OPEN['rw.selected-unused']), touches: [`groups:${c.ring}`] };
    return { ...inner, touches: [...inner.touches, `groups:${c.ring}`] };
  });
}
