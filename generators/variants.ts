/**
 * Ready-made requests with a field changed in a bit, a byte or altogether, where the rules know the answer just as
 * well: so that every byte of every field of an SQE takes part, and a kernel that loses one is seen.
 */
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import type { Sqe } from '../oracle/scenario/types.ts';
import type { Draw } from './draw.ts';
import { knownRole } from './roles.ts';
import type { Role } from './roles.ts';

/** Fields of an SQE that requests are made of, and their bits; flags and user_data are drawn apart. */
export const FIELD_BITS = {
  ioprio: 16,
  fd: 32,
  off: 64,
  addr: 64,
  len: 32,
  op_flags: 32,
  buf_index: 16,
  personality: 16,
  file_index: 32,
  addr3: 64,
  pad2: 64,
} as const satisfies Partial<Record<keyof Sqe, number>>;

/** A field that can be changed. */
export type VariedField = keyof typeof FIELD_BITS;
const FIELDS = Object.keys(FIELD_BITS) as readonly VariedField[];

/** What is changed: a bit for the most part, a whole byte, or any bits. @param bits of the field */
export function drawMask(d: Draw, bits: number): bigint {
  switch (d.below(8)) {
    case 0:
      return BigInt(d.int(1, 0xff)) << BigInt(8 * d.below(bits >>> 3));
    case 1: {
      const word = (BigInt(d.u32()) << 32n) | BigInt(d.u32());
      return BigInt.asUintN(bits, word) || 1n;
    }
    default:
      return 1n << BigInt(d.below(bits));
  }
}

/** The SQE with some bits of a field turned. */
function turned(sqe: Sqe, field: VariedField, mask: bigint): Sqe {
  const value = BigInt.asUintN(FIELD_BITS[field], BigInt(sqe[field] ?? 0) ^ mask);
  if (FIELD_BITS[field] === 64) return { ...sqe, [field]: value };
  return { ...sqe, [field]: Number(field === 'fd' ? BigInt.asIntN(32, value) : value) };
}

const caches = new WeakMap<AbiProfile, Map<string, Role | undefined>>();

/** The role with some bits of a field turned; undefined where the rules do not know its answer. */
export function variantOf(role: Role, field: VariedField, mask: bigint, abi: AbiProfile): Role | undefined {
  let cache = caches.get(abi);
  if (cache === undefined) {
    cache = new Map();
    caches.set(abi, cache);
  }
  const key = `${role.opcode} ${role.form.name} ${field} ${mask}`;
  if (cache.has(key)) return cache.get(key);
  const made = make(role, field, mask, abi);
  cache.set(key, made);
  return made;
}

function make({ spec, form }: Role, field: VariedField, mask: bigint, abi: AbiProfile): Role | undefined {
  const name = `${form.name}~${field}^${mask.toString(16)}`;
  return knownRole(spec, { ...form, name, sqe: turned(form.sqe, field, mask) }, abi);
}

/** A variant of the role, or undefined when a few tries give none; what a filter sees of it is changed first. */
export function drawVariant(
  d: Draw,
  role: Role,
  abi: AbiProfile,
  fields: readonly VariedField[] = FIELDS,
): Role | undefined {
  for (let attempt = 0; attempt < 3; attempt++) {
    const field = d.pick(fields);
    const made = variantOf(role, field, drawMask(d, FIELD_BITS[field]), abi);
    if (made !== undefined) return made;
  }
  return undefined;
}
