/** Socket addresses in requests: what prep takes, and what a filter sees of a CONNECT. */
import { Open } from '../open-answer.ts';
import { AF, E } from '../uapi/constants.ts';
import { EFAULT, EINVAL, prepOpen } from './support.ts';
import type { OpContext, PrepOutcome } from './types.ts';

/** sizeof(struct sockaddr_storage). */
const STORAGE = 128;
/** sizeof(struct sockaddr_in6). */
export const SIN6_LEN = 28;
const SIN_LEN = 16;

/** The bytes of an address argument, at most 128, or the prep outcome that refuses it. */
export function readSockaddr(c: OpContext, addr: bigint, length: number): Uint8Array | PrepOutcome {
  if (length < 0 || length > STORAGE) return EINVAL;
  if (length === 0) return new Uint8Array(0);
  const bytes = c.sandbox.memory.read(addr, length);
  if (bytes === 'fault') return EFAULT;
  return Open.is(bytes) ? prepOpen(bytes) : bytes;
}

/** Whether reading the address ended prep. */
export function isRefused(value: Uint8Array | PrepOutcome): value is PrepOutcome {
  return 'ok' in value;
}

/** The address family, or undefined when the address is too short to have one. */
export function family(bytes: Uint8Array, littleEndian: boolean): number | undefined {
  return bytes.length < 2 ? undefined : new DataView(bytes.buffer, bytes.byteOffset).getUint16(0, littleEndian);
}

/** AF_UNIX path of an address ('' for an abstract or missing one). */
export function unixPath(bytes: Uint8Array): string {
  let path = '';
  for (const byte of bytes.subarray(2)) {
    if (byte === 0) break;
    path += String.fromCharCode(byte);
  }
  return path;
}

/** True for an address that names a file, which a BIND creates. */
export function namesFile(bytes: Uint8Array, littleEndian: boolean): boolean {
  return family(bytes, littleEndian) === AF.UNIX && bytes.length > 2 && bytes[2] !== 0;
}

/**
 * Words 4..9 of the filter context of a CONNECT: u32 family, be16 port, 2 bytes of
 * padding, then a be32 or 16-byte address; a field is filled only when the
 * address is long enough to have it.
 */
export function connectPayload(bytes: Uint8Array, littleEndian: boolean, inet6Length: number): Uint32Array {
  const out = new DataView(new ArrayBuffer(24));
  const kind = family(bytes, littleEndian);
  if (kind !== undefined) {
    out.setUint32(0, kind, littleEndian);
    const copy = (from: number, to: number, length: number): void => {
      for (let i = 0; i < length; i++) out.setUint8(to + i, bytes[from + i]!);
    };
    if (kind === AF.INET && bytes.length >= SIN_LEN) {
      copy(2, 4, 2);
      copy(4, 8, 4);
    } else if (kind === AF.INET6 && bytes.length >= inet6Length) {
      copy(2, 4, 2);
      copy(8, 8, 16);
    }
  }
  return Uint32Array.from({ length: 6 }, (_, i) => out.getUint32(i * 4, littleEndian));
}

/** -errno that connecting or binding an AF_UNIX socket gives for the address itself, or 0. */
export function unixAddressError(bytes: Uint8Array, littleEndian: boolean): number {
  return bytes.length <= 2 || bytes.length > 110 || family(bytes, littleEndian) !== AF.UNIX ? -E.INVAL : 0;
}
