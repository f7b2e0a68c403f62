/**
 * What the headers of the released kernels fix. A probed value that no header knows is no other ABI but a
 * broken kernel: it is judged by the documented value, so that every case that meets it shows the difference.
 */
import { opSpec, opSpecs } from '../opcodes/index.ts';
import type { OpRow } from '../opcodes/types.ts';
import { registerSpecs } from '../register/index.ts';
import type { RegisterSpec } from '../register/index.ts';
import { IORING_SETUP } from '../uapi/constants.ts';
import { OPEN_X86_64 } from '../uapi/abi.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { parseRelease } from '../uapi/release.ts';

/** A probed value that is not the documented one. */
export interface AbiOddity {
  readonly field: 'op_last' | 'register_last' | 'ctx_size' | 'filter_flags' | 'sqe_flags' | 'pdu_size';
  /** Opcode, for pdu_size. */
  readonly opcode?: number;
  readonly probed: number;
  readonly documented: number;
  /** True: a newer kernel may have grown so, and is judged by the probed value. False: judged by the documented one. */
  readonly accepted: boolean;
}

/** Upstream versions whose headers were read: linux/io_uring.h and linux/io_uring/bpf_filter.h of 7.0 to 7.3. */
const DOCUMENTED_FROM = '7.0';
const DOCUMENTED_TO = '7.3';

/** Orders releases by major and minor number: a candidate and a stable release have what their version has. */
function compareVersions(a: string, b: string): number {
  const [majorA, minorA] = parseRelease(a)?.numbers ?? [0, 0];
  const [majorB, minorB] = parseRelease(b)?.numbers ?? [0, 0];
  return majorA - majorB || minorA - minorB;
}

/** Whether a kernel of this release has what its `since` says; what is older than the filters all of them have. */
function has(release: string, { since }: { readonly since: string }): boolean {
  return compareVersions(since, DOCUMENTED_FROM) <= 0 || compareVersions(since, release) <= 0;
}

/** IORING_OP_LAST or IORING_REGISTER_LAST of a documented release. */
function last(specs: readonly (OpRow | RegisterSpec)[], release: string): number {
  return Math.max(...specs.filter((spec) => has(release, spec)).map(({ opcode }) => opcode)) + 1;
}

/** Documented payload size of an opcode, given what the kernel answered. */
function documentedPdu(opcode: number, probed: number, release: string): number {
  const payload = opSpec(opcode)?.payload;
  if (payload === undefined) return 0;
  // A distribution may have it earlier.
  return probed === 0 && !has(release, payload) ? 0 : payload.size;
}

/** The profile of Linux 7.0 on x86-64; the default of `explain` and of tests that need no kernel. */
export const ABI_7_0: AbiProfile = documentedAbi('7.0');

/** The profile of a documented release on x86-64, as its headers have it. */
export function documentedAbi(release: '7.0' | '7.1' | '7.2' | '7.3'): AbiProfile {
  return {
    release,
    machine: 'x86_64',
    little_endian: true,
    op_last: last(opSpecs, release),
    register_last: last(registerSpecs, release),
    ctx_size: 40,
    pdu_size: Array.from({ length: last(opSpecs, release) }, (_, opcode) => documentedPdu(opcode, 0, release)),
    filter_flags: 3,
    sqe_flags: 0x7f,
    setup_flags: Object.values(IORING_SETUP).reduce((all, flag) => all | flag, 0),
    nop_shows_fixed_file: release !== '7.0',
    bind_shows_async: true,
    pbuf_min_left: true,
    open_force_flags: 0o100000,
    open: OPEN_X86_64,
  };
}

/** Where a release stands to the versions whose headers are known: -1 older, 0 among them, 1 newer. */
export function documentedRange(release: string): -1 | 0 | 1 {
  if (compareVersions(release, DOCUMENTED_FROM) < 0) return -1;
  return compareVersions(release, DOCUMENTED_TO) > 0 ? 1 : 0;
}

/**
 * The profile that a kernel is judged by, and what is odd about the probed one. Inside the documented versions every
 * field of the interface must be documented; an older kernel (a backport) may have fewer opcodes, a newer one more of
 * everything.
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
  const documentedRegisters = last(registerSpecs, probed.release);
  const documentedOps = last(opSpecs, probed.release);
  const opLast = settle('op_last', probed.op_last, documentedOps, probed.op_last > documentedOps);
  const abi: AbiProfile = {
    ...probed,
    op_last: opLast,
    register_last: settle(
      'register_last',
      probed.register_last,
      documentedRegisters,
      probed.register_last > documentedRegisters,
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
    pdu_size: Array.from({ length: opLast }, (_, opcode) => {
      // Where the probing ended early, the opcode count says it.
      const size = probed.pdu_size[opcode] ?? documentedPdu(opcode, 0, probed.release);
      const documented = documentedPdu(opcode, size, probed.release);
      return settle('pdu_size', size, documented, documented === 0, opcode);
    }),
  };
  return { abi, oddities };
}
