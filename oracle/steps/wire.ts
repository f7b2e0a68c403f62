/**
 * How steps travel to the runner: each kind is one operation with a fixed payload, described as data. Encoding is done
 * from this description, and the runner's structures are made from it (vm/protocol).
 */
import type { Writer } from '../scenario/writer.ts';
import type { AnyStep } from '../scenario/types.ts';

/** Types of the payload's fields, as the runner spells them. */
export type WireType = 'u32' | 's32' | 'u64';

/** A field of an operation's payload. */
export interface WireField {
  readonly name: string;
  readonly type: WireType;
  /** Entries, where it is an array. */
  readonly length?: number;
  /** Names of its values, where they are a list of the runner's own. */
  readonly values?: Readonly<Record<string, number>>;
  /** The runner uses it as an index: it must be less than this. */
  readonly below?: number;
}

/** Something of variable length behind the fields, until the end of the step. */
export interface WireTail {
  readonly name: string;
  /** Type and number of entries of one item. */
  readonly type: 'u8' | 'u64';
  readonly length?: number;
}

/**
 * An operation of the runner. Its payload follows `u8 op | u8 task | u16 0 | u32 length` and is padded with zeros to a
 * multiple of 8 bytes, before the tail as well.
 */
export interface Operation {
  /** u8, from 1. */
  readonly number: number;
  readonly name: string;
  readonly fields: readonly WireField[];
  readonly tail?: WireTail;
  /** What is reported, for the description of the protocol. */
  readonly answers: string;
}

/** A system call that the operation `call` makes. */
export interface SystemCall {
  /** From 1; a number of ours, the same on every architecture. */
  readonly number: number;
  readonly name: string;
}

/** What a payload is made of beside the step itself. One object serves all steps of a scenario. */
export interface WireContext {
  /** All steps of the scenario. */
  steps: readonly AnyStep[];
  /** CQEs to wait for. */
  wait: number;
  /** CQEs that may come in all. */
  want: number;
  /** How many of the awaited ones are of the step's own requests. */
  own: number;
}

/** How one kind of step is encoded. */
export interface Wire<S> {
  readonly operation: Operation;
  /** Set where the operation is a system call. */
  readonly call?: SystemCall;
  /** Writes the payload, tail included. There is room for 120 bytes. */
  encode(writer: Writer, step: S, context: WireContext): void;
}

/** A field and where its value comes from. */
export interface FilledField<S> {
  readonly type: 'u32' | 's32';
  readonly values?: Readonly<Record<string, number>>;
  readonly below?: number;
  readonly value: (step: S, context: WireContext) => number;
}

/** An unsigned field. */
export function u32<S>(value: FilledField<S>['value'], values?: FilledField<S>['values']): FilledField<S> {
  return { type: 'u32', value, ...(values === undefined ? {} : { values }) };
}

/** A field that the runner uses as an index: less than `below`. */
export function index<S>(below: number, value: FilledField<S>['value']): FilledField<S> {
  return { type: 'u32', value, below };
}

/** A signed field. */
export function s32<S>(value: FilledField<S>['value']): FilledField<S> {
  return { type: 's32', value };
}

/** An operation of its own whose payload are these fields, and a tail that `encode` writes. */
export function operation<S>(
  about: Pick<Operation, 'number' | 'name' | 'answers'>,
  filled: Readonly<Record<string, FilledField<S>>> = {},
  tail?: WireTail & { readonly encode: (writer: Writer, step: S) => void },
): Wire<S> {
  // Taken apart once: most of the encoder's time is spent here.
  const values = Object.values(filled).map(({ value }) => value);
  const writeTail = tail?.encode;
  const fields = Object.entries(filled).map(([name, { value: _value, ...field }]): WireField => ({ name, ...field }));
  const { encode: _encode, ...described } = tail ?? { encode: undefined };
  return {
    operation: { ...about, fields, ...(tail === undefined ? {} : { tail: described as WireTail }) },
    encode: (writer, step, context) => {
      // A negative number has the same 32 bits either way.
      for (let i = 0; i < values.length; i++) writer.u32(values[i]!(step, context));
      writer.pad();
      writeTail?.(writer, step);
    },
  };
}
