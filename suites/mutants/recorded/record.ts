/**
 * Records, for some mutants that a campaign killed, the killing case with what the faulty kernel answered and what the
 * kernel without a fault does:
 *
 *   node_modules/.bin/node suites/mutants/recorded/record.ts OUT
 *
 * OUT is the output directory of `ringfence sensitivity`; its kernel must still be there. Chosen are SELECTED mutants:
 * of every class, by as many rules as there are, in every suite, small cases first.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromJson } from '../../../oracle/case/json.ts';
import { waitsOf } from '../../../oracle/judge/waits.ts';
import { packStep } from '../../../oracle/scenario/packed.ts';
import { Asker } from '../../../harness/guests/asker.ts';
import { KnownFindings } from '../../../harness/known/predictions.ts';
import { prepare } from '../../../harness/run/prepare.ts';
import { askPolicy } from '../../../harness/run/run.ts';
import type { Trial } from '../../../harness/sensitivity/journal.ts';
import type { SensitivityResult } from '../../../reports/data/sensitivity.ts';
import { RECORDED } from './recorded.ts';
import type { RecordedKill } from './recorded.ts';

const SELECTED = 24;
/** Characters of JSON above which a case is too large to be kept. */
const LARGE = 25_000;

const [out] = process.argv.slice(2);
if (out === undefined) {
  console.error('usage: record.ts OUT, the output directory of ringfence sensitivity');
  process.exit(2);
}
const result = JSON.parse(readFileSync(join(out, 'sensitivity.json'), 'utf8')) as SensitivityResult;
const trials = new Map<string, Trial>();
for (const line of readFileSync(join(out, 'sensitivity.jsonl'), 'utf8').split('\n').slice(1)) {
  if (line.trim() === '') continue;
  const trial = JSON.parse(line) as Trial;
  if ((trial.evidence?.answers.length ?? 0) > 0) trials.set(trial.id, trial);
}

interface Candidate {
  readonly trial: Trial;
  readonly kind: string;
  readonly size: number;
}

/** Each brings something new while there is anything new: a class, a rule, a suite. */
function choose(): readonly Candidate[] {
  const left = result.mutants
    .flatMap(({ id, class: kind }): Candidate[] => {
      const trial = trials.get(id);
      return trial === undefined ? [] : [{ trial, kind, size: JSON.stringify(trial.evidence).length }];
    })
    .filter(({ size }) => size <= LARGE)
    .sort((a, b) => a.size - b.size);
  const chosen: Candidate[] = [];
  const seen = new Set<string>();
  const marks = ({ trial, kind }: Candidate): string[] => [
    `class ${kind}`,
    `rule ${trial.kill?.rule}`,
    `suite ${trial.kill?.suite}`,
  ];
  while (chosen.length < SELECTED && left.length > 0) {
    const news = left.map((one) => marks(one).filter((mark) => !seen.has(mark)).length);
    const best = news.indexOf(Math.max(...news));
    const [one] = left.splice(best, 1);
    chosen.push(one!);
    for (const mark of marks(one!)) seen.add(mark);
  }
  return chosen;
}

const prepared = await prepare(
  { kernel: result.kernel, append: '', accel: 'auto', timeout: 60 },
  { note: (text) => void process.stderr.write(`${text}\n`), consoleFile: () => undefined },
  new AbortController().signal,
);
try {
  const { abi, guests } = prepared;
  const asker = new Asker(guests, prepared.first);
  const { active } = await askPolicy({}, prepared, asker, new Date(), new AbortController().signal);
  const known = new KnownFindings(active, abi);
  const kills: RecordedKill[] = [];
  for (const { trial, kind } of choose()) {
    const { evidence, kill, id } = trial;
    const parsed = fromJson(evidence!.scenario);
    if (!parsed.ok) throw new Error(`${id}: ${parsed.error}`);
    const right = await asker.ask(parsed.scenario, waitsOf(known.predictions(parsed.scenario).known));
    if (right === undefined) throw new Error(`${id}: the kernel without a fault does not survive its case`);
    kills.push({
      mutant: id,
      class: kind,
      rule: kill!.rule!,
      scenario: evidence!.scenario,
      wrong: evidence!.answers,
      right: right.steps.map(packStep),
    });
  }
  kills.sort((a, b) => (a.mutant < b.mutant ? -1 : 1));
  writeFileSync(RECORDED, `${JSON.stringify({ abi, findings: active.map(({ id }) => id), kills })}\n`);
  process.stderr.write(`${kills.length} of ${trials.size} recorded\n`);
} finally {
  await prepared.guests.closeAll();
}
