/** ringfence matrix. */
import { join } from 'node:path';
import { SUITE_NAMES } from '../../generators/suites.ts';
import type { MatrixResult } from '../../reports/data/matrix.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { formatMatrix } from '../../reports/text/matrix-text.ts';
import { createProgress } from '../../reports/text/progress.ts';
import { treeVersion } from '../../vm/build/tree.ts';
import { ensureRequirements } from '../../vm/host/requirements.ts';
import { EXIT, kernelFromFile } from '../../vm/index.ts';
import { findPinned } from '../../vm/kernels/pinned.ts';
import type { Machine } from '../../vm/machine/index.ts';
import { machineOf } from '../matrix/survey.ts';
import { emptyColumn } from '../matrix/column.ts';
import type { Column } from '../matrix/column.ts';
import { matrix } from '../matrix/matrix.ts';
import type { MatrixEvents, MatrixOptions } from '../matrix/matrix.ts';
import { byRelease, columnNames, defaultKernels, parseKernels } from '../matrix/spec.ts';
import type { KernelSpec } from '../matrix/spec.ts';
import { Attempts } from '../output/attempts.ts';
import { deliver, wishesOf } from '../output/deliver.ts';
import type { Wishes } from '../output/deliver.ts';
import { matrixExit } from '../output/exit.ts';
import { writeMatrix } from '../output/matrix-files.ts';
import { inColour, screenFor } from '../output/screen.ts';
import { makeOutput, writeOut, writeWhole } from '../output/write.ts';
import { command } from './command.ts';
import { interruptible } from './interrupt.ts';
import { flag, group, texts, whole } from './option.ts';
import { DEFAULT_OUT, DEFAULT_SEED, MATRIX_OPTIONS, seedOption, SUITE, TREE_OPTIONS } from './options.ts';
import { guestSettings, kernelChoice, policyOf, repeatCommand } from './settings.ts';

/** Scenarios per kernel. */
const CASES = 2_600;
/** And with --quick. */
const QUICK = 300;
/** Distinct differences of each kernel that are shrunk. */
const INVESTIGATED = 4;
/** Seconds for shrinking each of them. */
const SHRINK_SECONDS = 30;

/** ringfence matrix. */
export const MATRIX = command({
  name: 'matrix',
  summary: 'the same scenarios on several kernels, against the rules and each other',
  options: {
    ...group('Kernels', {
      kernels: texts(
        'LIST',
        `releases, paths of bzImage or vmlinux, or "all", joined by commas (default ${defaultKernels().join(',')})`,
        { short: 'k' },
      ),
      ...TREE_OPTIONS,
    }),
    ...group('Cases', {
      suite: SUITE,
      cases: whole('N', 'scenarios, the same for each kernel', {
        short: 'n',
        min: 1,
        max: 10_000_000,
        shown: String(CASES),
      }),
      quick: flag(`${QUICK} scenarios`),
      seed: seedOption(String(DEFAULT_SEED)),
    }),
    ...MATRIX_OPTIONS,
  },
  notes: `
First each kernel is asked what it can do (its ABI) and which known findings it shows. Then all get the same
scenarios, judged by the rules as in a run. Then neighbouring kernels are compared without the oracle: a scenario
that two answer differently is asked again, twice on either, and what differs each time is traced to its cause: a
finding that one of them shows, a member of the ABI that differs, an answer that the rules leave open. Anything else
is "unexplained".

A kernel without the feature (before 7.0) shows as unsupported: that is no failure. One that does not boot or cannot
be fetched does not keep the others from finishing.

Below DIR: matrix.json (reports/README.md describes it) and matrix.txt, rewritten after each kernel; report.html at
the end; KERNEL/result.json and the rest as in a run; KERNEL/answers.txt (number and digest of each scenario's
answers); changes/NNN.json, the smallest case of each difference, for ringfence replay.

Exit code, the first that applies: 130 interrupted, with what was found on disk; 1 a kernel diverges, crashes or
hangs, or two differ without an explanation; 125 a kernel cannot be tested, or none has the feature; 2 a kernel
could not be fetched, or usage; 0 otherwise.`,
  examples: [
    ['npx ringfence matrix --kernels 7.0.13,7.1.13,7.2.13,7.3.4', ''],
    ['npx ringfence matrix --kernels all --cases 10000', ''],
    ['npx ringfence matrix --kernels 7.3.4 --linux ../linux --build', 'what does my tree change?'],
  ],
  run: async (values, _, argv) => {
    const { kernels, linux, build, debug, patch, suite, quick, out = DEFAULT_OUT } = values;
    const reports = wishesOf(values);
    const seed = values.seed ?? DEFAULT_SEED;
    const settings = {
      suites: suite ?? SUITE_NAMES,
      cases: values.cases ?? (quick ? QUICK : CASES),
      seed,
      ...guestSettings(values),
      ...policyOf(values),
      command: repeatCommand('matrix', argv, seed),
      investigate: INVESTIGATED,
      shrinkSeconds: SHRINK_SECONDS,
    };
    const { tree } = kernelChoice({ linux, build, debug, patch, out });
    const columns = await columnsOf(kernels ?? [defaultKernels(values.arch).join(',')], tree, values.arch);
    makeOutput(out);
    return await runMatrix({ ...settings, columns }, out, reports);
  },
});

