/** struct io_uring_sqe (64 bytes) as bytes. Source: linux/io_uring.h. */
import type { Sqe } from './types.ts';

/** Reads an SQE from 64 bytes. */
export function decodeSqe(bytes: Uint8Array, littleEndian: boolean): Sqe {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 64);
  return {
    opcode: view.getUint8(0),
    flags: view.getUint8(1),
    ioprio: view.getUint16(2, littleEndian),
    fd: view.getInt32(4, littleEndian),
    off: view.getBigUint64(8, littleEndian),
    addr: view.getBigUint64(16, littleEndian),
    len: view.getUint32(24, littleEndian),
    op_flags: view.getUint32(28, littleEndian),
    user_data: view.getBigUint64(32, littleEndian),
    buf_index: view.getUint16(40, littleEndian),
    personality: view.getUint16(42, littleEndian),
    file_index: view.getUint32(44, littleEndian),
    addr3: view.getBigUint64(48, littleEndian),
    pad2: view.getBigUint64(56, littleEndian),
  };
}
