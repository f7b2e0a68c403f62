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

const bit = (d: Draw, bits: number): number => (1 << d.below(bits)) >>> 0;

type SpoilArg = (d: Draw, abi: AbiProfile, arg: BpfArg) => BpfArg;

const spoilPduSize: SpoilArg = (d, abi, arg) => {
  const size = abi.pdu_size[arg.opcode] ?? 0;
  return {
    ...arg,
    pdu_size: d.pick([size + 1, size - 1, 0, 4, 8, 12, 16, 24, 0x80, 0xff]) & 0xff,
    flags: arg.flags | (d.chance(0.5) ? FILTER_SZ_STRICT : 0),
  };
};
const movePlacement: SpoilArg = (d, _abi, arg) => ({ ...arg, placement: drawPlacement(d) });
const moveProgram: SpoilArg = (d, _abi, arg) => ({ ...arg, program_placement: drawPlacement(d) });

/** What may be off in struct io_uring_bpf, each as often as it stands here. */
const SPOILED_ARGS: readonly SpoilArg[] = [
  (d, _abi, arg) => ({ ...arg, cmd_type: d.pick([0, 2, 3, 0x101, 0xffff, 0x8001]) }),
  (d, _abi, arg) => ({ ...arg, cmd_flags: d.chance(0.5) ? bit(d, 16) : 0xffff }),
  (d, _abi, arg) => ({ ...arg, resv: d.chance(0.5) ? bit(d, 32) : d.edge32() }),
  (d, { op_last: last }, arg) => ({
    ...arg,
    opcode: d.chance(0.3)
      ? (bit(d, 32) | arg.opcode) >>> 0
      : d.pick([last, last, last + 1, last - 1, 0xff, 0x100, 0x1_0000, 0x8000_0000, 0xffff_ffff]),
  }),
  (d, _abi, arg) => ({ ...arg, flags: d.pick([4, 8, 0x10, 0x8000_0000, 0xffff_ffff, 5, 6, 7, bit(d, 32)]) }),
  (d, _abi, arg) => {
    const resvFilter: [number, number, number] = [0, 0, 0];
    resvFilter[d.below(3)] = d.pick([1, 0x80, 0xff]);
    return { ...arg, resv_filter: resvFilter };
  },
  (d, _abi, arg) => {
    const resv2: [bigint, bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n, 0n];
    resv2[d.below(5)] = d.pick([1n, 1n << 63n, 1n << 32n, 0xffff_ffff_ffff_ffffn]);
    return { ...arg, resv2 };
  },
  (d, _abi, arg) => {
    const { length } = arg.program;
    // The last ones look right to who takes 16 bits of them.
    const lengths = [0, 0, 4097, 4096, 0x1_0000, 0x8000_0000, 0xffff_ffff, length - 1, length + 1];
    lengths.push(0x1_0000 + length, 0x8000_0000 + length);
    return { ...arg, filter_len: d.pick(lengths) >>> 0 };
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
      return { ...entry, opcode: d.pick([4, 5, 0x100, 0x8000, 0xffff, 0x100 | entry.opcode, 0x8000 | entry.opcode]) };
    case 1:
      return {
        ...entry,
        opcode: IORING_RESTRICTION.SQE_OP,
        value: d.pick([abi.op_last, abi.op_last - 1, 0xff, abi.op_last + 1]) & 0xff,
      };
    case 2:
      return {
        ...entry,
        opcode: IORING_RESTRICTION.REGISTER_OP,
        value: d.pick([abi.register_last, abi.register_last - 1, 0xff, abi.register_last + 1]) & 0xff,
      };
    case 3:
      return { ...entry, resv: d.pick([1, 0xff]) };
    default: {
      const resv2: [number, number, number] = [0, 0, 0];
      resv2[d.below(3)] = d.pick([1, 0x8000_0000, 0xffff_ffff]);
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
      return { ...arg, flags: d.pick([bit(d, 16), bit(d, 16), 0xffff]) };
    case 1: {
      const resv: [number, number, number] = [0, 0, 0];
      resv[d.below(3)] = d.pick([bit(d, 32), bit(d, 32), 0xffff_ffff]);
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
          0xffff,
          0x100 + arg.restrictions.length,
          0x8000 + arg.restrictions.length,
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
  return d.pick([0, 0, 2, 3, 0x101, 0x1_0000, 0x1_0001, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff]);
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
    [1, { kind: 'ring', ring: 15 }],
    [2, { kind: 'registered', index: d.pick([0, 1, 15, 16, -1, -2, 0x7fff_ffff]) }],
  ]);
}
