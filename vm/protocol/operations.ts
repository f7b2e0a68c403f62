/** What the runner must be able to do: the operations and system calls that the kinds of steps are made of. */
import { STEPS } from '../../oracle/steps/index.ts';
import type { Operation, SystemCall, WireField, WireTail } from '../../oracle/steps/wire.ts';
import { TYPE_SIZE } from './table.ts';

const WIRES = Object.values(STEPS).map(({ wire }) => wire);

/** The operations, by number. */
export const OPERATIONS: readonly Operation[] = numbered(WIRES.map(({ operation }) => operation));

/** The system calls of operation `call`, by number. */
export const SYSTEM_CALLS: readonly SystemCall[] = numbered(
  WIRES.flatMap(({ call }) => (call === undefined ? [] : [call])),
);

/**
 * By number, each once.
 * @throws Error when two have one number, or one has two
 */
function numbered<T extends { readonly number: number; readonly name: string }>(all: readonly T[]): readonly T[] {
  const byNumber = new Map(all.map((one) => [one.number, one]));
  const names = new Map<string, number>();
  for (const { number, name } of all) {
    if (byNumber.get(number)?.name !== name || (names.get(name) ?? number) !== number)
      throw new Error(`number ${number} and the name ${name} do not belong to each other alone`);
    names.set(name, number);
  }
  return [...byNumber.values()].sort((a, b) => a.number - b.number);
}

/** Fields of an operation's payload, with the one that fills it to a multiple of 8 bytes. */
export function payloadOf({ fields }: Operation): readonly WireField[] {
  const size = fields.reduce((sum, { type, length = 1 }) => sum + TYPE_SIZE[type] * length, 0);
  return size % 8 === 0 ? fields : [...fields, { name: 'zero', type: 'u32' }];
}

/** Names of a field's values where they are numbers from 0 on; undefined where they are bits, or there are none. */
export function choicesOf({ values }: WireField): readonly string[] | undefined {
  if (values === undefined) return undefined;
  const names = Object.entries(values)
    .sort(([, a], [, b]) => a - b)
    .map(([name]) => name);
  return names.every((name, i) => values[name] === i) ? names : undefined;
}

/** The field that counts the items of the tail, where they are all of one size, and that size in bytes. */
export function countOf({ fields, tail }: Operation): { readonly field: string; readonly size: number } | undefined {
  if (tail?.length === undefined) return undefined;
  const field = `n${tail.name}`;
  return fields.some(({ name }) => name === field) ? { field, size: itemSize(tail) } : undefined;
}

function itemSize({ type, length = 1 }: WireTail): number {
  return TYPE_SIZE[type] * length;
}
