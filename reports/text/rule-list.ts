/** The text of `ringfence rules`. */
import type { Rule, SourceKind } from '../../oracle/rule.ts';

/** Headings by the first part of the ids, in the order of the output. */
const GROUPS: readonly (readonly [prefix: string, heading: string])[] = [
  ['bpf.program', 'Programs: as a whole'],
  ['bpf.generic', 'Programs: checks of all classic BPF'],
  ['bpf.whitelist', "Programs: io_uring's own checks"],
  ['bpf', 'Programs: what instructions do'],
  ['filter-reg', 'Registering a filter'],
  ['filter', 'Evaluating filters'],
  ['seen', 'What was shown is what is done'],
  ['classic-reg', 'Registering classic restrictions on a ring'],
  ['task-classic-reg', 'Registering classic restrictions on a task'],
  ['classic', 'Evaluating classic restrictions'],
  ['inherit', 'Inheritance'],
  ['escape', 'Ways around'],
  ['route', 'Ways around'],
  ['register', 'io_uring_register(2)'],
  ['setup', 'io_uring_setup(2)'],
  ['enter', 'io_uring_enter(2)'],
  ['init', 'Checks of a request before prep'],
  ['link', 'Links'],
  ['skip', 'Skipped completions'],
  ['op', 'Opcodes'],
  ['task', 'Tasks'],
  ['probe', 'Side effects'],
];

/** How strong a source is, in words. */
export const KIND_TEXT: Readonly<Record<SourceKind, string>> = {
  uapi: 'UAPI header',
  man: 'manual page',
  patch: 'patch series',
  observed: 'observation only',
};

/** Group of an id: the longest prefix that fits, or its first part. */
export function headingOf(id: string): string {
  let best: readonly [string, string] | undefined;
  for (const group of GROUPS)
    if ((id === group[0] || id.startsWith(`${group[0]}.`)) && (best === undefined || group[0].length > best[0].length))
      best = group;
  return best?.[1] ?? id.split('.')[0]!;
}

/** All the rules, grouped; per rule its id, statement and source. Ends with a newline. */
export function formatRules(rules: readonly Rule[]): string {
  const groups = new Map<string, Rule[]>();
  for (const heading of [...GROUPS.map(([, title]) => title)]) groups.set(heading, []);
  for (const rule of rules) {
    const heading = headingOf(rule.id);
    if (!groups.has(heading)) groups.set(heading, []);
    groups.get(heading)!.push(rule);
  }
  const kinds = (Object.keys(KIND_TEXT) as SourceKind[]).map(
    (kind) => [kind, rules.filter((rule) => rule.kind === kind).length] as const,
  );
  const parts = [...groups]
    .filter(([, list]) => list.length > 0)
    .map(([heading, list]) => `${heading}\n\n${list.map(formatRule).join('\n')}`);
  const counts = kinds
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${KIND_TEXT[kind]}`)
    .join(', ');
  return `${parts.join('\n\n')}\n\n${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}: ${counts}\n`;
}

function formatRule({ id, statement, kind, source }: Rule): string {
  return `  ${id}\n      ${statement}\n      [${kind}] ${source}`;
}
