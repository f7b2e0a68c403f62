/** ringfence matrix. */
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CASE_VERSION, formatJson } from '../../oracle/scenario/json.ts';
import type { Json } from '../../oracle/scenario/json.ts';
import { formatMatrix } from '../../reports/text/matrix-text.ts';
import type { MatrixResult } from '../../reports/data/matrix.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { createProgress } from '../../reports/text/progress.ts';
import { OutputError, writeOut, writeWhole } from '../output/write.ts';
import { ensureRequirements } from '../../vm/host/requirements.ts';
import { EXIT, kernelFromFile, SetupError } from '../../vm/index.ts';
import { findPinned } from '../../vm/kernels/pinned.ts';
import { treeVersion } from '../../vm/build/tree.ts';
import { killAllGuests } from '../../vm/host/processes.ts';
import { matrixExit } from '../output/exit.ts';
import { emptyColumn } from '../matrix/column.ts';
import type { Column } from '../matrix/column.ts';
import { matrix } from '../matrix/matrix.ts';
import { byRelease, columnNames, defaultKernels, parseKernels } from '../matrix/spec.ts';
import type { KernelSpec } from '../matrix/spec.ts';
import {
  accel,
  DEFAULT_SEED,
  EXPECT_OPTIONS,
  EXPECT_OPTIONS_HELP,
  GUEST_OPTIONS,
  jobs,
  number,
  parse,
  seed,
  suites,
} from './options.ts';
import { policy } from './policy.ts';
import { deliver, REPORT_OPTIONS, REPORT_OPTIONS_HELP, wishesOf } from '../output/deliver.ts';
import { kernelChoice, TREE_OPTIONS, TREE_OPTIONS_HELP } from './tree.ts';

/** Scenarios per kernel. */
const CASES = 2_600;
const QUICK = 300;

const OPTIONS = {
  kernels: { type: 'string', multiple: true, short: 'k' },
  suite: { type: 'string', multiple: true, short: 's' },
  cases: { type: 'string', short: 'n' },
  quick: { type: 'boolean' },
  seed: { type: 'string' },
  ...GUEST_OPTIONS,
  ...TREE_OPTIONS,
  ...EXPECT_OPTIONS,
  ...REPORT_OPTIONS,
} as const;

export const HELP = `ringfence matrix [options]: the same scenarios on several kernels, against the rules and against each other

  -k, --kernels LIST   releases that can be fetched, paths of bzImage or vmlinux files, or "all", separated by commas; may be repeated
                       (default: ${defaultKernels().join(',')})
  -s, --suite NAME     only this suite; may be repeated, or names joined by commas
  -n, --cases N        scenarios, the same for each kernel (default ${CASES}; --quick: ${QUICK})
      --seed N         same seed and kernels, same scenarios (default ${DEFAULT_SEED}; "random" draws one)
      --append TEXT    extra kernel command line
      --accel NAME     auto, kvm or tcg (default auto)
  -j, --jobs N         guests side by side; kernels take turns (default: one per processor)
      --timeout SEC    how long a guest may take to boot, or be silent while it works (default 90)
  -o, --out DIR        where everything goes (default ./out)
${TREE_OPTIONS_HELP}${EXPECT_OPTIONS_HELP}${REPORT_OPTIONS_HELP}
First each kernel is asked what it can do (its ABI) and which known findings it shows. Then all get the same scenarios, judged by the
rules as in a run. Then neighbouring kernels are compared without the oracle: a scenario that two answer differently is asked again,
twice on either, and what differs each time is traced to its cause: a finding that one of them shows, a member of the ABI that differs, an
answer that the rules leave open. Anything else is "unexplained".

A kernel without the feature (before 7.0) shows as unsupported: that is no failure. One that does not boot or cannot be fetched does
not keep the others from finishing.

Below DIR: matrix.json (reports/README.md describes it) and matrix.txt, rewritten after each kernel; report.html at the end;
KERNEL/result.json and the rest as in a run; KERNEL/answers.txt (number and digest of each scenario's answers); changes/NNN.json, the
smallest case of each difference, for ringfence replay.

Exit code, the first that applies: 130 interrupted, with what was found on disk; 1 a kernel diverges, crashes or hangs, or two differ
without an explanation; 125 a kernel cannot be tested, or none has the feature; 2 a kernel could not be fetched, or usage; 0 otherwise.

Examples
  npx ringfence matrix --kernels 7.0.13,7.1.13,7.2.13,7.3.4
  npx ringfence matrix --kernels all --cases 10000
  npx ringfence matrix --kernels 7.3.4 --linux ../linux --build    what does my tree change?
`;

/** Two interrupts within so many milliseconds are one: each process on the way passes it on. */
const ONE_INTERRUPT_MS = 300;

