/** Reads and writes: prep checks and what an allowed transfer does. */
import { E, IORING_SETUP, IOSQE, RWF } from '../uapi/constants.ts';
import type { OpenFile } from '../world/files.ts';
import { append } from '../world/files.ts';
import { memoryNames } from '../world/memory.ts';
import type { FileOutcome } from './support.ts';
import { EINVAL, EFAULT, PREP_OK, PREP_UNKNOWN, ANY, result, transfer, withFile } from './support.ts';
import { selectBuffer } from './buffers.ts';
import type { IssueOutcome, OpContext, PrepOutcome } from './types.ts';

export interface Segment {
  readonly addr: bigint;
  readonly len: number;
}

const KERNEL_HALF = 1n << 63n;
/** UIO_MAXIOV. */
const MAX_SEGMENTS = 1024;

/** Reads a struct iovec[]; prep outcome when it is refused. */
export function readIovecs(c: OpContext, addr: bigint, count: number): readonly Segment[] | PrepOutcome {
  if (count > MAX_SEGMENTS) return EINVAL;
  const bytes = c.sandbox.memory.read(addr, count * 16);
  if (bytes === 'fault') return EFAULT;
  if (bytes === 'unknown') return PREP_UNKNOWN;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const base = view.getBigUint64(i * 16, c.abi.little_endian);
    const len = view.getBigUint64(i * 16 + 8, c.abi.little_endian);
    if (len >= KERNEL_HALF) return EINVAL;
    if (base >= KERNEL_HALF) return EFAULT;
    if (len > 0x1_0000n) return PREP_UNKNOWN;
    segments.push({ addr: base, len: Number(len) });
  }
  return segments;
}

export function isPrep(value: readonly Segment[] | PrepOutcome): value is PrepOutcome {
  return !Array.isArray(value);
}

/** sqe.ioprio of a read or write: 'unknown' for the real-time class, which depends on capabilities. */
function ioprioError(ioprio: number): PrepOutcome | undefined {
  if (ioprio === 0) return undefined;
  switch (ioprio >>> 13) {
    case 0:
      return (ioprio & 7) !== 0 ? EINVAL : PREP_UNKNOWN;
    case 1:
      return PREP_UNKNOWN;
    case 2:
    case 3:
      return undefined;
    default:
      return EINVAL;
  }
}

/** The part of prep that all reads and writes share. */
export function prepCommon(c: OpContext): PrepOutcome | undefined {
  const bad = ioprioError(c.sqe.ioprio);
  if (bad) return bad;
  if (c.sqe.pad2 !== 0n) {
    if (c.sqe.pad2 !== 1n) return EINVAL;
    const attribute = c.sandbox.memory.read(c.sqe.addr3, 32);
    return attribute === 'fault' ? EFAULT : PREP_UNKNOWN;
  }
  return undefined;
}

export function selects(c: OpContext): boolean {
  return (c.sqe.flags & IOSQE.BUFFER_SELECT) !== 0;
}

/** READ and WRITE: a plain buffer. */
export function prepPlain(c: OpContext): PrepOutcome {
  const bad = prepCommon(c);
  if (bad) return bad;
  if (selects(c)) return PREP_OK;
  return c.sqe.addr >= KERNEL_HALF ? EFAULT : PREP_OK;
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

/** READV_FIXED and WRITEV_FIXED. */
export function prepVectorFixed(c: OpContext): PrepOutcome {
  const bad = prepCommon(c);
  if (bad) return bad;
  const segments = readIovecs(c, c.sqe.addr, c.sqe.len >>> 0);
  return isPrep(segments) ? segments : PREP_OK;
}

/** READ_MULTISHOT: only with a selected buffer, and without one of its own. */
export function prepMultishot(c: OpContext): PrepOutcome {
  if (!selects(c)) return EINVAL;
  const bad = prepCommon(c);
  if (bad) return bad;
  return c.sqe.addr !== 0n || c.sqe.len !== 0 ? EINVAL : PREP_OK;
}

function total(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.len, 0);
}

