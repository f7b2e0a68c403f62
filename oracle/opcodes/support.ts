/** Small helpers the opcode tables share. */
import { Open } from '../open-answer.ts';
import type { OpenSet } from '../open-answer.ts';
import type { Allowed } from '../scenario/prediction.ts';
import { E, IOSQE } from '../uapi/constants.ts';
import { ARENA_BASE, isRingFd } from '../scenario/layout.ts';
import type { Sqe } from '../scenario/types.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { arenaImage } from '../world/arena.ts';
import { WORLD } from '../world/open.ts';
import type { OpenFile } from '../world/files.ts';
import { objectName } from '../world/files.ts';
import type { SqeFields, FormSpec, FullSqe, IssueOutcome, OpContext, PrepOutcome } from './types.ts';

/** A prep failure with this errno (positive). */
export function prepError(errno: number): PrepOutcome {
  return { ok: false, errno };
}

/** Prep went well and added nothing the filter could see. */
export const PREP_OK: PrepOutcome = { ok: true, adds_flags: 0 };
/** Prep went well and sent the request to a worker, which the filter sees as IOSQE_ASYNC. */
export const PREP_ASYNC: PrepOutcome = { ok: true, adds_flags: IOSQE.ASYNC };

/** The specification does not say what prep makes of it. */
export function prepOpen(place: Open): PrepOutcome {
  return { ok: 'unknown', place };
}

/** Prep refuses it with -EINVAL. */
export const EINVAL: PrepOutcome = prepError(E.INVAL);
/** Prep refuses it with -EBADF. */
export const EBADF: PrepOutcome = prepError(E.BADF);
/** Prep refuses it with -EFAULT. */
export const EFAULT: PrepOutcome = prepError(E.FAULT);

/** Whatever a request may answer, now, later or never. */
export function anything(place: Open): IssueOutcome & { readonly res: OpenSet } {
  return { res: place.any, cflags: place.any, fails: place, may_wait: place };
}

type Extras = Omit<IssueOutcome, 'res' | 'fails'> & { readonly fails?: boolean | Open };

/** A known result; it breaks a link when negative unless `extras` says otherwise. */
export function result(res: number, extras: Extras = {}): IssueOutcome {
  return { fails: res < 0, ...extras, res };
}

/** A result out of a set. */
export function resultAmong(res: Allowed, fails: boolean | Open, extras: Extras = {}): IssueOutcome {
  return { ...extras, res, fails };
}

/** Result of a transfer: less than `wanted` breaks a link as an error does. */
export function transfer(res: number, wanted: number, extras: Extras = {}): IssueOutcome {
  return { fails: res !== wanted, ...extras, res };
}

/** A ready-made request of these fields; it needs no fixture unless `extra` says so. */
export function form(name: string, sqe: SqeFields, extra: Partial<FormSpec> = {}): FormSpec {
  return { name, sqe, fixtures: [], ...extra };
}

/** Which of these fields are not zero. */
export function anySet(sqe: FullSqe, ...fields: (keyof FullSqe)[]): boolean {
  return fields.some((field) => sqe[field] !== 0 && sqe[field] !== 0n);
}

/** Does the SQE carry IOSQE_FIXED_FILE? */
export function isFixed(c: OpContext): boolean {
  return (c.sqe.flags & IOSQE.FIXED_FILE) !== 0;
}

/** A descriptor of the submitting task: rings first, then everything else. */
export function descriptor(c: OpContext, fd: number): OpenFile | 'closed' | 'unknown' {
  const ring = c.ringAt(fd);
  if (ring) return { kind: 'ring', slot: ring.slot };
  if (isRingFd(fd)) return c.sandbox.crowded ? 'unknown' : 'closed';
  return c.sandbox.file(fd);
}

/** Direct descriptor `slot` of the request's ring. */
export function direct(c: OpContext, slot: number): OpenFile | 'closed' | 'unknown' {
  const ring = c.sandbox.common.ring(c.ring);
  if (ring.unknown) return 'unknown';
  return ring.files?.[slot >>> 0] ?? 'closed';
}

/**
 * The file a request works on (sqe.fd, or the direct slot of that number): looked up when the request runs, after the
 * filters.
 */
export function requestFile(c: OpContext): OpenFile | 'closed' | 'unknown' {
  return isFixed(c) ? direct(c, c.sqe.fd) : descriptor(c, c.sqe.fd);
}

/** Resource name of the slot or descriptor a request names. */
export function slotName(c: OpContext, fixed: boolean, fd: number): string {
  return fixed ? `files:${c.ring}` : `fd:${fd}`;
}

/** The outcome of a request on a file: it touches at least that. */
export type FileOutcome = IssueOutcome & { readonly touches: readonly string[] };

/** Whether a request may change the object behind a descriptor, or what it depends on. */
export type Changes = boolean | ((file: OpenFile) => boolean);

/**
 * Runs `body` with the request's file; answers -EBADF when there is none and
 * whatever comes when the descriptor is not modelled.
 * @param changes whether the request may change the object behind the descriptor
 */
export function withFile(c: OpContext, changes: Changes, body: (file: OpenFile) => IssueOutcome): FileOutcome {
  return onFile(c, requestFile(c), slotName(c, isFixed(c), c.sqe.fd), changes, body);
}

