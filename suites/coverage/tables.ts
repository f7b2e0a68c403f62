/** What measures of the kernel's own code came to, kept small, and the document made of them. Pure. */
import type { Reason } from '../../harness/coverage/reasons.ts';
import type { CoverageResult } from '../../reports/data/coverage.ts';
import { REASON_KINDS } from '../../reports/data/coverage.ts';
import { featureFunctions, unexplained } from '../../reports/text/coverage.ts';

/** One measure: numbers by function, names of what was not reached. */
export interface Measured {
  /** What was measured, in a few words: a heading. */
  readonly what: string;
  readonly release: string;
  readonly compiler: string;
  readonly seed: number;
  readonly cases: number;
  /** "file function" -> branches, reached, with a reason. */
  readonly functions: Readonly<Record<string, readonly [branches: number, reached: number, reasoned: number]>>;
  /** Branches that were not reached and have no reason: "file function key branch". */
  readonly open: readonly string[];
}

/** A result as it is kept. */
export function measuredOf(what: string, result: CoverageResult): Measured {
  const { release, compiler, seed, cases } = result;
  return {
    what,
    release,
    compiler,
    seed,
    cases,
    functions: Object.fromEntries(
      featureFunctions(result).map((one) => [
        `${one.file} ${one.name}`,
        [one.branches, one.branches_reached, one.reasoned] as const,
      ]),
    ),
    open: unexplained(result).map(({ file, function: name, key, branch }) => `${file} ${name} ${key} ${branch}`),
  };
}

/** COVERAGE.md. */
export function coverageDocument(all: readonly Measured[], reasons: readonly Reason[]): string {
  return [
    "# Coverage of the kernel's own code",
    '',
    'Made from `measured/*.json` and `reasons.json` by `suites/coverage/measure.ts`; do not edit. `README.md` says how',
    'it is measured. A cell is branches reached of branches there are; behind a plus those that have a reason, and in',
    'brackets those that have none.',
    '',
    ...measures(all),
    '',
    ...table(all),
    '',
    '## Why the others are not reached',
    '',
    ...REASON_KINDS.flatMap((kind) => reasonPart(kind, reasons)),
  ]
    .join('\n')
    .replace(/\n+$/, '\n');
}

function measures(all: readonly Measured[]): string[] {
  return all.map(
    ({ what, release, compiler, seed, cases }) =>
      `- ${what}: ${cases} cases, seed ${seed}, on ${release} built with ${compiler}`,
  );
}

function table(all: readonly Measured[]): string[] {
  const names = [...new Set(all.flatMap(({ functions }) => Object.keys(functions)))];
  const rows: string[] = [
    `| function | ${all.map(({ what }) => what).join(' | ')} |`,
    `| --- | ${all.map(() => '---').join(' | ')} |`,
  ];
  let file = '';
  for (const name of names) {
    const [path = '', short = ''] = name.split(' ');
    if (path !== file) rows.push(row(`**${path}**`, all, (key) => key.startsWith(`${path} `), '**'));
    file = path;
    rows.push(row(`\`${short}\``, all, (key) => key === name));
  }
  rows.push(row('**all**', all, () => true, '**'));
  return rows;
}

function row(name: string, all: readonly Measured[], mine: (key: string) => boolean, mark = ''): string {
  const cells = all.map(({ functions }) => {
    const own = Object.entries(functions).filter(([key]) => mine(key));
    if (own.length === 0) return '';
    const sum = (i: 0 | 1 | 2): number => own.reduce((so, [, numbers]) => so + numbers[i], 0);
    const [branches, reached, reasoned] = [sum(0), sum(1), sum(2)];
    const open = branches - reached - reasoned;
    const text = `${reached}/${branches}${reasoned > 0 ? ` +${reasoned}` : ''}${open > 0 ? ` (${open})` : ''}`;
    return `${mark}${text}${mark}`;
  });
  return `| ${name} | ${cells.join(' | ')} |`;
}

/** Reasons of one kind, each with the functions that it is for. */
function reasonPart(kind: Reason['kind'], reasons: readonly Reason[]): string[] {
  const own = reasons.filter((reason) => reason.kind === kind);
  if (own.length === 0) return [];
  const byWhy = new Map<string, { branches: number; functions: Set<string> }>();
  for (const { why, branches, function: name } of own) {
    const entry = byWhy.get(why) ?? { branches: 0, functions: new Set() };
    entry.branches += branches.length;
    entry.functions.add(name);
    byWhy.set(why, entry);
  }
  const all = own.reduce((sum, { branches }) => sum + branches.length, 0);
  return [
    `### ${kind}: ${all}`,
    '',
    ...[...byWhy].map(
      ([why, { branches, functions }]) =>
        `- ${why} (${[...functions].map((name) => `\`${name}\``).join(', ')}: ${branches})`,
    ),
    '',
  ];
}
