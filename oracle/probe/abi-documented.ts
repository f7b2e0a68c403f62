/**
 * What the headers of the released kernels fix. A probed value that no header knows is no other ABI but a
 * broken kernel: it is judged by the documented value, so that every case that meets it shows the difference.
 */
import { ABI_7_0 } from '../uapi/abi.ts';
import type { AbiProfile } from '../uapi/abi.ts';

/** A probed value that is not the documented one. */
export interface AbiOddity {
  readonly field: 'op_last' | 'register_last' | 'ctx_size' | 'filter_flags' | 'sqe_flags' | 'pdu_size';
  /** Opcode, for pdu_size. */
  readonly opcode?: number;
  readonly probed: number;
  readonly documented: number;
  /** True: a newer kernel may have grown so, and is judged by what was probed. False: judged by the documented value. */
  readonly accepted: boolean;
}

/** Upstream versions whose headers were read: linux/io_uring.h and linux/io_uring/bpf_filter.h of 7.0 to 7.3. */
export const DOCUMENTED_FROM = [7, 0] as const;
export const DOCUMENTED_TO = [7, 3] as const;

const CONNECT = 16;
/** Bytes of `connect` in struct io_uring_bpf_ctx, from 7.2 on. */
const CONNECT_PDU = 24;
const CONNECT_SINCE = [7, 2] as const;

/** "7.3.4+deb13" as 7003. */
function versionNumber(release: string): number {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return of([Number(major), Number(minor)]);
}

function of([major, minor]: readonly [number, number]): number {
  return major * 1000 + minor;
}

/** Documented payload size of an opcode, given what the kernel answered. */
function documentedPdu(opcode: number, probed: number, release: string): number {
  // A distribution may have it earlier.
  if (opcode === CONNECT) return probed === 0 && versionNumber(release) < of(CONNECT_SINCE) ? 0 : CONNECT_PDU;
  return ABI_7_0.pdu_size[opcode] ?? 0;
}

/** Where a release stands to the versions whose headers are known: -1 older, 0 among them, 1 newer. */
export function documentedRange(release: string): -1 | 0 | 1 {
  const version = versionNumber(release);
  if (version < of(DOCUMENTED_FROM)) return -1;
  return version > of(DOCUMENTED_TO) ? 1 : 0;
}

/**
 * The profile that a kernel is judged by, and what is odd about the probed one. Inside the documented versions every
 * field of the interface must be documented; an older kernel (a backport) may have fewer opcodes, a newer one more of everything.
 */
export function judgedAbi(probed: AbiProfile): { readonly abi: AbiProfile; readonly oddities: readonly AbiOddity[] } {
  const oddities: AbiOddity[] = [];
  const range = documentedRange(probed.release);
  const settle = (
    field: AbiOddity['field'],
    value: number,
    documented: number,
    grown: boolean,
    opcode?: number,
  ): number => {
    if (value === documented) return value;
    const accepted =
      (range === 1 && grown) ||
      (range === -1 && value < documented && (field === 'op_last' || field === 'register_last'));
    oddities.push({ field, ...(opcode === undefined ? {} : { opcode }), probed: value, documented, accepted });
    return accepted ? value : documented;
  };
  const op_last = settle('op_last', probed.op_last, ABI_7_0.op_last, probed.op_last > ABI_7_0.op_last);
  const abi: AbiProfile = {
    ...probed,
    op_last,
    register_last: settle(
      'register_last',
      probed.register_last,
      ABI_7_0.register_last,
      probed.register_last > ABI_7_0.register_last,
    ),
    ctx_size: settle('ctx_size', probed.ctx_size, ABI_7_0.ctx_size, probed.ctx_size > ABI_7_0.ctx_size),
    filter_flags: settle(
      'filter_flags',
      probed.filter_flags,
      ABI_7_0.filter_flags,
      (probed.filter_flags & ABI_7_0.filter_flags) === ABI_7_0.filter_flags && probed.filter_flags < 0x100,
    ),
    sqe_flags: settle(
      'sqe_flags',
      probed.sqe_flags,
      ABI_7_0.sqe_flags,
      (probed.sqe_flags & ABI_7_0.sqe_flags) === ABI_7_0.sqe_flags,
    ),
    pdu_size: Array.from({ length: op_last }, (_, opcode) => {
      // Where the probing ended early, the opcode count says it.
      const size = probed.pdu_size[opcode] ?? documentedPdu(opcode, 0, probed.release);
      const documented = documentedPdu(opcode, size, probed.release);
      return settle('pdu_size', size, documented, documented === 0, opcode);
    }),
  };
  return { abi, oddities };
}
