/**
 * Proves on a real source tree that planted one-line bugs are caught: makes each patch from the tree, then runs
 * `ringfence run --linux DIR --build --patch FILE`, and looks for exit code 1 and the right rule.
 * The tree itself must be conformant first. Not part of `npm test`: it builds kernels.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { RunResult } from '../../reports/data/result.ts';
import { run } from '../../vm/host/processes.ts';

/** One planted bug, as in suites/planted/*.json. */
export interface Planted {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  /** Regular expression that must fit exactly once. */
  readonly find: string;
  readonly replace: string;
  /** One of these must name a difference, or decide in its explanation. */
  readonly rules: readonly string[];
  readonly suites: readonly string[];
  readonly cases: number;
}

const HERE = dirname(fileURLToPath(import.meta.url));
const CONTEXT = 3;

/** All planted bugs, by id. */
export function loadPlanted(dir = HERE): Planted[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(dir, name), 'utf8')) as Planted);
}

/**
 * The bug as a unified diff against this source text.
 * @throws Error when the place is not there, or not unique
 */
export function patchOf(bug: Pick<Planted, 'id' | 'file' | 'find' | 'replace'>, source: string): string {
  const places = [...source.matchAll(new RegExp(bug.find, 'g'))];
  if (places.length !== 1)
    throw new Error(
      `${bug.id}: the place to change is in ${bug.file} ${places.length} times, not once; ` +
        `suites/planted/${bug.id}.json needs another "find" for this tree`,
    );
  const [place] = places;
  const before = source.split('\n');
  const after = (source.slice(0, place!.index) + bug.replace + source.slice(place!.index + place![0].length)).split(
    '\n',
  );
  const at = before.findIndex((line, i) => line !== after[i]);
  if (at < 0 || before.length !== after.length || before.some((line, i) => i !== at && line !== after[i]))
    throw new Error(`${bug.id}: changes more or less than one line of ${bug.file}`);
  const from = Math.max(0, at - CONTEXT);
  const head = before.slice(from, at);
  const tail = before
    .slice(at + 1, at + 1 + CONTEXT)
    .filter((_, i) => at + 1 + i < before.length - 1 || before.at(-1) !== '');
  const size = head.length + 1 + tail.length;
  return [
    `--- a/${bug.file}`,
    `+++ b/${bug.file}`,
    `@@ -${from + 1},${size} +${from + 1},${size} @@`,
    ...head.map((line) => ` ${line}`),
    `-${before[at]}`,
    `+${after[at]}`,
    ...tail.map((line) => ` ${line}`),
    '',
  ].join('\n');
}

interface Outcome {
  readonly code: number | null;
  readonly result: RunResult | undefined;
  readonly seconds: number;
}

async function runOn(tree: string, out: string, args: readonly string[]): Promise<Outcome> {
  const started = performance.now();
  const main = join(HERE, '../../harness/cli/main.ts');
  const { code } = await run(
    [process.execPath, main, 'run', '--linux', resolve(tree), '--build', '--out', resolve(out), ...args],
    { show: true, timeoutMs: 0 },
  );
  let result: RunResult | undefined;
  try {
    result = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8')) as RunResult;
  } catch {
    // It ended before there was one; the exit code tells.
  }
  return { code, result, seconds: Math.round((performance.now() - started) / 1000) };
}

/** What was said of one bug, and whether it was caught as it should be. */
function judge(bug: Planted, { code, result }: Outcome): { readonly caught: boolean; readonly text: string } {
  const named = [...new Set((result?.divergences ?? []).map(({ rule }) => rule))];
  // The rule that names the difference may be a general one ("the checker refuses it");
  // what it came from stands in the explanation.
  const right = bug.rules.filter((rule) =>
    (result?.divergences ?? []).some(
      (one) => one.rule === rule || one.text.split('\n').some((line) => line.trim() === rule),
    ),
  );
  const text =
    code === 1
      ? `${right.length > 0 ? 'caught by' : 'WRONG RULE:'} ${(right.length > 0 ? right : named).join(', ') || 'none'}`
      : `NOT CAUGHT (exit code ${code})`;
  return { caught: code === 1 && right.length > 0, text };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      linux: { type: 'string' },
      only: { type: 'string', multiple: true },
      out: { type: 'string' },
      cases: { type: 'string' },
      'skip-clean': { type: 'boolean' },
      jobs: { type: 'string', short: 'j' },
    },
  });
  if (values.linux === undefined) {
    console.error(
      'usage: node_modules/.bin/node suites/planted/planted.ts --linux DIR [--only ID]... [--cases N] ' +
        '[--jobs N] [--skip-clean] [--out DIR]\n\n' +
        'DIR is a Linux source tree that has io_uring/bpf_filter.c; suites/planted/README.md says more.',
    );
    return 2;
  }
  const tree = values.linux;
  const out = resolve(values.out ?? 'out/planted');
  const jobs = values.jobs === undefined ? [] : ['--jobs', values.jobs];
  const bugs = loadPlanted().filter(({ id }) => values.only === undefined || values.only.includes(id));
  const unknown = values.only?.find((id) => !bugs.some((bug) => bug.id === id));
  if (unknown !== undefined) {
    console.error(
      `there is no planted bug "${unknown}"; there are ${loadPlanted()
        .map(({ id }) => id)
        .join(', ')}`,
    );
    return 2;
  }
  mkdirSync(out, { recursive: true });
  const lines: string[] = [];
  let fine = true;
  if (values['skip-clean'] !== true) {
    const clean = await runOn(tree, join(out, 'clean'), ['--cases', values.cases ?? '1600', ...jobs]);
    fine = clean.code === 0;
    const verdict = fine ? 'conformant' : `NOT CONFORMANT (exit code ${clean.code})`;
    const known = clean.result?.known.map(({ id }) => id).join(', ') || 'none';
    lines.push(`${'(the tree as it is)'.padEnd(22)} ${verdict}; known: ${known}; ${clean.seconds} s`);
  }
  for (const bug of bugs) {
    let text: string;
    try {
      const patch = join(out, `${bug.id}.patch`);
      writeFileSync(patch, patchOf(bug, readFileSync(join(tree, bug.file), 'utf8')));
      const outcome = await runOn(tree, join(out, bug.id), [
        '--patch',
        patch,
        '--suite',
        bug.suites.join(','),
        '--cases',
        values.cases ?? String(bug.cases),
        ...jobs,
      ]);
      const judged = judge(bug, outcome);
      fine &&= judged.caught;
      text = `${judged.text}; ${outcome.seconds} s`;
    } catch (error) {
      fine = false;
      text = (error as Error).message;
    }
    lines.push(`${bug.id.padEnd(22)} ${text}\n${''.padEnd(22)}   ${bug.file}: ${bug.title}`);
  }
  console.log(`\n${lines.join('\n')}\n`);
  return fine ? 0 : 1;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = await main();
