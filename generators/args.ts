/** Registration arguments: well-made ones, and ones that are off by one step. */
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { CMD_FILTER, FILTER_DENY_REST, FILTER_SZ_STRICT } from '../oracle/model/filter-registration.ts';
import { IORING_RESTRICTION } from '../oracle/uapi/constants.ts';
import type { Program } from '../oracle/bpf/program.ts';
import { ARENA_END, FD } from '../oracle/scenario/layout.ts';
import type {
  BpfArg,
  Placement,
  Restriction,
  RingRestrictionsArg,
  Target,
  TaskRestrictionsArg,
} from '../oracle/scenario/types.ts';
import type { Draw } from './draw.ts';
import { drawMask } from './variants.ts';

export { FILTER_DENY_REST };

/** struct io_uring_bpf as a careful caller fills it in. */
export function bpfArg(abi: AbiProfile, opcode: number, program: Program, flags = 0): BpfArg {
  return {
    cmd_type: CMD_FILTER,
    cmd_flags: 0,
    resv: 0,
    opcode,
    flags,
    filter_len: program.length,
    pdu_size: abi.pdu_size[opcode] ?? 0,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program,
    placement: 'normal',
    program_placement: 'normal',
  };
}

/** A bad pointer, or a good one in an odd place. */
export function drawPlacement(d: Draw): Placement {
  return d.weighted<Placement>([
    [3, 'page-end'],
    [3, 'straddle'],
    [2, 'read-only'],
    [2, { raw: 0n }],
    [1, { raw: 1n }],
    [1, { raw: 0xfffn }],
    [1, { raw: 0xffff_ffff_ffff_ffffn }],
    [1, { raw: 0xffff_ffff_ffff_f000n }],
    [1, { raw: BigInt(ARENA_END) }],
    [1, { raw: BigInt(ARENA_END) + 0xff8n }],
    // Not canonical on x86-64, above user space everywhere.
    [1, { raw: 0x8000_0000_0000_0000n }],
    [1, { raw: 0x1234_5678_0000_0000n }],
  ]);
}

/** A value other than 0: one bit for the most part, a whole byte, or any. @param bits 8, 16 or 32 */
export function stray(d: Draw, bits: number): number {
  return Number(drawMask(d, bits));
}

/** As stray, of 64 bits. */
const stray64 = (d: Draw): bigint => drawMask(d, 64);

type SpoilArg = (d: Draw, abi: AbiProfile, arg: BpfArg) => BpfArg;

const spoilPduSize: SpoilArg = (d, abi, arg) => {
  const size = abi.pdu_size[arg.opcode] ?? 0;
  return {
    ...arg,
    pdu_size: (d.chance(0.5) ? d.pick([size + 1, size - 1, 0, 4, 8, 12, 16, 24]) : size ^ stray(d, 8)) & 0xff,
    flags: arg.flags | d.pick([0, 0, FILTER_SZ_STRICT, FILTER_SZ_STRICT | FILTER_DENY_REST]),
  };
};
const movePlacement: SpoilArg = (d, _abi, arg) => ({ ...arg, placement: drawPlacement(d) });
const moveProgram: SpoilArg = (d, _abi, arg) => ({ ...arg, program_placement: drawPlacement(d) });

/** What may be off in struct io_uring_bpf, each as often as it stands here. */
const SPOILED_ARGS: readonly SpoilArg[] = [
  (d, _abi, arg) => ({ ...arg, cmd_type: d.chance(0.4) ? d.pick([0, 2, 3]) : arg.cmd_type ^ stray(d, 16) }),
  (d, _abi, arg) => ({ ...arg, cmd_flags: stray(d, 16) }),
  (d, _abi, arg) => ({ ...arg, resv: stray(d, 32) }),
  (d, { op_last: last }, arg) => ({
    ...arg,
    opcode: d.chance(0.5) ? d.pick([last, last, last + 1, last - 1]) : (arg.opcode ^ stray(d, 32)) >>> 0,
  }),
  (d, _abi, arg) => ({ ...arg, flags: (arg.flags ^ (d.chance(0.3) ? d.pick([4, 5, 6, 7]) : stray(d, 32))) >>> 0 }),
  (d, _abi, arg) => {
    const resvFilter: [number, number, number] = [0, 0, 0];
    resvFilter[d.below(3)] = stray(d, 8);
    return { ...arg, resv_filter: resvFilter };
  },
  (d, _abi, arg) => {
    const resv2: [bigint, bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n, 0n];
    resv2[d.below(5)] = stray64(d);
    return { ...arg, resv2 };
  },
  (d, _abi, arg) => {
    const { length } = arg.program;
    const lengths = [0, 0, 4097, 4096, length - 1, length + 1];
    return { ...arg, filter_len: (d.chance(0.5) ? d.pick(lengths) : length ^ stray(d, 32)) >>> 0 };
  },
  spoilPduSize,
  spoilPduSize,
  movePlacement,
  movePlacement,
  moveProgram,
  moveProgram,
  (d, _abi, arg) => ({
    ...arg,
    placement: 'page-end',
    program_placement: d.pick<Placement>(['page-end', 'straddle', 'normal']),
  }),
];

