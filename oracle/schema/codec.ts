/**
 * A small schema language: each codec reads JSON strictly, writes it with
 * defaults left out, and says what it takes as JSON schema (2020-12), so that
 * the three cannot drift apart.
 */

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
/** A JSON schema. */
export type JsonSchema = { readonly [key: string]: Json };

/** Reads and writes values of one type. */
export interface Codec<T> {
  /** The value; throws a `DecodeError` that names the place and what was expected there. */
  readonly decode: (value: unknown, at: string) => T;
  readonly encode: (value: T) => Json;
  readonly schema: JsonSchema;
}

/** Something in the JSON that is not as expected; never leaves `fromJson`. */
export class DecodeError extends Error {
  constructor(at: string, problem: string) {
    super(at === '' ? problem : `${at}: ${problem}`);
  }
}

/** Throws a DecodeError about a value. */
export function expected(at: string, what: string, found: unknown): never {
  throw new DecodeError(at, `expected ${what}, found ${show(found)}`);
}

/** A value as a short text for a message. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

/** An integer from min to max; where the range is that of whole hex digits a "0x" string is taken as well. */
export function int(min: number, max: number, what = `an integer from ${min} to ${max}`): Codec<number> {
  const digits = Math.log2(max + 1) / 4;
  const hex = min === 0 && Number.isInteger(digits) ? `^0[xX][0-9a-fA-F]{1,${digits}}$` : undefined;
  const pattern = hex === undefined ? undefined : new RegExp(hex);
  const number: JsonSchema = { type: 'integer', minimum: min, maximum: max };
  return {
    decode: (value, at) => {
      const read = typeof value === 'string' && pattern?.test(value) === true ? Number(value) : value;
      if (typeof read !== 'number' || !Number.isInteger(read) || read < min || read > max)
        return expected(at, what, value);
      return read + 0; // -0 becomes 0
    },
    encode: (value) => value,
    schema: hex === undefined ? number : { anyOf: [number, { type: 'string', pattern: hex }] },
  };
}

/** An unsigned 8-bit number. */
export const u8 = int(0, 0xff);
/** An unsigned 16-bit number. */
export const u16 = int(0, 0xffff);
/** An unsigned 32-bit number. */
export const u32 = int(0, 0xffff_ffff);
/** A signed 32-bit number. */
export const s32 = int(-0x8000_0000, 0x7fff_ffff);

/** One number and no other. */
export function constant<const N extends number>(number: N, what: string): Codec<N> {
  return {
    decode: (value, at) => (value === number ? number : expected(at, what, value)),
    encode: (value) => value,
    schema: { const: number },
  };
}

const U64_MAX = (1n << 64n) - 1n;

