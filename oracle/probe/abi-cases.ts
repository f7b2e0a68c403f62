/** Cases that show what is odd about a kernel's ABI: run first, judged like any other. */
import { opName } from '../opcodes/index.ts';
import type { Scenario, Step } from '../steps/index.ts';
import { IORING_SETUP } from '../uapi/constants.ts';
import type { AbiOddity } from './abi-documented.ts';
import { FILTER_SZ_STRICT } from '../model/filter-registration.ts';
import { ALLOW, allowRegisterOp, load, makeRing, registerFilter } from './questions.ts';

function bits(mask: number): number[] {
  return Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0).filter((flag) => (mask & flag) !== 0);
}

/** Steps on whose answers the probed and the documented value disagree. */
function steps({ field, opcode = 0, probed, documented }: AbiOddity): Step[] {
  const first = Math.min(probed, documented);
  switch (field) {
    case 'op_last':
      return [makeRing(), registerFilter({ opcode: first })];
    case 'register_last':
      return [makeRing(IORING_SETUP.R_DISABLED), allowRegisterOp(first)];
    case 'ctx_size':
      return [makeRing(), registerFilter({ program: [load(first), ...ALLOW] })];
    case 'filter_flags':
      return [makeRing(), ...bits(probed ^ documented).map((flags) => registerFilter({ flags }))];
    case 'sqe_flags':
      return bits(probed ^ documented).flatMap((flags, slot): Step[] => [
        makeRing(0, slot),
        { task: 0, do: 'submit', ring: slot, sqes: [{ opcode: 0, flags, user_data: 1n }] },
      ]);
    case 'pdu_size':
      return [makeRing(), registerFilter({ opcode, flags: FILTER_SZ_STRICT, pdu_size: documented })];
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
