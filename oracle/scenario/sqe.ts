/** struct io_uring_sqe (64 bytes) as bytes. Source: linux/io_uring.h. */
import type { Sqe } from './types.ts';

/** Reads an SQE from 64 bytes. */
export function decodeSqe(bytes: Uint8Array, little_endian: boolean): Sqe {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 64);
  return {
    opcode: view.getUint8(0),
    flags: view.getUint8(1),
    ioprio: view.getUint16(2, little_endian),
    fd: view.getInt32(4, little_endian),
    off: view.getBigUint64(8, little_endian),
    addr: view.getBigUint64(16, little_endian),
    len: view.getUint32(24, little_endian),
    op_flags: view.getUint32(28, little_endian),
    user_data: view.getBigUint64(32, little_endian),
    buf_index: view.getUint16(40, little_endian),
    personality: view.getUint16(42, little_endian),
    file_index: view.getUint32(44, little_endian),
    addr3: view.getBigUint64(48, little_endian),
    pad2: view.getBigUint64(56, little_endian),
  };
}
