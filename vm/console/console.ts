/** Finds in a kernel's console what a kernel should never say. */
import { anyOf } from '../host/any-of.ts';

/** What a report is about. */
export type ConsoleKind =
  | 'oops'
  | 'bug'
  | 'warning'
  | 'panic'
  | 'kasan'
  | 'kmsan'
  | 'kcsan'
  | 'kfence'
  | 'ubsan'
  | 'lockdep'
  | 'refcount'
  | 'rcu-stall'
  | 'lockup'
  | 'hung-task'
  | 'bpf-jit'
  | 'kmemleak';

/** One report. */
export interface ConsoleReport {
  readonly kind: ConsoleKind;
  /** The line that says what happened, without time stamp. */
  readonly title: string;
  /** The whole report as the console has it, without carriage returns and escape sequences. */
  readonly text: string;
}

interface Pattern {
  readonly kind: ConsoleKind;
  readonly start: RegExp;
  /** Last line of such a report. */
  readonly end: RegExp;
}

const END_TRACE = /^---\[ end (?:trace|Kernel panic)/;
const END_TASK = /^<\/TASK>/;
const RULER = /^={10,}$/;
const NEVER = /(?!)/;

// Order matters: the first that fits names the report.
const PATTERNS: readonly Pattern[] = [
  { kind: 'kasan', start: /^BUG: KASAN: /, end: RULER },
  { kind: 'kmsan', start: /^BUG: KMSAN: /, end: RULER },
  { kind: 'kcsan', start: /^BUG: KCSAN: /, end: RULER },
  { kind: 'kfence', start: /^BUG: KFENCE: /, end: RULER },
  { kind: 'ubsan', start: /^UBSAN: /, end: /^---\[ end trace|^={10,}$/ },
  {
    kind: 'lockdep',
    start: anyOf(
      /^(?:WARNING|BUG): possible (?:circular locking|recursive locking|irq lock inversion|deadlock)/,
      /^(?:WARNING|BUG): (?:inconsistent lock state|bad unlock balance|held lock freed)/,
      /^(?:WARNING|BUG): lock held (?:when returning|at task exit)/,
      /^(?:WARNING|BUG): (?:nested lock was not taken|invalid wait context|suspicious RCU usage)/,
      /^WARNING: \S+-(?:safe|unsafe|READ-safe) -> \S+ lock order/,
      /^\[ BUG: Invalid wait context \]/,
      /^DEBUG_LOCKS_WARN_ON/,
      /^INFO: (?:possible (?:circular|recursive) locking|trying to register non-static key|inconsistent lock)/,
      /^BUG: MAX_LOCK/,
    ),
    end: END_TASK,
  },
  {
    kind: 'rcu-stall',
    start: anyOf(
      /^(?:rcu: )?INFO: rcu\S* (?:self-)?detected (?:expedited )?stall/,
      /^rcu: INFO: Stall ended/,
      /^rcu: rcu_\w+ kthread starved/,
      /^INFO: rcu_tasks detected stalls/,
    ),
    end: END_TASK,
  },
  {
    kind: 'lockup',
    start: anyOf(
      /^watchdog: (?:BUG: soft lockup|Watchdog detected hard LOCKUP|CPU\d+: Watchdog)/,
      /^BUG: (?:soft lockup|workqueue lockup)/,
      /^NMI watchdog: /,
    ),
    end: END_TASK,
  },
  { kind: 'hung-task', start: /^INFO: task \S.* blocked (?:for more than|in I\/O wait)/, end: END_TASK },
  { kind: 'kmemleak', start: /^kmemleak: \d+ new suspicious memory leaks|^unreferenced object 0x/, end: NEVER },
  // The compiler of BPF says so when it contradicts itself; the program is interpreted, or refused.
  {
    kind: 'bpf-jit',
    start: /^bpf_jit: |^(?:cond_)?jmp gen bug |^unexpected (?:jmp_cond|nop jump|jump) padding: |^multi-func JIT bug /,
    end: NEVER,
  },
  { kind: 'panic', start: /^Kernel panic - not syncing/, end: /^---\[ end Kernel panic/ },
  {
    kind: 'oops',
    start: anyOf(
      /^BUG: (?:kernel NULL pointer dereference|unable to handle|stack guard page|TASK stack guard|IRQ stack guard)/,
      /^(?:Internal error: )?Oops\b/,
      /^Unable to handle kernel /,
      /^Internal error: /,
      /^general protection fault/,
      /^(?:stack segment|invalid opcode|divide error|double fault|int3|traps: PANIC)\b.*/,
      /^(?:control protection fault|Missing ENDBR|CFI failure)\b.*/,
      /^PANIC: double fault/,
      /^kernel tried to execute/,
    ),
    end: END_TRACE,
  },
  { kind: 'bug', start: /^kernel BUG at |^BUG: |^BUG \S+ \(|^list_(?:add|del) corruption|^=+\[ BUG/, end: END_TRACE },
  { kind: 'refcount', start: /^refcount_t: /, end: END_TRACE },
  { kind: 'warning', start: /^WARNING: (?:CPU: \d+|(?:.* )?at \S|kernel stack|stack )/, end: END_TRACE },
];

const CUT_HERE = /^-+\[ cut here \]-+$/;
const MAX_LINES = 200;
/** A report without its end line ends with its last line of trace; so many other lines may stand before that. */
const MAX_PLAIN = 25;

/** Headers that belong to a report of another kind when they stand inside it. */
const PARTS: Partial<Record<ConsoleKind, readonly ConsoleKind[]>> = {
  bug: ['oops'],
  refcount: ['warning'],
  lockdep: ['warning'],
  ubsan: ['oops'],
};

// "[    1.234567] ", with the number of a task or a processor after it where the kernel prints it.
const STAMP = /^(?:<\d+>)?\[ *\d+\.\d+\](?:\[ *[TC]\d+\])? ?/;
const ESCAPES = /\x1b(?:\[[0-9;?]*[A-Za-z]|c)/g;

interface Line {
  /** As printed. */
  readonly raw: string;
  /** Without time stamp. */
  readonly text: string;
}

/** Every report in a console, in its order. Total: any text is allowed. */
export function scanConsole(text: string): ConsoleReport[] {
  const lines = text
    .replace(ESCAPES, '')
    .split('\n')
    .map((raw): Line => {
      const clean = raw.replace(/\r/g, '');
      return { raw: clean, text: clean.replace(STAMP, '').trim() };
    });
  const reports: ConsoleReport[] = [];
  let free = 0; // first line that belongs to no report yet
  for (let i = 0; i < lines.length; i++) {
    const pattern = PATTERNS.find((p) => p.start.test(lines[i]!.text));
    if (!pattern) continue;
    const from = startOf(lines, i, free);
    const to = endOf(lines, i, pattern);
    const text = lines
      .slice(from, to + 1)
      .map((l) => l.raw)
      .join('\n')
      .trimEnd();
    reports.push({ kind: pattern.kind, title: titleOf(lines, i, pattern), text });
    free = to + 1;
    i = to;
  }
  return reports;
}

/** A report begins at its "cut here" or its ruler, and with the message that stands between that and the header. */
function startOf(lines: readonly Line[], at: number, free: number): number {
  for (let i = at - 1; i >= Math.max(free, at - 4); i--) {
    if (CUT_HERE.test(lines[i]!.text) || RULER.test(lines[i]!.text)) return i;
  }
  return at;
}

/** A WARNING's own line names only the place; the message stands before it. */
function titleOf(lines: readonly Line[], at: number, pattern: Pattern): string {
  const line = lines[at]!.text;
  if (pattern.kind !== 'warning') return line;
  const before = lines[at - 1]?.text ?? '';
  const message = before !== '' && at >= 2 && CUT_HERE.test(lines[at - 2]?.text ?? '') ? `: ${before}` : '';
  return line + message;
}

function endOf(lines: readonly Line[], at: number, pattern: Pattern): number {
  const limit = Math.min(lines.length - 1, at + MAX_LINES);
  let last = at;
  let traced = false;
  for (let i = at + 1; i <= limit && i - last <= MAX_PLAIN; i++) {
    const { text } = lines[i]!;
    if (pattern.end.test(text) || END_TRACE.test(text)) return i;
    if (CUT_HERE.test(text)) return last;
    const inner = PATTERNS.find((p) => p.start.test(text))?.kind;
    if (inner !== undefined && inner !== pattern.kind && !PARTS[pattern.kind]?.includes(inner)) return last;
    // After the trace no header and no ruler belongs to this report any more.
    if (traced && (inner !== undefined || RULER.test(text))) return last;
    if (inner !== undefined || isTrace(text)) last = i;
    traced ||= END_TASK.test(text);
  }
  return last;
}

const TRACE = anyOf(
  /^(?:CPU|Hardware name|Workqueue|Call Trace|Code|R[A-Z0-9]{2}|RIP|RSP|EFLAGS|CS|FS|CR\d|DR\d|PKRU)\b/,
  /^(?:Modules linked in|Tainted|#PF|Oops|PGD|task:)\b/,
  /\+0x[0-9a-f]+\/0x[0-9a-f]+|^<\/?(?:TASK|IRQ|NMI)>|^={10,}$|^-{10,}$/,
);

/** Lines that only reports have. */
function isTrace(text: string): boolean {
  return TRACE.test(text);
}
