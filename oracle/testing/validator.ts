/** Just enough of JSON schema 2020-12 to test the schema of case files. Unknown keywords are an error. */
import { isDeepStrictEqual } from 'node:util';

type Schema = { readonly [key: string]: unknown };

/** The first violation as text, or undefined. */
export function schemaFault(root: Schema, value: unknown): string | undefined {
  const check = (schema: Schema, at: string, found: unknown): string | undefined => {
    for (const [keyword, wanted] of Object.entries(schema)) {
      const fault = violates(keyword, wanted, schema, at, found);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
  const violates = (
    keyword: string,
    wanted: unknown,
    schema: Schema,
    at: string,
    found: unknown,
  ): string | undefined => {
    const bad = `${at}: ${keyword}`;
    const object = typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Schema) : undefined;
    switch (keyword) {
      case '$schema':
      case '$defs':
      case 'title':
      case 'description':
      case 'default':
        return undefined;
      case '$ref': {
        const target = (root.$defs as Record<string, Schema>)[(wanted as string).replace('#/$defs/', '')];
        if (target === undefined) throw new Error(`no ${String(wanted)}`);
        return check(target, at, found);
      }
      case 'type': {
        const type = Array.isArray(found) ? 'array' : found === null ? 'null' : typeof found;
        return type === wanted || (wanted === 'integer' && Number.isInteger(found)) ? undefined : bad;
      }
      case 'const':
        return isDeepStrictEqual(found, wanted) ? undefined : bad;
      case 'enum':
        return (wanted as unknown[]).some((one) => isDeepStrictEqual(one, found)) ? undefined : bad;
      case 'minimum':
        return typeof found !== 'number' || found >= (wanted as number) ? undefined : bad;
      case 'maximum':
        return typeof found !== 'number' || found <= (wanted as number) ? undefined : bad;
      case 'pattern':
        return typeof found !== 'string' || new RegExp(wanted as string).test(found) ? undefined : bad;
      case 'maxLength':
        return typeof found !== 'string' || found.length <= (wanted as number) ? undefined : bad;
      case 'maxItems':
        return !Array.isArray(found) || found.length <= (wanted as number) ? undefined : bad;
      case 'minItems':
        return !Array.isArray(found) || found.length >= (wanted as number) ? undefined : bad;
      case 'items': {
        if (!Array.isArray(found)) return undefined;
        for (const [i, item] of found.entries()) {
          const fault = check(wanted as Schema, `${at}[${i}]`, item);
          if (fault !== undefined) return fault;
        }
        return undefined;
      }
      case 'anyOf': {
        const faults = (wanted as Schema[]).map((one) => check(one, at, found));
        return faults.includes(undefined) ? undefined : `${bad}: ${faults.join(' / ')}`;
      }
      case 'required':
        return object === undefined || (wanted as string[]).every((name) => Object.hasOwn(object, name))
          ? undefined
          : bad;
      case 'properties': {
        if (object === undefined) return undefined;
        for (const [name, sub] of Object.entries(wanted as Record<string, Schema>)) {
          const fault = Object.hasOwn(object, name) ? check(sub, `${at}.${name}`, object[name]) : undefined;
          if (fault !== undefined) return fault;
        }
        return undefined;
      }
      case 'additionalProperties': {
        if (object === undefined || wanted === true) return undefined;
        for (const extra of Object.keys(object).filter(
          (name) => !Object.hasOwn((schema.properties ?? {}) as object, name),
        )) {
          const fault = wanted === false ? `${bad} ${extra}` : check(wanted as Schema, `${at}.${extra}`, object[extra]);
          if (fault !== undefined) return fault;
        }
        return undefined;
      }
      default:
        throw new Error(`the validator does not know ${keyword}`);
    }
  };
  return check(root, '', value);
}
