/** Cases that show what is odd about a kernel's ABI: run first, judged like any other. */
import type { AbiOddity } from './abi-documented.ts';
import { opName } from '../opcodes/index.ts';
import type { BpfArg } from '../scenario/types.ts';
import type { Scenario, Step } from '../steps/index.ts';
import type { RingStep } from '../steps/kind/ring.ts';

const RING: RingStep = { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 };
const R_DISABLED = 1 << 6;
const SZ_STRICT = 2;
const RET_1 = { code: 0x06, jt: 0, jf: 0, k: 1 };

function register(fields: Partial<BpfArg>): Step {
  const program = fields.program ?? [RET_1];
  return {
    task: 0,
    do: 'register_bpf_filter',
    on: { kind: 'ring', ring: 0 },
    nr_args: 1,
    arg: {
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
    },
  };
}

function bits(mask: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0).filter((flag) => (mask & flag) !== 0);
}

/** Steps on whose answers the probed and the documented value disagree. */
function steps({ field, opcode = 0, probed, documented }: AbiOddity): Step[] {
  const first = Math.min(probed, documented);
  switch (field) {
    case 'op_last':
      return [RING, register({ opcode: first })];
    case 'register_last':
      return [
        { ...RING, flags: R_DISABLED },
        {
          task: 0,
          do: 'register_restrictions',
          on: { kind: 'ring', ring: 0 },
          nr_args: 1,
          arg: { restrictions: [{ opcode: 0, value: first, resv: 0, resv2: [0, 0, 0] }], placement: 'normal' },
        },
      ];
    case 'ctx_size':
      return [RING, register({ program: [{ code: 0x20, jt: 0, jf: 0, k: first }, RET_1] })];
    case 'filter_flags':
      return [RING, ...bits(probed ^ documented).map((flags) => register({ flags }))];
    case 'sqe_flags':
      return bits(probed ^ documented).flatMap((flags, slot): Step[] => [
        { ...RING, ring: slot },
        { task: 0, do: 'submit', ring: slot, sqes: [{ opcode: 0, flags, user_data: 1n }] },
      ]);
    case 'pdu_size':
      return [RING, register({ opcode, flags: SZ_STRICT, pdu_size: documented })];
  }
}

/** The case of one oddity. */
export function abiCase(oddity: AbiOddity): Scenario {
  return { version: 1, suite: 'arguments', fixtures: [], jit: true, steps: steps(oddity) };
}

/** One line for people. */
export function oddityText({ field, opcode, probed, documented, accepted }: AbiOddity): string {
  const what = field === 'pdu_size' ? `pdu_size of ${opName(opcode ?? 0)}` : field;
  const judged = accepted ? 'taken as it is, for another version of Linux' : 'judged by the headers';
  return `${what} is ${probed}, where the headers of Linux 7.0 to 7.3 have ${documented}: ${judged}`;
}