/** Runs, reports, and answers with the exit code. */
async function runMatrix(options: MatrixOptions, out: string, reports: Wishes): Promise<number> {
  const progress = createProgress(process.stderr);
  const note = (text: string): void => progress.note(text);
  await ensureRequirements({ log: note, ...machineOf(options) });
  const attempts = new Attempts(note);
  const results = new Map<string, RunResult>();
  let snapshot: (() => MatrixResult) | undefined;
  const events: MatrixEvents = {
    note,
    progress: (state) => progress.update(state),
    finished: () => progress.end(),
    kernel: (name, state) => {
      results.set(name, state);
      attempts.write(() => writeOut(join(out, name), state));
    },
    answered: (name, lines) =>
      attempts.write(() => writeWhole(join(out, name, 'answers.txt'), `${lines.join('\n')}\n`)),
    checkpoint: (state) => attempts.write(() => writeMatrix(out, state)),
    consoleFile: (name, boot) => {
      makeOutput(join(out, name));
      return join(out, name, `console-${boot}.txt`);
    },
    ready: (state) => {
      snapshot = state;
    },
  };
  const keep = (): void => {
    if (snapshot !== undefined) attempts.write(() => writeMatrix(out, snapshot!()));
  };
  return await interruptible({ note, keep }, async (signal) => {
    const result = await matrix(options, events, signal);
    progress.end();
    show(result, out, reports);
    attempts.write(() => deliver({ kind: 'matrix', matrix: result, results }, reports, out));
    const code = matrixExit(result, signal.aborted);
    return attempts.failed === undefined || code === EXIT.divergent ? code : EXIT.usage;
  });
}

function show(result: MatrixResult, out: string, reports: Wishes): void {
  const screen = screenFor(reports);
  const width = screen.isTTY === true ? { width: Math.max(80, screen.columns) } : {};
  screen.write(formatMatrix(result, { colour: inColour(screen), out, ...width }));
}

/** A mistyped name or a file that is no kernel ends it before anything was booted. */
async function columnsOf(
  texts: readonly string[],
  tree: KernelSpec['tree'],
  machine: Machine,
): Promise<readonly Column[]> {
  const kernels: { readonly spec: KernelSpec; readonly release: string }[] = [];
  for (const spec of parseKernels(texts, machine))
    kernels.push({
      spec,
      release:
        spec.release === undefined
          ? (await kernelFromFile(spec.file!, { machine })).release
          : findPinned(spec.release, machine)!.uname,
    });
  if (tree !== undefined)
    kernels.push({ spec: { requested: tree.dir, tree }, release: treeVersion(tree.dir) ?? 'unknown' });
  const sorted = byRelease(kernels);
  const names = columnNames(sorted);
  return sorted.map(({ spec, release }, i) => emptyColumn(spec, names[i]!, release));
}
