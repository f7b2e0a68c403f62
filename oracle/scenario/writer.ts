/** Bytes for the guest, as one growing piece. */
import type { Sqe } from './types.ts';

/** Largest frame the guest takes, bytes. */
export const MAX_FRAME = 1 << 20;

/** Grows as needed and is used for every scenario: most of the time of an encoder is its allocations. */
export class Writer {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  /** Bytes written so far. */
  at = 0;
  /** Little-endian. */
  le = true;

  /** Begins anew in the byte order of the guest. */
  start(littleEndian: boolean): void {
    this.#bytes.fill(0, 0, this.at);
    this.at = 0;
    this.le = littleEndian;
  }

  /** Makes room for `size` more bytes, all zero. */
  room(size: number): void {
    const need = this.at + size;
    if (need <= this.#bytes.length) return;
    if (need > 4 * MAX_FRAME)
      throw new RangeError(`a scenario of more than ${MAX_FRAME} bytes does not fit in a frame`);
    const grown = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.#view.setUint8(this.at, value);
    this.at += 1;
  }

  u16(value: number): void {
    this.#view.setUint16(this.at, value, this.le);
    this.at += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.at, value, this.le);
    this.at += 4;
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.at, value, this.le);
    this.at += 8;
  }

  /** A number at a place that was left for it. */
  u32At(offset: number, value: number): void {
    this.#view.setUint32(offset, value, this.le);
  }

  /** Bytes, padded with zeros to a multiple of 8. */
  padded(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.at);
    this.at += (bytes.length + 7) & ~7;
  }

  /** struct io_uring_sqe: 64 bytes, of which absent fields stay zero. */
  sqe(sqe: Sqe): void {
    const view = this.#view;
    const { at, le } = this;
    view.setUint8(at, sqe.opcode);
    if (sqe.flags !== undefined) view.setUint8(at + 1, sqe.flags);
    if (sqe.ioprio !== undefined) view.setUint16(at + 2, sqe.ioprio, le);
    if (sqe.fd !== undefined) view.setInt32(at + 4, sqe.fd, le);
    if (sqe.off !== undefined) view.setBigUint64(at + 8, sqe.off, le);
    if (sqe.addr !== undefined) view.setBigUint64(at + 16, sqe.addr, le);
    if (sqe.len !== undefined) view.setUint32(at + 24, sqe.len, le);
    if (sqe.op_flags !== undefined) view.setUint32(at + 28, sqe.op_flags, le);
    if (sqe.user_data !== undefined) view.setBigUint64(at + 32, sqe.user_data, le);
    if (sqe.buf_index !== undefined) view.setUint16(at + 40, sqe.buf_index, le);
    if (sqe.personality !== undefined) view.setUint16(at + 42, sqe.personality, le);
    if (sqe.file_index !== undefined) view.setUint32(at + 44, sqe.file_index, le);
    if (sqe.addr3 !== undefined) view.setBigUint64(at + 48, sqe.addr3, le);
    if (sqe.pad2 !== undefined) view.setBigUint64(at + 56, sqe.pad2, le);
    this.at = at + 64;
  }

  /** Steps over zeros to the next multiple of 8. */
  pad(): void {
    this.at = (this.at + 7) & ~7;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.at);
  }
}
