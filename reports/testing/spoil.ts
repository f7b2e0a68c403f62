/** Data that is wrong at one place. */

/** A deep copy in which the value at a path such as `suites/links/pass` is another one; undefined: it is not there. */
export function spoilt(data: object, path: string, value: unknown): Record<string, unknown> {
  const copy = JSON.parse(JSON.stringify(data)) as Record<string, unknown>;
  const names = path.split('/');
  const last = names.pop()!;
  const at = names.reduce((inner, name) => inner[name] as Record<string, unknown>, copy);
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}
