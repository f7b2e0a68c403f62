/** Where something begins, ends or changes along a row of kernels, in words. */

/** Consecutive kernels with one value; kernels without any are passed over. */
export interface Stretch {
  readonly value: string;
  readonly first: string;
  readonly last: string;
  /** Whether it reaches the last kernel that has a value. */
  readonly to_end: boolean;
  /** Whether it begins with the first kernel that has a value. */
  readonly from_start: boolean;
}

/** @param values one per name; null where nothing is known */
export function stretches(names: readonly string[], values: readonly (string | null)[]): readonly Stretch[] {
  const known = names.flatMap((name, i) =>
    values[i] === null || values[i] === undefined ? [] : [{ name, value: values[i] }],
  );
  const out: { value: string; first: string; last: string; to_end: boolean; from_start: boolean }[] = [];
  known.forEach(({ name, value }, i) => {
    const open = out.at(-1);
    if (open !== undefined && open.value === value) open.last = name;
    else out.push({ value, first: name, last: name, to_end: false, from_start: i === 0 });
  });
  const end = out.at(-1);
  if (end !== undefined) end.to_end = true;
  return out;
}

/** "7.0.4..7.1.7", or "7.0.4" for one. */
export function range({ first, last }: Pick<Stretch, 'first' | 'last'>): string {
  return first === last ? first : `${first}..${last}`;
}

/** "65 on 7.0.4..7.1.13, 66 from 7.2.6"; empty when it never changes. */
export function valueStory(names: readonly string[], values: readonly (string | null)[]): string {
  const all = stretches(names, values);
  if (all.length < 2) return '';
  return all
    .map((one) =>
      one.to_end && one.first !== one.last ? `${one.value} from ${one.first}` : `${one.value} on ${range(one)}`,
    )
    .join(', ');
}

/**
 * The stretches of `value`, and what follows them: "on 7.0.4..7.1.7, gone from 7.1.8", "from 7.2.6 on", "on all".
 * Empty where it has none.
 */
export function presenceStory(
  names: readonly string[],
  values: readonly (string | null)[],
  value: string,
  gone = 'gone from',
): string {
  const all = stretches(names, values);
  if (all.length === 1 && all[0]!.value === value)
    return all[0]!.first === all[0]!.last ? `on ${all[0]!.first}` : 'on all';
  const parts: string[] = [];
  all.forEach((one, i) => {
    if (one.value !== value) return;
    const next = all[i + 1];
    parts.push(one.to_end && one.first !== one.last ? `from ${one.first} on` : `on ${range(one)}`);
    if (next !== undefined) parts.push(`${gone} ${next.first}`);
  });
  return parts.join(', ');
}