export async function command(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, OPTIONS, 0);
  const reports = wishesOf(values);
  const chosen = seed(values.seed);
  const cases = number('cases', values.cases, values.quick === true ? QUICK : CASES, 1, 10_000_000);
  const settings = {
    suites: suites(values.suite),
    cases,
    seed: chosen,
    append: values.append ?? '',
    accel: accel(values.accel),
    jobs: jobs(values.jobs),
    timeout: number('timeout', values.timeout, 90, 1, 86_400),
    command: [
      'npx ringfence matrix',
      ...argv.filter((word, i) => !word.startsWith('--seed') && argv[i - 1] !== '--seed').map(quote),
      '--seed',
      String(chosen),
    ].join(' '),
    investigate: 4,
    shrinkSeconds: 30,
    ...policy(values),
  };
  const out = values.out ?? 'out';
  const { tree } = kernelChoice({
    linux: values.linux,
    build: values.build,
    debug: values.debug,
    patch: values.patch,
    out,
  });
  const columns = await columnsOf(values.kernels ?? [defaultKernels().join(',')], tree);
  directory(out);
  const progress = createProgress(process.stderr);
  await ensureRequirements({ log: (text) => progress.note(text) });

  const results = new Map<string, RunResult>();
  const controller = new AbortController();
  let snapshot: (() => MatrixResult) | undefined;
  let unwritable: OutputError | undefined;
  /** What cannot be written is told once, and the matrix goes on. */
  const write = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      if (unwritable === undefined) progress.note(`ringfence: ${error.message}`);
      unwritable = error;
    }
  };
  let interruptedAt = -Infinity;
  const interrupt = (): void => {
    const now = performance.now();
    if (controller.signal.aborted) {
      if (now - interruptedAt < ONE_INTERRUPT_MS) return;
      killAllGuests();
      if (snapshot !== undefined) write(() => writeMatrix(out, snapshot!()));
      process.exit(EXIT.interrupted);
    }
    interruptedAt = now;
    progress.note('interrupted: stopping the guests and writing what was found (once more: at once)');
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, interrupt);
  try {
    const result = await matrix(
      { ...settings, columns },
      {
        note: (text) => progress.note(text),
        progress: (state) => progress.update(state),
        finished: () => progress.end(),
        kernel: (name, state) => {
          results.set(name, state);
          write(() => writeOut(join(out, name), state));
        },
        answered: (name, lines) => write(() => writeWhole(join(out, name, 'answers.txt'), `${lines.join('\n')}\n`)),
        checkpoint: (state) => write(() => writeMatrix(out, state)),
        consoleFile: (name, boot) => {
          directory(join(out, name));
          return join(out, name, `console-${boot}.txt`);
        },
        ready: (state) => {
          snapshot = state;
        },
      },
      controller.signal,
    );
    progress.end();
    const screen = reports.piped ? process.stderr : process.stdout;
    const width = screen.isTTY === true ? Math.max(80, screen.columns) : undefined;
    screen.write(
      formatMatrix(result, {
        colour: screen.isTTY === true && (process.env['NO_COLOR'] ?? '') === '',
        out,
        ...(width === undefined ? {} : { width }),
      }),
    );
    write(() => deliver({ kind: 'matrix', matrix: result, results }, reports, out));
    const code = matrixExit(result, controller.signal.aborted);
    return unwritable === undefined || code === EXIT.divergent ? code : EXIT.usage;
  } finally {
    for (const name of signals) process.off(name, interrupt);
  }
}

/** A mistyped name or a file that is no kernel ends it before anything was booted. */
async function columnsOf(texts: readonly string[], tree: KernelSpec['tree']): Promise<readonly Column[]> {
  const kernels: { readonly spec: KernelSpec; readonly release: string }[] = [];
  for (const spec of parseKernels(texts))
    kernels.push({
      spec,
      release:
        spec.release === undefined ? (await kernelFromFile(spec.file!)).release : findPinned(spec.release)!.uname,
    });
  if (tree !== undefined)
    kernels.push({ spec: { requested: tree.dir, tree }, release: treeVersion(tree.dir) ?? 'unknown' });
  const sorted = byRelease(kernels);
  const names = columnNames(sorted);
  return sorted.map(({ spec, release }, i) => emptyColumn(spec, names[i]!, release));
}

function writeMatrix(out: string, result: MatrixResult): void {
  for (const { causes, from, to, example } of result.comparison.changes) {
    const note = `${from} -> ${to}, step ${example.step}: ${example.answer_from} -> ${example.answer_to} (${causes.map((cause) => (cause.kind === 'finding' ? cause.id : cause.kind === 'abi' ? `ABI ${cause.field}` : cause.kind === 'open' ? `left open by ${cause.rule}` : 'unexplained')).join(', ')})`;
    writeWhole(
      join(out, example.file),
      `${formatJson({ ringfence: CASE_VERSION, suite: example.suite, note: note.slice(0, 1000), scenario: example.scenario as Json })}\n`,
    );
  }
  removeOthers(join(out, 'changes'), new Set(result.comparison.changes.map(({ example }) => basename(example.file))));
  writeWhole(join(out, 'matrix.txt'), formatMatrix(result, { out }));
  // Last: a reader that finds matrix.json finds everything it names.
  writeWhole(join(out, 'matrix.json'), `${JSON.stringify(result, null, 2)}\n`);
}

/** Numbered cases of an earlier matrix must not be taken for this one's. */
function removeOthers(dir: string, files: ReadonlySet<string>): void {
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) if (/^\d{3,}\.json$/.test(name) && !files.has(name)) rmSync(join(dir, name));
}

function directory(path: string): void {
  try {
    make(resolve(path));
    if (!statSync(path).isDirectory()) throw new Error('it is not a directory');
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new SetupError(
      `${path} cannot be used for the results: ${(error as Error).message}`,
      'Choose another directory with --out.',
    );
  }
}

/** With its parents. The recursive form of Node.js never returns below /proc. */
function make(path: string): void {
  if (existsSync(path)) return;
  make(dirname(path));
  mkdirSync(path);
}

function quote(word: string): string {
  return /^[\w./,:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
