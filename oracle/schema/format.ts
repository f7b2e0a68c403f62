/** JSON text for people: whatever fits on a line stands on one line. */
import type { Json } from './codec.ts';

/** Prints JSON with an indent of two blanks; objects and arrays that fit in `width` columns stay on one line. */
export function formatJson(value: Json, width = 120): string {
  return print(value, '', 0, width);
}

/** `before`: columns that its key takes on the same line. */
function print(value: Json, indent: string, before: number, room: number): string {
  const flat = inline(value, room - indent.length - before);
  if (flat !== undefined) return flat;
  const deeper = `${indent}  `;
  if (Array.isArray(value))
    return `[\n${value.map((item: Json) => deeper + print(item, deeper, 1, room)).join(',\n')}\n${indent}]`;
  const members = Object.entries(value as { readonly [key: string]: Json });
  const lines = members.map(([key, item]) => {
    const name = JSON.stringify(key);
    return `${deeper}${name}: ${print(item, deeper, name.length + 3, room)}`;
  });
  return `{\n${lines.join(',\n')}\n${indent}}`;
}

/** The value on one line, or undefined when it is wider than `room` (scalars always fit). */
function inline(value: Json, room: number): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const array = Array.isArray(value);
  const parts: string[] = [];
  let used = 2;
  for (const [key, item] of Object.entries<Json>(value)) {
    const text = inline(item, room - used);
    if (text === undefined) return undefined;
    const part = array ? text : `${JSON.stringify(key)}: ${text}`;
    used += part.length + 2;
    if (used > room) return undefined;
    parts.push(part);
  }
  if (parts.length === 0) return array ? '[]' : '{}';
  return array ? `[${parts.join(', ')}]` : `{ ${parts.join(', ')} }`;
}