/** One field moved one step from what it should be. */
export function spoilBpfArg(d: Draw, abi: AbiProfile, arg: BpfArg): BpfArg {
  return d.pick(SPOILED_ARGS)(d, abi, arg);
}

/** An entry as a careful caller fills it in. */
export function restriction(opcode: number, value: number): Restriction {
  return { opcode, value, resv: 0, resv2: [0, 0, 0] };
}

/** One field of one entry moved one step. */
export function spoilRestriction(d: Draw, abi: AbiProfile, entry: Restriction): Restriction {
  switch (d.below(5)) {
    case 0:
      return { ...entry, opcode: d.chance(0.4) ? d.pick([4, 5]) : entry.opcode ^ stray(d, 16) };
    case 1:
      return {
        ...entry,
        opcode: IORING_RESTRICTION.SQE_OP,
        value: d.pick([abi.op_last, abi.op_last - 1, stray(d, 8), abi.op_last + 1]) & 0xff,
      };
    case 2:
      return {
        ...entry,
        opcode: IORING_RESTRICTION.REGISTER_OP,
        value: d.pick([abi.register_last, abi.register_last - 1, stray(d, 8), abi.register_last + 1]) & 0xff,
      };
    case 3:
      return { ...entry, resv: stray(d, 8) };
    default: {
      const resv2: [number, number, number] = [0, 0, 0];
      resv2[d.below(3)] = stray(d, 32);
      return { ...entry, resv2 };
    }
  }
}

/** The ring form as a careful caller fills it in. */
export function ringRestrictions(restrictions: readonly Restriction[]): RingRestrictionsArg {
  return { restrictions, placement: 'normal' };
}

/** The task form as a careful caller fills it in. */
export function taskRestrictions(restrictions: readonly Restriction[]): TaskRestrictionsArg {
  return { flags: 0, nr_res: restrictions.length, resv: [0, 0, 0], restrictions, placement: 'normal' };
}

/** One thing about the task form that is off. */
export function spoilTaskRestrictions(d: Draw, abi: AbiProfile, arg: TaskRestrictionsArg): TaskRestrictionsArg {
  switch (d.below(5)) {
    case 0:
      return { ...arg, flags: stray(d, 16) };
    case 1: {
      const resv: [number, number, number] = [0, 0, 0];
      resv[d.below(3)] = stray(d, 32);
      return { ...arg, resv };
    }
    case 2:
      return {
        ...arg,
        nr_res: d.pick([
          0,
          arg.restrictions.length + 1,
          4 + abi.op_last + abi.register_last,
          5 + abi.op_last + abi.register_last,
          arg.restrictions.length ^ stray(d, 16),
        ]),
      };
    case 3:
      return { ...arg, placement: drawPlacement(d) };
    default: {
      if (arg.restrictions.length === 0) return { ...arg, flags: 1 };
      const at = d.below(arg.restrictions.length);
      return {
        ...arg,
        restrictions: arg.restrictions.map((entry, i) => (i === at ? spoilRestriction(d, abi, entry) : entry)),
      };
    }
  }
}

/** nr_args that is not 1, the one that is right. */
export function oddCount(d: Draw): number {
  return d.chance(0.3) ? d.pick([0, 2, 3]) : (1 ^ stray(d, 32)) >>> 0;
}

/** A target that is no ring of the scenario. */
export function wrongTarget(d: Draw): Target {
  return d.weighted<Target>([
    [3, { kind: 'fd', fd: FD.closed }],
    [3, { kind: 'fd', fd: FD.file }],
    [1, { kind: 'fd', fd: FD.eventfd }],
    [1, { kind: 'fd', fd: -2 }],
    [1, { kind: 'fd', fd: -1 }],
    [1, { kind: 'fd', fd: 0x7fff_ffff }],
    [1, { kind: 'fd', fd: -0x8000_0000 }],
    [2, { kind: 'fd', fd: FD.closed ^ (stray(d, 32) & ~0x7f) }],
    [1, { kind: 'ring', ring: 15 }],
    [2, { kind: 'registered', index: d.pick([0, 1, 15, 16, -1, -2, stray(d, 32) | 0]) }],
  ]);
}
