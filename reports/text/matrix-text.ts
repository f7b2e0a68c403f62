/** A matrix on a console: the verdict, one table, what changes where, kernel against kernel. */
import type {
  Cause,
  Change,
  FindingCell,
  KernelState,
  MatrixKernel,
  MatrixResult,
  Pair,
  RuleCell,
  SuiteCell,
} from '../data/matrix.ts';
import { COLOUR, counted, duration, PLAIN, thousands, wrap } from './style.ts';
import type { Style } from './style.ts';

/** How the text looks. */
export interface MatrixTextOptions {
  readonly colour?: boolean;
  /** Columns; default 120. More kernels than fit go into a further block. */
  readonly width?: number;
  /** Output directory as the user named it. */
  readonly out?: string;
}

type Paint = 'good' | 'bad' | 'odd' | 'none';
interface Cell {
  readonly text: string;
  readonly paint: Paint;
}
interface Row {
  readonly label: string;
  readonly cells: readonly Cell[];
}
interface Section {
  readonly title: string;
  readonly rows: readonly Row[];
}

const EMPTY: Cell = { text: '', paint: 'none' };
const plain = (text: string): Cell => ({ text, paint: 'none' });

/** The whole text, ending with a newline. */
export function formatMatrix(
  matrix: MatrixResult,
  { colour = false, width = 120, out = 'out' }: MatrixTextOptions = {},
): string {
  const style = colour ? COLOUR : PLAIN;
  const blocks = [
    [headline(matrix, style), ...facts(matrix)],
    ...table(matrix, width, style),
    failures(matrix.kernels, width, style),
    stories(matrix, width, style),
    ...comparison(matrix, width, out, style),
    [`repeat:  ${matrix.command}`, `details: ${out}/matrix.json, ${out}/KERNEL/result.json`],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function headline({ verdict, reason = '', kernels }: MatrixResult, style: Style): string {
  const tested = counted(kernels.filter(({ scenarios }) => scenarios > 0).length, 'kernel');
  const kept = `${tested} kept every promise that was tested, but for known findings`;
  switch (verdict) {
    case 'conformant':
      return `${style.green(style.bold('CONFORMANT'))}  ${kept}; every difference between them is explained`;
    case 'divergent':
      return `${style.red(style.bold('NOT CONFORMANT'))}  ${reason}`;
    case 'untestable':
      return `${style.yellow(style.bold('INCOMPLETE'))}  ${reason}`;
    case 'interrupted':
      return `${style.yellow(style.bold('INTERRUPTED'))}  ${reason}`;
  }
}

function facts({ kernels, cases, seed, times, append }: MatrixResult): string[] {
  const outcomes = kernels.reduce((sum, kernel) => sum + kernel.outcomes, 0);
  const given = `${counted(kernels.length, 'kernel')}, the same ${counted(cases, 'scenario')} each (seed ${seed})`;
  const line = append === '' ? '' : `, append "${append}"`;
  return [`  ${given}${line}: ${counted(outcomes, 'kernel answer')}, ${duration(times.wall_s)}`];
}

const STATES: { readonly [S in KernelState]: Cell } = {
  conformant: { text: 'ok', paint: 'good' },
  divergent: { text: 'DIVERGES', paint: 'bad' },
  untestable: { text: 'FAILS', paint: 'odd' },
  interrupted: { text: 'stopped', paint: 'odd' },
  unsupported: { text: 'unsupp.', paint: 'none' },
  unavailable: { text: 'NOT HAD', paint: 'odd' },
  'not-run': { text: 'not run', paint: 'none' },
};

function suiteCell(cell: SuiteCell | null): Cell {
  if (cell === null || cell.scenarios === 0) return plain('-');
  const bad = cell.divergence + cell.other;
  if (bad > 0) return { text: `${bad} BAD`, paint: 'bad' };
  return cell.known > 0 ? { text: `${cell.known} kn.`, paint: 'odd' } : { text: 'ok', paint: 'good' };
}

function ruleCell(cell: RuleCell | null): Cell {
  if (cell === null) return plain('-');
  switch (cell.state) {
    case 'kept':
      return { text: 'ok', paint: 'good' };
    case 'known':
      return { text: 'known', paint: 'odd' };
    case 'broken':
      return { text: 'BROKEN', paint: 'bad' };
    case 'unreached':
      return plain('.');
  }
}

function findingCell(cell: FindingCell | null): Cell {
  if (cell === null) return plain('-');
  const mark = cell.expected ? '' : '!';
  switch (cell.state) {
    case 'shown':
      return { text: `${cell.scenarios === 0 ? 'yes' : cell.scenarios}${mark}`, paint: cell.expected ? 'odd' : 'bad' };
    case 'absent':
      return { text: `no${mark}`, paint: cell.expected ? 'good' : 'odd' };
    case 'other':
      return { text: 'OTHER', paint: 'bad' };
  }
}

function sections(matrix: MatrixResult): Section[] {
  const { abi, suites, findings } = matrix;
  return [
    { title: 'kernel', rows: kernelRows(matrix) },
    {
      title: 'ABI, as probed',
      rows: abi
        .filter(({ differs, field }) => differs || field === 'op_last' || field === 'ctx_size')
        .map(({ field, values }) => ({ label: field, cells: values.map((value) => plain(value ?? '-')) })),
    },
    {
      title: 'suites (kn.: scenarios as known findings predict)',
      rows: suites.map(({ suite, cells }) => ({ label: suite, cells: cells.map(suiteCell) })),
    },
    {
      title: 'findings (scenarios that show it; yes: its own case alone)',
      rows: findings.map(({ id, cells }) => ({ label: id, cells: cells.map(findingCell) })),
    },
    ruleSection(matrix),
  ];
}

function kernelRows({ kernels }: MatrixResult): Row[] {
  /** A number, or nothing for a kernel that ran nothing. */
  const numbers = (label: string, of: (kernel: MatrixKernel) => number, bad: Paint = 'none'): Row => ({
    label,
    cells: kernels.map((kernel) => {
      if (kernel.scenarios === 0) return plain('-');
      return { text: thousands(of(kernel)), paint: of(kernel) > 0 ? bad : 'none' };
    }),
  });
  return [
    { label: 'verdict', cells: kernels.map(({ state }) => STATES[state]) },
    numbers('scenarios', ({ scenarios }) => scenarios),
    numbers('as known findings predict', ({ known }) => known),
    numbers('divergences, crashes, hangs', ({ divergences, crashes, hangs }) => divergences + crashes + hangs, 'bad'),
  ];
}

function ruleSection({ kernels, rules }: MatrixResult): Section {
  const told = rules.filter(({ story }) => story !== '');
  const kept = kernels.map(({ scenarios }, i) =>
    plain(scenarios === 0 ? '-' : String(rules.filter(({ cells }) => cells[i]?.state === 'kept').length)),
  );
  return {
    title: `rules: ${told.length} that are not simply kept, and how many are`,
    rows: [
      ...told.map(({ rule, cells }) => ({ label: rule, cells: cells.map(ruleCell) })),
      { label: 'kept', cells: kept },
    ],
  };
}

/** The whole table, in as many blocks as the kernels need side by side. */
function table(matrix: MatrixResult, width: number, style: Style): string[][] {
  const { kernels } = matrix;
  const all = sections(matrix);
  const labels = Math.min(44, Math.max(...all.flatMap(({ rows }) => rows.map(({ label }) => label.length))));
  const widths = kernels.map(({ name }, i) =>
    Math.max(
      Math.min(name.length, 24),
      ...all.flatMap(({ rows }) => rows.map(({ cells }) => (cells[i] ?? EMPTY).text.length)),
    ),
  );
  return columnBlocks(widths, width - labels - 2).map(([from, to]) => {
    const line = (label: string, cells: readonly Cell[]): string => {
      const columns = cells.slice(from, to).map((cell, i) => {
        const room = widths[from + i]!;
        return `  ${paint(short(cell.text, room).padStart(room), cell.paint, style)}`;
      });
      return `  ${short(label, labels).padEnd(labels)}${columns.join('')}`.trimEnd();
    };
    const names = kernels.map(({ name }) => plain(name));
    const body = all.filter(({ rows }) => rows.length > 0);
    return [
      line('', names),
      ...body.flatMap(({ title, rows }) => [style.dim(title), ...rows.map(({ label, cells }) => line(label, cells))]),
    ];
  });
}

/** Columns that fit side by side, as [first, behind the last]; at least one in each. Two blanks stand before each. */
function columnBlocks(widths: readonly number[], room: number): (readonly [from: number, to: number])[] {
  const blocks: (readonly [number, number])[] = [];
  for (let from = 0; from < widths.length; ) {
    let to = from;
    let used = 0;
    while (to < widths.length && (to === from || used + widths[to]! + 2 <= room)) used += widths[to++]! + 2;
    blocks.push([from, to]);
    from = to;
  }
  return blocks;
}

function short(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}~`;
}

function paint(text: string, how: Paint, style: Style): string {
  return how === 'good'
    ? style.green(text)
    : how === 'bad'
      ? style.red(text)
      : how === 'odd'
        ? style.yellow(text)
        : text;
}

const WHY: { readonly [S in KernelState]?: string } = {
  divergent: 'diverges',
  untestable: 'cannot be tested',
  interrupted: 'was interrupted',
  unavailable: 'could not be had',
  unsupported: 'is not supported',
  'not-run': 'did not run',
};

function failures(kernels: readonly MatrixKernel[], width: number, style: Style): string[] {
  const lines = kernels.flatMap(({ name, state, reason, note, release }) => {
    const full = name === release || release === '' ? name : `${name} (${release})`;
    const why = WHY[state];
    return [
      ...(why === undefined ? [] : [`${full} ${why}${reason === undefined ? '' : `: ${reason}`}`]),
      ...(note === undefined ? [] : [`${name}: ${note}`]),
    ];
  });
  return lines.length === 0 ? [] : [style.bold('Kernels'), ...lines.flatMap((line) => indented(line, width))];
}

/** What begins, ends or changes. */
function stories({ findings, rules, abi }: MatrixResult, width: number, style: Style): string[] {
  const unexpected = (cells: readonly (FindingCell | null)[]): string =>
    cells.some((cell) => cell?.expected === false) ? ' (! not as its list of kernels says)' : '';
  const always = findings
    .filter(({ story }) => story === 'on all')
    .map(({ id, rule }) => `${id} (${rule})`)
    .join(', ');
  const lines = [
    ...findings
      .filter(({ story }) => story !== 'on all' && story !== 'on none')
      .map(({ id, rule, story, cells }) =>
        story === '' ? '' : `${rule}: known finding ${id} ${story}${unexpected(cells)}`,
      ),
    ...rules
      .filter(
        ({ rule, cells }) =>
          cells.some((cell) => cell?.state === 'broken') || !findings.some((finding) => finding.rule === rule),
      )
      .map(({ rule, story }) => (story === '' ? '' : `${rule}: ${story}`)),
    ...abi.map(({ field, story }) => (story === '' ? '' : `ABI ${field}: ${story}`)),
    always === '' ? '' : `on all, without a change: ${always}`,
  ].filter((line) => line !== '');
  return lines.length === 0
    ? []
    : [style.bold('Where it begins, ends or changes'), ...lines.flatMap((line) => indented(line, width))];
}

function comparison(
  { comparison: { pairs, changes } }: MatrixResult,
  width: number,
  out: string,
  style: Style,
): string[][] {
  if (pairs.length === 0) return [];
  const neighbours = [style.bold('Kernel against kernel, without the oracle (scenarios)'), ...pairTable(pairs, style)];
  if (pairs.every(({ shared, same }) => shared <= same)) return [neighbours];
  const none = pairs.every(({ unexamined }) => unexamined === 0) ? 'none that shows each time' : 'not looked into';
  const told = changes.flatMap((change) => changeLines(change, width, out, style));
  return [neighbours, [style.bold('Every difference, by cause'), ...(told.length === 0 ? [`  ${none}`] : told)]];
}

function pairTable(pairs: readonly Pair[], style: Style): string[] {
  const head = ['', 'shared', 'same', 'vary', 'explained', 'UNEXPLAINED', 'not examined'];
  const rows = pairs.map(({ from, to, shared, same, varying, explained, unexplained, unexamined }) => [
    `${from} -> ${to}`,
    ...[shared, same, varying, explained, unexplained, unexamined].map(thousands),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((text, i) => (i === 0 ? text.padEnd(widths[i]!) : text.padStart(widths[i]!)));
    return `  ${padded.join('  ')}`.trimEnd();
  };
  return [line(head), ...rows.map((row, i) => (pairs[i]!.unexplained > 0 ? style.red(line(row)) : line(row)))];
}

/** "finding exec-drops-rules (inherit.exec) is gone". */
export function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'finding':
      return `finding ${cause.id} (${cause.rule}) ${cause.shown_on === 'from' ? 'is gone' : 'begins'}`;
    case 'expected':
      return `expectation ${cause.id} (${cause.rule}) is met by the ${
        cause.shown_on === 'from' ? 'older' : 'newer'
      } one alone`;
    case 'abi':
      return `ABI ${cause.field}: ${cause.from} becomes ${cause.to}`;
    case 'open':
      return `the rules allow both answers (${cause.rule})`;
    case 'unexplained':
      return `UNEXPLAINED: ${cause.detail}`;
  }
}

function changeLines(
  { from, to, causes, scenarios, example }: Change,
  width: number,
  out: string,
  style: Style,
): string[] {
  const bad = causes.some(({ kind }) => kind === 'unexplained');
  const head = `${from} -> ${to}: ${counted(scenarios, 'scenario')}: ${causes.map(causeText).join('; and ')}`;
  return [
    ...indented(head, width).map((line) => (bad ? style.red(line) : line)),
    ...indented(
      `step ${example.step} of ${out}/${example.file}: ${example.answer_from}  ->  ${example.answer_to}`,
      width,
      6,
    ).map((line) => style.dim(line)),
  ];
}

function indented(text: string, width: number, by = 2): string[] {
  return wrap(text, width - by - 2).map((line, i) => `${' '.repeat(by + (i === 0 ? 0 : 2))}${line}`);
}
