/**
 * The words in which the shapes of result.json and matrix.json are written: each makes a JSON schema (2020-12) with its
 * description. The TypeScript type, the check of a file that is read back and the table of the README come from that.
 */
import { Type } from 'typebox';
import type { Static, TProperties, TSchema } from 'typebox';
import { Check, Errors } from 'typebox/value';
import { show } from '../../oracle/schema/codec.ts';

/** The TypeScript type of what a schema allows. Nothing that was read or made is changed afterwards. */
export type Data<S extends TSchema> = Frozen<Static<S>>;
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T;

const described = (description: string | undefined): { readonly description?: string } =>
  description === undefined ? {} : { description };

/** Any text. */
export const text = (description?: string, options: { readonly pattern?: string } = {}) =>
  Type.String({ ...described(description), ...options });

/** An integer, from 0 unless `minimum` says otherwise. */
export const count = (description?: string, range: { readonly minimum?: number; readonly maximum?: number } = {}) =>
  Type.Integer({ ...described(description), minimum: 0, ...range });

/** A number from 0, such as seconds. */
export const amount = (description: string) => Type.Number({ description, minimum: 0 });

/** True or false. */
export const flag = (description: string) => Type.Boolean({ description });

/** One of a few words. */
export const word = <const W extends string[]>(words: readonly [...W], description: string) =>
  Type.Enum(words, { description });

/** A value that is always this one. */
export const always = <const V extends string | number>(value: V, description?: string) =>
  Type.Unsafe<V>({ ...described(description), const: value });

/** An object with these members and no others. */
export const record = <const P extends TProperties>(members: P, description?: string) =>
  Type.Object(members, { ...described(description), additionalProperties: false });

/** A member that may be absent. */
export const maybe = Type.Optional;

/** An array. */
export const list = <const S extends TSchema>(
  item: S,
  description: string,
  options: { readonly minItems?: number } = {},
) => Type.Array(item, { description, ...options });

/** An object from any names to values of one kind. */
export const byName = <const S extends TSchema>(value: S, description: string) =>
  Type.Unsafe<Record<string, Static<S>>>({ type: 'object', description, additionalProperties: value });

/** A value, or null. */
export const orNull = <const S extends TSchema>(value: S, description: string) =>
  Type.Union([Type.Null(), value], { description });

/** An object that is described elsewhere and not looked into here. */
export const opaque = <T>(description: string) => Type.Unsafe<T>({ type: 'object', description });

/** An object as one of several forms says, which `key` tells apart. */
export const oneOf = <const S extends TSchema[]>(forms: [...S], description: string) =>
  Type.Union(forms, { description });

/** The schema as the text of a JSON file. */
export function schemaText(title: string, schema: TSchema): string {
  return `${JSON.stringify({ $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...schema }, null, 2)}\n`;
}

/** What is wrong with a value, as `suites.links.pass: must be >= 0, found -1`; undefined: it is as the schema says. */
export function dataFault(schema: TSchema, value: unknown): string | undefined {
  return Check(schema, value) ? undefined : firstFault(schema, value, '');
}

type Fault = ReturnType<typeof Errors>[number];
type Members = Readonly<Record<string, unknown>>;

function firstFault(schema: TSchema, value: unknown, place: string): string {
  const [first] = Errors(schema, value) as [Fault, ...Fault[]];
  const names = first.instancePath.split('/').slice(1).map(unescaped);
  const choice = choiceBefore(schema, first.schemaPath);
  const path = choice === undefined ? names : names.slice(0, choice.depth);
  const found = path.reduce((at: unknown, name) => (at as Members)[name], value);
  const there = path.reduce((before, name) => before + step(name), place);
  if (choice === undefined) {
    const said = complaint(first, found);
    return there === '' ? said : `${there.replace(/^\./, '')}: ${said}`;
  }
  const form = choice.forms.find((one) => isMeant(one, found));
  return form === undefined ? untold(choice.forms, found, there) : firstFault(form, found, there);
}

/** The fault of a value that fits no form: it is no object, or lacks the constant that tells the forms apart. */
function untold(forms: readonly TSchema[], value: unknown, place: string): string {
  const tags = typeof value === 'object' && value !== null ? forms.flatMap(constants) : [];
  const [first] = tags;
  if (first === undefined) return firstFault(forms.at(-1)!, value, place);
  const kinds = Type.Enum(tags.map(([, constant]) => constant));
  return firstFault(kinds, (value as Members)[first[0]], place + step(first[0]));
}

/** Members of a form that can only be one thing. */
const constants = (form: TSchema): readonly (readonly [name: string, constant: string])[] =>
  Object.entries((form as { readonly properties?: Readonly<Record<string, TSchema>> }).properties ?? {}).flatMap(
    ([name, member]) => ('const' in member ? [[name, member.const as string] as const] : []),
  );

const unescaped = (name: string): string => name.replaceAll('~1', '/').replaceAll('~0', '~');

/** One step of a place. Names come from a file and go to a terminal. */
function step(name: string): string {
  if (/^\d+$/.test(name)) return `[${name}]`;
  return /^[\w-]{1,60}$/.test(name) ? `.${name}` : `[${show(name)}]`;
}

/** The first choice between forms on the way to what failed, and how deep in the value it stands. */
function choiceBefore(
  schema: TSchema,
  schemaPath: string,
): { readonly forms: readonly TSchema[]; readonly depth: number } | undefined {
  const words = schemaPath.split('/').slice(1);
  let at: unknown = schema;
  let depth = 0;
  for (let i = 0; i < words.length; i++) {
    const forms = (at as { readonly anyOf?: readonly TSchema[] }).anyOf;
    if (words[i] === 'anyOf' && forms !== undefined) return { forms, depth };
    if (words[i] === 'properties') at = (at as { readonly properties: Members }).properties[words[++i]!];
    else at = (at as Members)[words[i]!];
    depth++;
  }
  return undefined;
}

/** Whether a value was meant to have this form: it has its type, and the constants that tell it from the others. */
function isMeant(form: TSchema, value: unknown): boolean {
  const { type } = form as { readonly type?: string };
  if (type === 'null') return value === null;
  if (type !== 'object') return true;
  if (typeof value !== 'object' || value === null) return false;
  return constants(form).every(([name, constant]) => (value as Members)[name] === constant);
}

function complaint({ keyword, params, message }: Fault, found: unknown): string {
  const about = params as Readonly<Record<string, unknown>>;
  switch (keyword) {
    case 'required':
      return `lacks ${(about['requiredProperties'] as readonly string[]).join(', ')}`;
    case 'boolean':
      return 'is not known in this format';
    case 'enum':
      return `expected one of ${(about['allowedValues'] as readonly string[]).join(', ')}, found ${show(found)}`;
    case 'const':
      return `expected ${show(about['allowedValue'])}, found ${show(found)}`;
    default:
      return `${message}, found ${show(found)}`;
  }
}
