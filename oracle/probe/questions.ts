/** What a kernel is asked to learn its ABI: steps whose answers tell sizes, bounds and flags. */
import type { Program, SockFilter } from '../bpf/program.ts';
import type { BpfArg } from '../scenario/types.ts';
import type { Step } from '../steps/index.ts';
import { IORING_RESTRICTION } from '../uapi/constants.ts';

/** A program that allows everything. */
export const ALLOW: Program = [{ code: 0x06, jt: 0, jf: 0, k: 1 }];

/** `ld [k]`. */
export function load(k: number): SockFilter {
  return { code: 0x20, jt: 0, jf: 0, k };
}

/** Makes a ring of the root task. */
export function makeRing(flags = 0, slot = 0, entries = 8): Step {
  return { task: 0, do: 'ring', ring: slot, entries, flags };
}

/** Registers a filter on ring 0: on NOP, allowing everything, unless `fields` says otherwise. */
export function registerFilter(fields: Partial<BpfArg>): Step {
  const program = fields.program ?? ALLOW;
  const arg: BpfArg = {
    cmd_type: 1,
    cmd_flags: 0,
    resv: 0,
    opcode: 0,
    flags: 0,
    filter_len: program.length,
    pdu_size: 0,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program,
    placement: 'normal',
    program_placement: 'normal',
    ...fields,
  };
  return { task: 0, do: 'register_bpf_filter', on: { kind: 'ring', ring: 0 }, nr_args: 1, arg };
}

/** Restricts a ring to one register opcode; fails on an opcode that does not exist. */
export function allowRegisterOp(value: number, slot = 0): Step {
  const entry = { opcode: IORING_RESTRICTION.REGISTER_OP, value, resv: 0, resv2: [0, 0, 0] } as const;
  return {
    task: 0,
    do: 'register_restrictions',
    on: { kind: 'ring', ring: slot },
    nr_args: 1,
    arg: { restrictions: [entry], placement: 'normal' },
  };
}