/** Stores `bytes` over the segments, in order. */
export function scatter(c: OpContext, segments: readonly Segment[], bytes: Uint8Array): void {
  let at = 0;
  for (const { addr, len } of segments) {
    c.sandbox.memory.write(addr, bytes.subarray(at, at + len));
    at += len;
    if (at >= bytes.length) return;
  }
}

/** The bytes of the segments, one after the other. */
export function gather(c: OpContext, segments: readonly Segment[]): Uint8Array | 'fault' | 'unknown' {
  let out: Uint8Array = new Uint8Array(0);
  for (const { addr, len } of segments) {
    const bytes = c.sandbox.memory.read(addr, len);
    if (typeof bytes === 'string') return bytes;
    out = append(out, bytes);
  }
  return out;
}

export function segmentNames(segments: readonly Segment[]): string[] {
  return segments.flatMap(({ addr, len }) => memoryNames(addr, len));
}

/** True, false or 'unknown': can all segments be accessed? */
function mapped(c: OpContext, segments: readonly Segment[]): boolean | 'unknown' {
  let all: boolean | 'unknown' = true;
  for (const { addr, len } of segments) {
    const one = c.sandbox.memory.mapped(addr, len);
    if (one === false) return false;
    if (one === 'unknown') all = 'unknown';
  }
  return all;
}

/** -errno for rw_flags the file does not take, 'unknown' for those not modelled. */
function flagError(c: OpContext, file: OpenFile): number | 'unknown' {
  const flags = c.sqe.op_flags;
  if (flags === 0) return 0;
  if ((flags & 0xffff_0000) !== 0) return -E.OPNOTSUPP;
  if (flags === RWF.HIPRI && (c.setup_flags & IORING_SETUP.IOPOLL) === 0) return -E.INVAL;
  if (flags === RWF.NOWAIT && (file.kind === 'pipe' || file.kind === 'eventfd')) return 0;
  return 'unknown';
}

/** Position argument: negative positions other than -1 are refused. */
function positionError(c: OpContext): boolean {
  return c.sqe.off >= KERNEL_HALF && c.sqe.off !== (1n << 64n) - 1n;
}

const CURRENT = (1n << 64n) - 1n;

