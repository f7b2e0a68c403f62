/** Arguments of io_uring_register opcodes that scenarios need beside the feature's own. */
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { RING_FD } from '../oracle/scenario/layout.ts';
import { OP } from '../oracle/opcodes/index.ts';

/** struct io_uring_rsrc_update for IORING_REGISTER_RING_FDS: registers ring `slot` at `index`. */
export function ringFdUpdate(abi: AbiProfile, slot: number, index: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, index, abi.little_endian);
  view.setBigUint64(8, BigInt(RING_FD + slot), abi.little_endian);
  return bytes;
}

/** The SQE of a message to ring `slot`, as IORING_REGISTER_SEND_MSG_RING takes it. */
export function messageSqe(abi: AbiProfile, slot: number, res: number, userData: bigint): Uint8Array {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, OP.MSG_RING);
  view.setInt32(4, RING_FD + slot, abi.little_endian);
  view.setBigUint64(8, userData, abi.little_endian);
  view.setUint32(24, res >>> 0, abi.little_endian);
  return bytes;
}

/** struct io_uring_params as IORING_REGISTER_RESIZE_RINGS takes it: sizes of the queues, and IORING_SETUP_* flags. */
export function resizeParams(abi: AbiProfile, sq: number, cq = 0, flags = 0): Uint8Array {
  const bytes = new Uint8Array(120);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, sq, abi.little_endian);
  view.setUint32(4, cq, abi.little_endian);
  view.setUint32(8, flags, abi.little_endian);
  return bytes;
}

/** struct io_uring_clone_buffers: all buffers of the ring in `slot`. */
export function cloneBuffers(abi: AbiProfile, slot: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setUint32(0, RING_FD + slot, abi.little_endian);
  return bytes;
}