/** An unsigned 64-bit number: a "0x" string, a decimal string, or an integer that JSON carries exactly. */
export const u64: Codec<bigint> = {
  decode: (value, at) => {
    let number = -1n;
    if (typeof value === 'number' && Number.isSafeInteger(value)) number = BigInt(value);
    else if (typeof value === 'string' && /^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(value)) number = BigInt(value);
    if (number < 0n || number > U64_MAX) return expected(at, 'a 64-bit number as "0x..." string', value);
    return number;
  },
  encode: (value) => `0x${value.toString(16)}`,
  schema: {
    anyOf: [
      { type: 'string', pattern: '^(0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20})$' },
      { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
    ],
  },
};

/** True or false. */
export const boolean: Codec<boolean> = {
  decode: (value, at) => (typeof value === 'boolean' ? value : expected(at, 'true or false', value)),
  encode: (value) => value,
  schema: { type: 'boolean' },
};

/** A text of up to `max` UTF-16 units that `pattern` matches. */
export function text(max: number, pattern: RegExp = /^/, what = `a text of at most ${max} characters`): Codec<string> {
  return {
    decode: (value, at) =>
      typeof value === 'string' && value.length <= max && pattern.test(value) ? value : expected(at, what, value),
    encode: (value) => value,
    schema: { type: 'string', maxLength: max, ...(pattern.source === '^' ? {} : { pattern: pattern.source }) },
  };
}

/** What is true, or absent. */
export const yes: Codec<true> = {
  decode: (value, at) => (value === true ? value : expected(at, 'true', value)),
  encode: (value) => value,
  schema: { const: true },
};

/** One of a few words. */
export function word<const W extends string>(...words: readonly W[]): Codec<W> {
  return {
    decode: (value, at) =>
      (words as readonly unknown[]).includes(value) ? (value as W) : expected(at, `one of ${words.join(', ')}`, value),
    encode: (value) => value,
    schema: { enum: words },
  };
}

/** Bytes as hex digits. */
export function bytes(max: number): Codec<Uint8Array> {
  const what = `at most ${max} bytes as hex digits`;
  return {
    decode: (value, at) => {
      if (typeof value !== 'string' || value.length % 2 !== 0 || value.length > 2 * max || !/^[0-9a-f]*$/i.test(value))
        return expected(at, what, value);
      return Uint8Array.from(value.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
    },
    encode: (value) => Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join(''),
    schema: { type: 'string', pattern: '^([0-9a-fA-F]{2})*$', maxLength: 2 * max },
  };
}

/** An array with at most `max` items, and at least `min`, which is 0 or `max`. */
export function list<T>(item: Codec<T>, max: number, min = 0): Codec<readonly T[]> {
  const what = min === max ? `an array of ${min}` : `an array of at most ${max}`;
  return {
    decode: (value, at) => {
      if (!Array.isArray(value) || value.length < min || value.length > max) return expected(at, what, value);
      return value.map((entry, i) => item.decode(entry, `${at}[${i}]`));
    },
    encode: (value) => value.map(item.encode),
    schema: { type: 'array', items: item.schema, maxItems: max, ...(min === 0 ? {} : { minItems: min }) },
  };
}

/** A number that also goes by a name; `prefix` (of the header) may stand before the name. */
export function named(
  names: ReadonlyMap<number, string>,
  number: Codec<number>,
  prefix: string,
  what: string,
): Codec<number> {
  const numbers = new Map([...names].map(([value, name]) => [name, value]));
  return {
    decode: (value, at) => {
      if (typeof value !== 'string' || /^0x/i.test(value)) return number.decode(value, at);
      return numbers.get(value.startsWith(prefix) ? value.slice(prefix.length) : value) ?? expected(at, what, value);
    },
    encode: (value) => names.get(value) ?? number.encode(value),
    schema: { anyOf: [number.schema, { type: 'string', pattern: `^(${prefix})?(${[...numbers.keys()].join('|')})$` }] },
  };
}

/** A mask: a number, or names and "0x" numbers joined by "|". */
export function flags(names: Readonly<Record<string, number>>, number: Codec<number>, prefix: string): Codec<number> {
  const bits = Object.entries(names);
  const alternatives = `((${prefix})?(${bits.map(([name]) => name).join('|')})|0[xX][0-9a-fA-F]{1,8})`;
  const what = `${prefix} flags such as "${bits
    .slice(0, 2)
    .map(([name]) => name)
    .join('|')}", or a number`;
  return {
    decode: (value, at) => {
      if (typeof value !== 'string') return number.decode(value, at);
      let mask = 0;
      for (const part of value.split('|')) {
        const name = part.startsWith(prefix) ? part.slice(prefix.length) : part;
        const bit = Object.hasOwn(names, name)
          ? names[name]!
          : /^0x[0-9a-f]{1,8}$/i.test(part)
            ? Number(part)
            : expected(at, what, value);
        mask = (mask | bit) >>> 0;
      }
      return number.decode(mask, at);
    },
    encode: (value) => (value === 0 ? 0 : flagText(names, value)),
    schema: { anyOf: [number.schema, { type: 'string', pattern: `^${alternatives}(\\|${alternatives})*$` }] },
  };
}

/** A mask as names joined by "|", bits without a name as one "0x" number; "0" for none. */
export function flagText(names: Readonly<Record<string, number>>, mask: number): string {
  const parts: string[] = [];
  let rest = mask >>> 0;
  for (const [name, bit] of Object.entries(names)) {
    if ((rest & bit) >>> 0 !== bit >>> 0) continue;
    parts.push(name);
    rest = (rest & ~bit) >>> 0;
  }
  if (rest !== 0 || parts.length === 0) parts.push(rest === 0 ? '0' : `0x${rest.toString(16)}`);
  return parts.join('|');
}

/** One member of an object. */
export interface Field<T> {
  readonly codec: Codec<T>;
  readonly required: boolean;
  /** The value of an absent member, from the members before it; undefined: the member stays absent. */
  readonly absent?: (before: Readonly<Record<string, unknown>>) => T | undefined;
  readonly doc: string;
}

/** A member that must be there. */
export function required<T>(codec: Codec<T>, doc = ''): Field<T> {
  return { codec, required: true, doc };
}

/** A member with a default, a constant or a function of the members before it. */
export function withDefault<T>(
  codec: Codec<T>,
  value: T | ((before: Readonly<Record<string, unknown>>) => T),
  doc = '',
): Field<T> {
  if (typeof value === 'function')
    return { codec, required: false, absent: value as (before: Readonly<Record<string, unknown>>) => T, doc };
  return {
    codec: { ...codec, schema: { ...codec.schema, default: codec.encode(value) } },
    required: false,
    absent: () => value,
    doc,
  };
}

/** A member that may be missing. */
export function maybe<T>(codec: Codec<T>, doc = ''): Field<T> {
  return { codec, required: false, doc };
}

type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

/** The member, its default, or undefined; `before`: the members before it. */
function decodeMember(
  { codec, required, absent }: Field<unknown>,
  name: string,
  source: Readonly<Record<string, unknown>>,
  at: string,
  before: Readonly<Record<string, unknown>>,
): unknown {
  if (Object.hasOwn(source, name)) return codec.decode(source[name], at === '' ? name : `${at}.${name}`);
  if (required) throw new DecodeError(at, `the field ${show(name)} is missing`);
  return absent?.(before);
}

/** An object with these members and no others. Members whose value is their default are not written. */
export function record<T extends object>(fields: Fields<T>): Codec<T> {
  const entries = Object.entries(fields) as [string, Field<unknown>][];
  const same = (a: Json, b: Json): boolean => JSON.stringify(a) === JSON.stringify(b);
  return {
    decode: (value, at) => {
      const source = asObject(value, at);
      for (const key of Object.keys(source))
        if (!Object.hasOwn(fields, key))
          throw new DecodeError(at, `unknown field ${show(key)}; known are ${Object.keys(fields).join(', ')}`);
      const out: Record<string, unknown> = {};
      for (const [name, field] of entries) {
        const member = decodeMember(field, name, source, at, out);
        if (member !== undefined) out[name] = member;
      }
      return out as T;
    },
    encode: (value) => {
      const out: Record<string, Json> = {};
      const source = value as Readonly<Record<string, unknown>>;
      for (const [name, { codec, absent }] of entries) {
        const member = source[name];
        if (member === undefined) continue;
        const json = codec.encode(member);
        const usual = absent?.(source);
        if (usual === undefined || !same(json, codec.encode(usual))) out[name] = json;
      }
      return out;
    },
    schema: {
      type: 'object',
      properties: Object.fromEntries(
        entries.map(([name, { codec, doc }]) => [
          name,
          doc === '' ? codec.schema : { description: doc, ...codec.schema },
        ]),
      ),
      required: entries.filter(([, field]) => field.required).map(([name]) => name),
      additionalProperties: false,
    },
  };
}

/** The value as an object, or a DecodeError. */
export function asObject(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return expected(at, 'an object', value);
  return value as Readonly<Record<string, unknown>>;
}

/** A union of objects told apart by the word in member `key`, which every variant has as a field. */
export function tagged<T extends object>(key: string, variants: Readonly<Record<string, Codec<T>>>): Codec<T> {
  return {
    decode: (value, at) => {
      const tag = asObject(value, at)[key];
      if (typeof tag !== 'string' || !Object.hasOwn(variants, tag))
        return expected(`${at}.${key}`, `one of ${Object.keys(variants).join(', ')}`, tag);
      return variants[tag]!.decode(value, at);
    },
    encode: (value) => variants[(value as Record<string, string>)[key]!]!.encode(value),
    schema: { anyOf: Object.values(variants).map((variant) => variant.schema) },
  };
}
