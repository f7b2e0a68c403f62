/** Requests with something wrong: a bit where there must be none, a bad pointer, a flag too many; often two at once. */
import { initCheck, opSpec } from '../oracle/opcodes/index.ts';
import type { SqeFields } from '../oracle/opcodes/types.ts';
import { ARENA_END } from '../oracle/scenario/layout.ts';
import type { Sqe } from '../oracle/scenario/types.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { IOSQE } from '../oracle/uapi/constants.ts';
import type { Draw, Weighted } from './draw.ts';
import { formContext } from './roles.ts';
import type { Role } from './roles.ts';

/** Members that some opcode wants to be zero, or looks at bit by bit, and how wide they are. */
const NARROW = { ioprio: 16, fd: 32, len: 32, op_flags: 32, buf_index: 16, personality: 16, file_index: 32 } as const;
const WIDE = ['off', 'addr', 'addr3', 'pad2'] as const;
const NARROW_NAMES = Object.keys(NARROW) as (keyof typeof NARROW)[];

/** Nothing is mapped there, for one reason or another. */
const BAD_POINTERS: readonly bigint[] = [0n, 1n, BigInt(ARENA_END), 1n << 63n, (1n << 64n) - 1n];

type Fault = 'bit' | 'pointer' | 'flag' | 'ioprio' | 'personality';
const FAULTS: Weighted<Fault> = [
  [6, 'bit'],
  [1, 'pointer'],
  [2, 'flag'],
  [1, 'ioprio'],
  [1, 'personality'],
];
/** How many things are wrong: with two it shows which is looked at first. */
const COUNTS: Weighted<number> = [
  [5, 1],
  [4, 2],
  [1, 3],
];

/** One more thing wrong with a request. */
function wrong(d: Draw, sqe: Sqe): SqeFields {
  switch (d.weighted(FAULTS)) {
    case 'bit': {
      if (d.chance(0.6)) {
        const name = d.pick(NARROW_NAMES);
        const value = ((sqe[name] ?? 0) ^ (1 << d.below(NARROW[name]))) >>> 0;
        return { [name]: name === 'fd' ? value | 0 : value };
      }
      const name = d.pick(WIDE);
      return { [name]: (sqe[name] ?? 0n) ^ (1n << BigInt(d.below(64))) };
    }
    case 'pointer':
      return { [d.pick(['off', 'addr'] as const)]: d.pick(BAD_POINTERS) };
    case 'flag':
      return { flags: (sqe.flags ?? 0) ^ d.pick([0x80, IOSQE.BUFFER_SELECT, IOSQE.FIXED_FILE]) };
    case 'ioprio':
      return { ioprio: 1 << d.below(16) };
    case 'personality':
      return { personality: d.pick([1, 2, 0x101, 1 << d.below(16)]) };
  }
}

/**
 * A request of this role with one to three things wrong, so that it is refused before filters are asked, whatever else
 * happens; undefined where a few tries come to nothing.
 * @param flags IOSQE bits that it carries
 * @param setupFlags of the ring that it is meant for
 */
export function spoil(d: Draw, abi: AbiProfile, role: Role, flags: number, setupFlags: number): Sqe | undefined {
  for (let attempt = 0; attempt < 4; attempt++) {
    let sqe: Sqe = { ...role.form.sqe, flags };
    for (let n = d.weighted(COUNTS); n > 0; n--) sqe = { ...sqe, ...wrong(d, sqe) };
    if (isRefused(sqe, abi, role, setupFlags)) return sqe;
  }
  return undefined;
}

function isRefused(sqe: Sqe, abi: AbiProfile, { form }: Role, setupFlags: number): boolean {
  const context = formContext({ ...form, sqe }, abi, setupFlags);
  // A personality may have been registered by then.
  return (
    !initCheck({ ...context, sqe: { ...context.sqe, personality: 0 } }).ok ||
    opSpec(sqe.opcode)?.prep(context).ok === false
  );
}
