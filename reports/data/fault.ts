/** Whether a value is as a schema says, and if not, where and why. */
import { createRequire } from 'node:module';
import type { TSchema } from 'typebox';
import { show } from '../../oracle/schema/codec.ts';
import { word } from './schema.ts';

/** TypeBox's checker, loaded when the first value is checked: most commands check none. */
let checker: typeof import('typebox/schema') | undefined;
function loaded(): typeof import('typebox/schema') {
  checker ??= createRequire(import.meta.url)('typebox/schema') as typeof import('typebox/schema');
  return checker;
}

/** What is wrong with a value, as `suites.links.pass: must be >= 0, found -1`; undefined: it is as the schema says. */
export function dataFault(schema: TSchema, value: unknown): string | undefined {
  return loaded().Check(schema, value) ? undefined : firstFault(schema, value, '');
}

type Fault = ReturnType<ReturnType<typeof loaded>['Errors']>[1][number];
type Members = Readonly<Record<string, unknown>>;

function firstFault(schema: TSchema, value: unknown, place: string): string {
  const [, [first]] = loaded().Errors(schema, value) as [boolean, [Fault, ...Fault[]]];
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
  const kinds = word(tags.map(([, constant]) => constant));
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
