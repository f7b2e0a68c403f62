/**
 * The words in which the shapes of result.json and matrix.json are written: each makes a JSON schema (2020-12) with its
 * description. The TypeScript type, the check of a file that is read back and the table of the README come from that.
 * What a schema allows, as a type, is TypeBox's to say; its own makers of schemas are not used, because they would be a
 * third of the time in which every command starts.
 */
import type {
  Static,
  TArray,
  TBoolean,
  TEnum,
  TInteger,
  TNull,
  TNumber,
  TObject,
  TOptional,
  TProperties,
  TSchema,
  TString,
  TUnion,
  TUnknown,
  TUnsafe,
} from 'typebox';

/** The TypeScript type of what a schema allows. Nothing that was read or made is changed afterwards. */
export type Data<S extends TSchema> = Frozen<Static<S>>;
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

/** A JSON schema, known to the compiler as the TypeBox schema that it is equal to. */
const schemaOf = <S extends TSchema>(description: string | undefined, schema: object): S =>
  ({ ...(description === undefined ? {} : { description }), ...schema }) as S;

/** A schema of which only the type of what it allows is known. */
export type SchemaOf<T> = TUnsafe<T>;

/** Any text. */
export const text = (description?: string, options: { readonly pattern?: string } = {}) =>
  schemaOf<TString>(description, { type: 'string', ...options });

/** An integer, from 0 unless `minimum` says otherwise. */
export const count = (description?: string, range: { readonly minimum?: number; readonly maximum?: number } = {}) =>
  schemaOf<TInteger>(description, { type: 'integer', minimum: 0, ...range });

/** A number from 0, such as seconds. */
export const amount = (description?: string) => schemaOf<TNumber>(description, { type: 'number', minimum: 0 });

/** True or false. */
export const flag = (description?: string) => schemaOf<TBoolean>(description, { type: 'boolean' });

/** One of a few words. */
export const word = <const W extends string[]>(words: readonly [...W], description?: string) =>
  schemaOf<TEnum<W>>(description, { enum: words });

/** A value that is always this one. */
export const always = <const V extends string | number>(value: V, description?: string) =>
  schemaOf<TUnsafe<V>>(description, { const: value });

/** Anything. */
export const anything = (description?: string) => schemaOf<TUnknown>(description, {});

/** An object with these members and no others. */
export function record<const P extends TProperties>(members: P, description?: string) {
  const required = Object.keys(members).filter((name) => !optional.has(members[name]!));
  return schemaOf<TObject<P>>(description, {
    type: 'object',
    properties: members,
    required,
    additionalProperties: false,
  });
}

const optional = new WeakSet<TSchema>();

/** A member that may be absent. */
export function maybe<const S extends TSchema>(schema: S): TOptional<S> {
  const copy = { ...schema } as unknown as TOptional<S>;
  optional.add(copy);
  return copy;
}

/** An array. */
export const list = <const S extends TSchema>(
  item: S,
  description?: string,
  size: { readonly minItems?: number; readonly maxItems?: number } = {},
) => schemaOf<TArray<S>>(description, { type: 'array', items: item, ...size });

/** An object from any names to values of one kind. */
export const byName = <const S extends TSchema>(value: S, description?: string) =>
  schemaOf<TUnsafe<Record<string, Static<S>>>>(description, { type: 'object', additionalProperties: value });

/** A value, or null. */
export const orNull = <const S extends TSchema>(value: S, description?: string) =>
  schemaOf<TUnion<[TNull, S]>>(description, { anyOf: [{ type: 'null' }, value] });

/** An object that is described elsewhere and not looked into here. */
export const opaque = <T>(description?: string) => schemaOf<TUnsafe<T>>(description, { type: 'object' });

/** An object as one of several forms says; a member that is always another one tells them apart. */
export const oneOf = <const S extends TSchema[]>(forms: [...S], description?: string) =>
  schemaOf<TUnion<S>>(description, { anyOf: forms });

/** The schema as the text of a JSON file. */
export function schemaText(title: string, schema: TSchema): string {
  return `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema }, null, 2)}\n`;
}