/** Reads into `segments`. `cflags` is passed on (selected buffer). */
export function readInto(
  c: OpContext,
  segments: readonly Segment[],
  cflags = 0,
  also: () => void = () => undefined,
): FileOutcome {
  return withFile(c, true, (file) => {
    const wanted = total(segments);
    const names = segmentNames(segments);
    const memory = { touches: names, cflags };
    switch (file.kind) {
      case 'file':
        if (!file.readable) return result(-E.BADF);
        break;
      case 'pipe':
        if (file.end !== 'read') return result(-E.BADF);
        break;
      case 'dir':
        return c.sqe.op_flags === 0 && !positionError(c) ? result(-E.ISDIR) : ANY;
      case 'eventfd':
        break;
      default:
        return ANY;
    }
    const bad = flagError(c, file);
    if (bad === 'unknown') return ANY;
    if (bad !== 0) return result(bad);
    if (positionError(c)) return result(-E.INVAL);
    const reachable = mapped(c, segments);
    if (reachable === 'unknown') return ANY;
    const nowait = (c.sqe.op_flags & RWF.NOWAIT) !== 0;
    switch (file.kind) {
      case 'file': {
        const from = c.sqe.off === CURRENT ? file.pos : Number(c.sqe.off < 0x1_0000_0000n ? c.sqe.off : 0x1_0000_0000n);
        const bytes = file.node.content.slice(from, from + wanted);
        if (!reachable && bytes.length > 0)
          return segments.length === 1 && isBad(c, segments[0]) ? result(-E.FAULT) : ANY;
        return transfer(bytes.length, wanted, {
          ...memory,
          effect: () => {
            scatter(c, segments, bytes);
            if (c.sqe.off === CURRENT) file.pos = from + bytes.length;
            also();
          },
        });
      }
      case 'pipe': {
        if (wanted === 0) return transfer(0, 0);
        // A worker reads without RWF_NOWAIT, so that an empty pipe may make it wait all the same.
        if (file.pipe.bytes.length === 0) return ANY;
        if (!reachable) return segments.length === 1 && isBad(c, segments[0]) ? result(-E.FAULT) : ANY;
        const bytes = file.pipe.bytes.slice(0, wanted);
        return transfer(bytes.length, wanted, {
          ...memory,
          effect: () => {
            file.pipe.bytes = file.pipe.bytes.slice(bytes.length);
            scatter(c, segments, bytes);
            also();
          },
        });
      }
      case 'eventfd': {
        if (wanted < 8) return result(-E.INVAL);
        if (file.counter === 0n) return nowait ? result(-E.AGAIN) : ANY;
        if (!reachable) return ANY;
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
    }
  });
}

/** One segment that starts where nothing is mapped. */
function isBad(c: OpContext, segment: Segment | undefined): boolean {
  return segment !== undefined && c.sandbox.memory.mapped(segment.addr, 1) === false;
}

/** Writes the bytes of `segments`. */
export function writeFrom(c: OpContext, segments: readonly Segment[]): FileOutcome {
  return withFile(c, true, (file) => {
    const wanted = total(segments);
    switch (file.kind) {
      case 'file':
        if (!file.writable) return result(-E.BADF);
        break;
      case 'pipe':
        if (file.end !== 'write') return result(-E.BADF);
        break;
      case 'dir':
        return result(-E.BADF);
      case 'eventfd':
        break;
      default:
        return ANY;
    }
    const bad = flagError(c, file);
    if (bad === 'unknown') return ANY;
    if (bad !== 0) return result(bad);
    if (positionError(c)) return result(-E.INVAL);
    const bytes = gather(c, segments);
    const names = segmentNames(segments);
    const memory = { touches: names, changes: [] };
    if (bytes === 'fault')
      return file.kind !== 'eventfd' && segments.length === 1 && isBad(c, segments[0]) ? result(-E.FAULT) : ANY;
    switch (file.kind) {
      case 'file': {
        const at = file.append ? file.node.content.length : c.sqe.off === CURRENT ? file.pos : Number(c.sqe.off);
        if (!(at + wanted <= 0x1_0000)) return ANY;
        return transfer(wanted, wanted, {
          ...memory,
          effect: () => {
            if (bytes === 'unknown') c.sandbox.taint(file.node.id);
            else overwrite(file.node, at, bytes);
            if (c.sqe.off === CURRENT) file.pos = at + wanted;
          },
        });
      }
      case 'pipe': {
        if (wanted === 0) return transfer(0, 0);
        if (file.pipe.bytes.length + wanted > 0x4000) return ANY;
        return transfer(wanted, wanted, {
          ...memory,
          effect: () => {
            if (bytes === 'unknown') c.sandbox.taint(file.pipe.id);
            else file.pipe.bytes = append(file.pipe.bytes, bytes);
          },
        });
      }
      case 'eventfd': {
        if (wanted < 8) return result(-E.INVAL);
        if (wanted !== 8 || bytes === 'unknown' || segments.length !== 1) return ANY;
        const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, c.abi.little_endian);
        if (value === CURRENT) return result(-E.INVAL);
        if (file.counter + value >= CURRENT) return ANY;
        return transfer(8, 8, {
          ...memory,
          effect: () => {
            file.counter += value;
          },
        });
      }
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

/** The context a fixed transfer runs in (the memory is the registrant's), -errno, or 'unknown'. */
export function fixedContext(c: OpContext, asked: readonly Segment[]): OpContext | number | 'unknown' {
  const ring = c.sandbox.common.ring(c.ring);
  if (ring.unknown) return 'unknown';
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
    if (chosen === 'unknown') return ANY;
    if (chosen === undefined) return result(-E.NOBUFS, { touches: [`groups:${c.ring}`], changes: [] });
    const inner = readInto(c, [chosen.segment], chosen.cflags, chosen.take);
    // A selected buffer that ends up unused is put back or not, depending on how the request ran.
    if (typeof inner.res !== 'number' || inner.res <= 0) return { ...ANY, touches: [`groups:${c.ring}`] };
    return { ...inner, touches: [...inner.touches, `groups:${c.ring}`] };
  });
}
