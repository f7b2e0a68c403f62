/** ringfence expect. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatJson } from '../../oracle/case/json.ts';
import type { Json } from '../../oracle/case/json.ts';
import { counted } from '../../reports/text/style.ts';
import { EXIT, SetupError, UsageError } from '../../vm/index.ts';
import { loadExpectations } from '../known/expectation-file.ts';
import type { Loaded } from '../known/expectation-file.ts';
import { inRange } from '../known/kernel-ranges.ts';
import { dayOf } from '../known/policy.ts';
import { propose } from '../known/propose.ts';
import { readRunFile } from '../output/read.ts';
import { orSetupError, writeWhole } from '../output/write.ts';
import { command } from './command.ts';
import { flag, group, text, texts } from './option.ts';

const DEFAULT_PLACE = 'expectations.proposed.json';

/** ringfence expect. */
export const EXPECT = command({
  name: 'expect',
  summary: 'check expectation files of a gate; propose new entries from a result',
  about: 'expectations of a gate',
  operands: {
    usage: 'check FILE... | update RESULT.json',
    least: 1,
    most: 1000,
    missing: 'expect needs check or update',
    help: [
      ['check FILE...', 'reads expectation files as --expect does and lists their entries; exit code 2 for a bad file'],
      ['update RESULT.json', 'writes proposals for what a run found; a person decides'],
    ],
  },
  options: {
    ...group('With check', {
      release: text('NAME', 'uname -r: says which entries are for this kernel'),
      strict: flag('an expired entry makes the exit code 1'),
    }),
    ...group('With update', {
      expect: texts('FILE', 'the files that are in use, copied in front of the new entries'),
      out: text(
        'FILE',
        `where the proposals go (default ${DEFAULT_PLACE}); a file that is there is never overwritten`,
        { short: 'o' },
      ),
    }),
  },
  notes: `
With \`ringfence run --expect FILE\` only what the files say is known; the built-in findings are not. An expectation
file:

  { "ringfence_expectations": 1,
    "expectations": [
      { "id": "exec-keeps-no-rules",             a name of your own, unique in all files
        "rule": "inherit.exec",                  the promise that is broken (npx ringfence rules)
        "finding": "exec-drops-rules",           a finding of suites/findings: its model says exactly what is known
        "kernels": ">=7.0.4 <7.1.8",             on which kernels
        "reason": "no exec in our sandbox",      why it is accepted
        "link": "https://bugs.example/17",       where it is tracked
        "expires": "2027-03-31" }, ... ] }       last day, UTC

In place of "finding" an entry may have a "case" of its own: { "scenario": ..., "step": 4, "what": "cqe",
"predicted": "...", "observed": "..." }, as \`expect update\` writes it. A difference then counts as expected only
if, repeated alone and shrunk, it ends at this very case, with the same answer: never wider than the bug. At most
100 cases of one kind are examined in a run; more than that count as a divergence.

Ranges: comparisons (< <= > >= =) joined by blanks, alternatives joined by ||, 7.1.* for a series, * for all.
7.3-rc7 comes before 7.3. Local suffixes (+deb13-cloud-amd64) do not count, but for "=7.0.13+deb13-cloud-amd64",
which is this build alone.

Each entry proves itself with its smallest case before the run. Said in each run, and exit code 1 under --strict: an
entry that has expired, one that is gone (unexpected pass) or changed, one that no case of the run reached. Without
--strict an expired entry still counts.`,
  run: async ({ release, strict, expect, out = DEFAULT_PLACE }, [what, ...files]) => {
    if (what === 'check') {
      if (files.length === 0) throw new UsageError('expect check needs a file');
      return check(files, release, strict);
    }
    if (what !== 'update') throw new UsageError(`expect takes check or update, not "${what}"`);
    const [result, more] = files;
    if (result === undefined || more !== undefined) throw new UsageError('expect update needs one result.json');
    return update(result, expect, out);
  },
});

function check(files: readonly string[], release: string | undefined, strict: boolean): number {
  const { entries } = loadExpectations(files);
  const today = dayOf(new Date());
  for (const entry of entries) process.stdout.write(`${row(entry, today, release)}\n`);
  const expired = entries.filter(({ expires }) => expires < today).length;
  process.stdout.write(`${counted(entries.length, 'expectation')}, ${expired === 0 ? 'none' : expired} expired\n`);
  return strict && expired > 0 ? EXIT.divergent : EXIT.ok;
}

function row(
  { id, rule, finding, kernels, range, expires, reason }: Loaded,
  today: string,
  release: string | undefined,
): string {
  const left = Math.round((Date.parse(expires) - Date.parse(today)) / 86_400_000);
  const when =
    left < 0 ? `EXPIRED after ${expires}` : `until ${expires} (${left === 0 ? 'today' : counted(left, 'day')})`;
  const here = release === undefined ? '' : inRange(range, release) ? `  for ${release}` : `  not for ${release}`;
  return `${id}  ${rule} (${finding ?? 'a case of its own'})  ${kernels}${here}  ${when}\n    ${reason}`;
}

function update(path: string, files: readonly string[] | undefined, out: string): number {
  if (existsSync(out))
    throw new SetupError(
      `${out} is there already, and proposals never overwrite a file.`,
      'Decide on it and remove it, or name another place with --out.',
    );
  const result = readRunFile(
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true ? join(path, 'result.json') : path,
  );
  const current = files === undefined ? undefined : loadExpectations(files);
  const { file, said } = propose(result, current);
  if (said.length === 0) {
    process.stdout.write('nothing to propose: every difference is expected, and every expectation was met\n');
    return EXIT.ok;
  }
  orSetupError('Nothing was written.', () => writeWhole(out, `${formatJson(file as unknown as Json)}\n`));
  for (const line of said) process.stdout.write(`  ${line}\n`);
  process.stdout.write(
    `${out}: ${counted(said.length, 'proposal')}. Nothing is accepted yet: --expect refuses this file until reason, link
and expires are filled in and the members "proposed" and "proposal" are removed, entry by entry.
`,
  );
  return EXIT.ok;
}
