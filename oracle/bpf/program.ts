/**
 * Classic-BPF programs as data: `struct sock_filter` of UAPI `linux/filter.h`
 * and its eight-byte memory form.
 */

/** One instruction, `struct sock_filter`. The field ranges are not checked here: the kernel takes any bytes. */
export interface SockFilter {
  /** Instruction code, u16. */
  readonly code: number;
  /** Jump offset when the condition holds, u8, counted from the next instruction. */
  readonly jt: number;
  /** Jump offset when the condition does not hold, u8, counted from the next instruction. */
  readonly jf: number;
  /** Multi-use operand, u32. */
  readonly k: number;
}

/** A program; never changed once built (the interpreter caches by identity). */
export type Program = readonly SockFilter[];

/** Largest number of instructions in a program (UAPI `linux/bpf_common.h`, BPF_MAXINSNS). */
export const BPF_MAXINSNS = 4096;
/** Number of scratch words (UAPI `linux/filter.h`, BPF_MEMWORDS). */
export const BPF_MEMWORDS = 16;
/** sizeof(struct sock_filter) in bytes. */
const SOCK_FILTER_SIZE = 8;

/**
 * The program as the bytes a caller hands to the kernel: 8 per instruction, in
 * the guest's byte order. Values outside their field's range are cut to it.
 */
export function encodeProgram(program: Program, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(program.length * SOCK_FILTER_SIZE);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { code, jt, jf, k } of program) {
    view.setUint16(at, code, littleEndian);
    view.setUint8(at + 2, jt);
    view.setUint8(at + 3, jf);
    view.setUint32(at + 4, k, littleEndian);
    at += SOCK_FILTER_SIZE;
  }
  return bytes;
}

/** What `decodeProgram` returns: the program, or one sentence saying what is wrong with the bytes. */
export type Decoded = { readonly ok: true; readonly program: Program } | { readonly ok: false; readonly error: string };

/** Reads raw bytes back; fails only when their number is not a multiple of 8. */
export function decodeProgram(bytes: Uint8Array, littleEndian: boolean): Decoded {
  if (bytes.length % SOCK_FILTER_SIZE !== 0) {
    return {
      ok: false,
      error: `${bytes.length} bytes are not a whole number of ${SOCK_FILTER_SIZE}-byte instructions`,
    };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const program: SockFilter[] = [];
  for (let at = 0; at < bytes.length; at += SOCK_FILTER_SIZE) {
    program.push({
      code: view.getUint16(at, littleEndian),
      jt: view.getUint8(at + 2),
      jf: view.getUint8(at + 3),
      k: view.getUint32(at + 4, littleEndian),
    });
  }
  return { ok: true, program };
}