/** Why nobody knows what a request makes of this file. */
export function unknownFile(file: OpenFile | 'closed' | 'unknown'): Open {
  return WORLD[file === 'unknown' ? 'descriptor.not-ours' : 'descriptor.kind'];
}

/** As withFile, for a file found elsewhere in the SQE. */
export function onFile(
  _c: OpContext,
  file: OpenFile | 'closed' | 'unknown',
  slot: string,
  changes: Changes,
  body: (file: OpenFile) => IssueOutcome,
): FileOutcome {
  if (file === 'closed' || file === 'unknown' || file.kind === 'other' || file.kind === 'path') {
    // A descriptor opened with O_PATH is no file to most requests.
    const known = file === 'closed' || (file !== 'unknown' && file.kind === 'path');
    return { ...(known ? result(-E.BADF) : anything(unknownFile(file))), touches: [slot], changes: [] };
  }
  const outcome = body(file);
  const name = objectName(file);
  const more = outcome.touches ?? [];
  // Of a file or directory most requests see nothing but what it is.
  const blind = (file.kind === 'file' || file.kind === 'dir') && outcome.looksInside !== true;
  return {
    ...outcome,
    touches: [slot, name, ...more],
    changes: [
      ...(outcome.changes ?? more),
      ...((typeof changes === 'function' ? changes(file) : changes) ? [name] : []),
    ],
    ...(blind ? { blind: outcome.blind === undefined ? [name] : [...outcome.blind, name] } : {}),
  };
}

/** For OpSpec.meaning: the path that `addr` points at in the arena's constant image, quoted. */
export function pathInAddr({ addr = 0n }: Sqe, abi: AbiProfile): string | undefined {
  if (addr === 0n) return 'NULL';
  const image = arenaImage(abi.little_endian);
  const at = Number(addr - BigInt(ARENA_BASE));
  if (!(at >= 0 && at < image.length)) return undefined;
  return JSON.stringify(new TextDecoder().decode(image.subarray(at, image.indexOf(0, at))));
}

/** For OpSpec.samples: a user_data whose halves differ. */
export const SAMPLE_DATA = 0x1234_5678_9abc_def0n;

/** For OpSpec.quiet: every error is quiet. */
export const quietAlways = (): boolean => true;

/** For OpSpec.quiet: all but a bad descriptor, which is found before the handler runs, and fails the request. */
export function quietOnFile(c: OpContext): boolean {
  const file = requestFile(c);
  return file !== 'closed' && file !== 'unknown' && file.kind !== 'path';
}

/** For OpSpec.directories: one, in `fd`. */
export const directoryInFd = ({ fd }: FullSqe): readonly number[] => [fd];
/** For OpSpec.directories: one in `fd`, the other in `len`. */
export const directoriesInFdAndLen = ({ fd, len }: FullSqe): readonly number[] => [fd, len | 0];

/** Checks a path argument as prep does: undefined when it can be read. */
export function pathError(c: OpContext, address: bigint): PrepOutcome | undefined {
  if (c.heldTexts?.has(address) === true) return undefined;
  const path = c.sandbox.memory.text(address);
  if (path === 'fault') return EFAULT;
  if (Open.is(path)) return prepOpen(path);
  if (path.text === '') return prepError(E.NOENT);
  // linux/io_uring.h, IORING_FEAT_SUBMIT_STABLE: consumed when the SQE is.
  c.heldTexts ??= new Map<bigint, string>();
  c.heldTexts.set(address, path.text);
  return undefined;
}

/** The text of a path argument that `pathError` accepted; of any other what is there now, or why nobody knows. */
export function pathText(c: OpContext, address: bigint): string | Open {
  const held = c.heldTexts?.get(address);
  if (held !== undefined) return held;
  const path = c.sandbox.memory.text(address);
  if (path === 'fault') return WORLD['memory.written-late'];
  return Open.is(path) ? path : path.text;
}

/** Six u32 words of the context's 24-byte union from u64 values, in the guest's byte order. */
export function payloadU64(littleEndian: boolean, ...values: bigint[]): Uint32Array {
  const words = new Uint32Array(6);
  values.forEach((value, i) => {
    const low = Number(value & 0xffff_ffffn);
    const high = Number((value >> 32n) & 0xffff_ffffn);
    words[i * 2] = littleEndian ? low : high;
    words[i * 2 + 1] = littleEndian ? high : low;
  });
  return words;
}

/** Fills in absent SQE fields with zero. */
export function fullSqe(sqe: Sqe): FullSqe {
  // Field by field: one shape for all of them, which the engine rewards.
  const {
    opcode,
    flags = 0,
    ioprio = 0,
    fd = 0,
    off = 0n,
    addr = 0n,
    len = 0,
    op_flags = 0,
    user_data = 0n,
    buf_index = 0,
    personality = 0,
    file_index = 0,
    addr3 = 0n,
    pad2 = 0n,
  } = sqe;
  return {
    opcode,
    flags,
    ioprio,
    fd,
    off,
    addr,
    len,
    op_flags,
    user_data,
    buf_index,
    personality,
    file_index,
    addr3,
    pad2,
  };
}
