/** Parts of ready-made io_uring_register calls. */
import { ARENA, ARENA_BASE, ARENA_END } from '../scenario/layout.ts';
import type { CallForm } from './spec.ts';

/** Where the argument of a ready-made call stands. */
export const ARGS = BigInt(ARENA_BASE + ARENA.args);

/** Little-endian structure: [size in bytes, value] pairs. The guests are little-endian. */
export function struct(...fields: readonly (readonly [1 | 2 | 4 | 8, number | bigint])[]): Uint8Array {
  const size = fields.reduce((sum, [width]) => sum + width, 0);
  const view = new DataView(new ArrayBuffer(size));
  let at = 0;
  for (const [width, value] of fields) {
    const bits = BigInt.asUintN(width * 8, BigInt(value));
    if (width === 8) view.setBigUint64(at, bits, true);
    else if (width === 4) view.setUint32(at, Number(bits), true);
    else if (width === 2) view.setUint16(at, Number(bits), true);
    else view.setUint8(at, Number(bits));
    at += width;
  }
  return new Uint8Array(view.buffer);
}

/** An array of 32-bit numbers. */
export const u32s = (...values: number[]): Uint8Array => struct(...values.map((value) => [4, value] as const));
/** An array of 64-bit numbers. */
export const u64s = (...values: (number | bigint)[]): Uint8Array =>
  struct(...values.map((value) => [8, value] as const));

/** A header and what it points at, one after the other in the argument area. */
export function after(header: Uint8Array, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(header.length + data.length);
  out.set(header);
  out.set(data, header.length);
  return out;
}

type Extra = Partial<Omit<CallForm, 'name' | 'nr_args'>>;

/** A call on a ring that needs no fixture, unless `extra` says otherwise. */
export function call(name: string, count: number, extra: Extra = {}): CallForm {
  return { name, on: 'ring', nr_args: count, fixtures: [], ...extra };
}

/** The argument itself, pointer or not. */
export const raw = (address: bigint): Extra => ({ raw_arg: address });
/** What the argument points at. */
export const argBytes = (argument: Uint8Array): Extra => ({ bytes: argument });
/** No argument. */
export const NULL = raw(0n);
/** A pointer to nowhere. */
export const UNMAPPED = raw(BigInt(ARENA_END));
/** Made without a ring. */
export const task = { on: 'task' } as const;
