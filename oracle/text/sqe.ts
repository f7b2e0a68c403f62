/** An SQE as one line. */
import { arenaImage } from '../world/arena.ts';
import { AF, AT_FDCWD, FILE_INDEX_ALLOC, IOSQE, SOCK } from '../uapi/constants.ts';
import { opName } from '../uapi/opcode-names.ts';
import { ARENA_BASE, RING_FD, RING_SLOTS } from '../scenario/layout.ts';
import { OPEN_X86_64 } from '../uapi/abi.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { flagText } from '../schema/codec.ts';
import type { Sqe } from '../scenario/types.ts';
import { hex, plain } from './numbers.ts';

type Field = Exclude<keyof Sqe, 'opcode'>;

const ORDER: readonly Field[] = [
  'user_data',
  'flags',
  'fd',
  'off',
  'addr',
  'len',
  'op_flags',
  'ioprio',
  'buf_index',
  'personality',
  'file_index',
  'addr3',
  'pad2',
];

/** The opcode's name, padded to `width`, then every field that is not 0, then what it means where that is known: `NOP user_data=0x1 flags=IO_LINK`. */
export function sqeText(sqe: Sqe, abi: AbiProfile, width = 0): string {
  const fields = ORDER.filter((field) => sqe[field] !== undefined && Number(sqe[field]) !== 0).map(
    (field) => `${field}=${fieldText(field, sqe[field]!)}`,
  );
  const meaning = meaningOf(sqe, abi);
  return [
    opName(sqe.opcode).padEnd(fields.length === 0 && meaning === undefined ? 0 : width),
    ...fields,
    ...(meaning === undefined ? [] : [`; ${meaning}`]),
  ].join(' ');
}

function fieldText(field: Field, value: number | bigint): string {
  if (typeof value === 'bigint') return hex(value);
  if (field === 'flags') return flagText(IOSQE, value);
  if (field === 'file_index' && value === FILE_INDEX_ALLOC) return 'ALLOC';
  if (field === 'fd') return value === AT_FDCWD ? 'AT_FDCWD' : String(value);
  return plain(value);
}

const FAMILIES = new Map(Object.entries(AF).map(([name, value]) => [value as number, `AF_${name}`]));
const TYPES = new Map(
  [
    ['STREAM', SOCK.STREAM],
    ['DGRAM', SOCK.DGRAM],
    ['RAW', SOCK.RAW],
    ['RDM', SOCK.RDM],
    ['SEQPACKET', SOCK.SEQPACKET],
  ].map(([name, value]) => [value as number, `SOCK_${name}`]),
);

/** Opcodes whose `addr` is a path. */
const PATH_IN_ADDR = new Set([18, 21, 28, 35, 36, 37]);

function meaningOf(sqe: Sqe, abi: AbiProfile): string | undefined {
  const { opcode } = sqe;
  if (opcode === 45) {
    const type = Number(BigInt.asUintN(32, sqe.off ?? 0n));
    const flags = flagText({ SOCK_NONBLOCK: SOCK.NONBLOCK, SOCK_CLOEXEC: SOCK.CLOEXEC }, type & ~SOCK.TYPE_MASK);
    return `socket(${FAMILIES.get(sqe.fd ?? 0) ?? sqe.fd}, ${TYPES.get(type & SOCK.TYPE_MASK) ?? type & SOCK.TYPE_MASK}${flags === '0' ? '' : `|${flags}`}, ${sqe.len ?? 0})`;
  }
  const path = PATH_IN_ADDR.has(opcode) ? pathAt(sqe.addr ?? 0n, abi) : undefined;
  if (opcode === 18)
    return `openat(${path ?? '?'}, ${openFlagsText(BigInt(sqe.op_flags ?? 0), abi)}, 0${(sqe.len ?? 0).toString(8)})`;
  if (opcode === 28) return `openat2(${path ?? '?'}, ${howAt(sqe.off ?? 0n, abi) ?? '?'})`;
  if (path !== undefined) return path;
  const fd = sqe.fd ?? 0;
  return fd >= RING_FD && fd < RING_FD + RING_SLOTS ? `fd of ring ${fd - RING_FD}` : undefined;
}

/** The text at an address of the arena's constant image, quoted. */
function pathAt(address: bigint, abi: AbiProfile): string | undefined {
  if (address === 0n) return 'NULL';
  const image = arenaImage(abi.little_endian);
  const at = Number(address - BigInt(ARENA_BASE));
  if (!(at >= 0 && at < image.length)) return undefined;
  return JSON.stringify(new TextDecoder().decode(image.subarray(at, image.indexOf(0, at))));
}

/** struct open_how at an address of the image. */
function howAt(address: bigint, abi: AbiProfile): string | undefined {
  const image = arenaImage(abi.little_endian);
  const at = Number(address - BigInt(ARENA_BASE));
  if (!(at >= 0 && at + 24 <= image.length)) return undefined;
  const view = new DataView(image.buffer, image.byteOffset + at, 24);
  const word = (offset: number): bigint => view.getBigUint64(offset, abi.little_endian);
  return `{flags=${openFlagsText(word(0), abi)}, mode=0${word(8).toString(8)}, resolve=${hex(word(16))}}`;
}

const ACCESS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'];

/** open(2) flags by name; bits without a name in hex. */
export function openFlagsText(flags: bigint, abi: AbiProfile): string {
  const names = Object.entries({ ...OPEN_X86_64, ...abi.open }).sort(([, a], [, b]) => b - a);
  let rest = flags & ~3n;
  const parts = [ACCESS[Number(flags & 3n)]!];
  for (const [name, value] of names) {
    const bits = BigInt(value);
    if ((rest & bits) !== bits) continue;
    parts.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n) parts.push(hex(rest));
  return parts.join('|');
}
