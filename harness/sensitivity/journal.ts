/**
 * The journal of a campaign on mutants: a line of JSON for each trial, added as soon as it is over, so that another
 * call goes on where one ended.
 */
import { appendFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import type { Json } from '../../oracle/case/json.ts';
import type { PackedStep } from '../../oracle/scenario/packed.ts';
import type { Kill } from '../../reports/data/sensitivity.ts';
import { SetupError } from '../../vm/index.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';

/** Which cases. */
export type StageName = Kill['stage'];

/** What one mutant did in one stage. */
export interface Trial {
  readonly id: string;
  /** Of the mutant's data: a mutant that was changed since is tried again. */
  readonly digest: string;
  readonly stage: StageName;
  /** Whether its place was reached. */
  readonly reached: boolean;
  /** How many cases come to its place; absent where they are not told. */
  readonly reaching?: number;
  readonly kill: Kill | null;
  readonly unconfirmed: number;
  /** The case that showed it, and what the kernel answered; only of a divergence. */
  readonly evidence?: { readonly scenario: Json; readonly answers: readonly PackedStep[] };
}

/** What a journal is about: another campaign's lines do not count. */
export interface JournalHead {
  readonly version: 1;
  readonly linux: string;
  readonly seed: number;
  /** Digest of the cases of the first stage: another version of the generators draws others. */
  readonly cases: string;
  readonly default_cases: number;
}

/** Digest of a mutant's data. */
export function digestOf({ file, in: where, find, nth = 0, as, replace }: Mutant): string {
  return digest(JSON.stringify([file, where, find, nth, as, replace]));
}

/** A short digest of a text. */
export function digest(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex').slice(0, 16);
}

/** The trials of one campaign, on disk. */
export class Journal {
  readonly #path: string;
  readonly #trials = new Map<string, Trial>();
  /** The last line has no end. */
  #torn = false;

  /**
   * Opens the journal, or begins it.
   * @param fresh forgets what is there
   * @throws SetupError when it is another campaign's, or cannot be written
   */
  constructor(path: string, head: JournalHead, fresh: boolean) {
    this.#path = path;
    if (fresh) rmSync(path, { force: true });
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    const [first, ...lines] = text.split('\n').flatMap(parsed);
    // Also where a full disk took no more of it than a part of its first line.
    if (first === undefined && !text.includes('\n')) {
      rmSync(path, { force: true });
      this.#append({ campaign: head });
      return;
    }
    const found = (first as { campaign?: JournalHead } | undefined)?.campaign;
    if (JSON.stringify(found) !== JSON.stringify(head))
      throw new SetupError(
        `${path} belongs to another campaign: ${differenceOf(found, head)}.`,
        'Choose another directory with --out, or forget what is there with --fresh.',
      );
    // The line that was being written when it ended is no trial, and the next one must not become a part of it.
    this.#torn = !text.endsWith('\n');
    for (const line of lines) this.#keep(line as Trial);
  }

  /** What a mutant did in a stage, if that is known. */
  trial(mutant: Mutant, stage: StageName): Trial | undefined {
    const trial = this.#trials.get(`${stage} ${mutant.id}`);
    return trial?.digest === digestOf(mutant) ? trial : undefined;
  }

  /** Notes a trial. @throws SetupError when it cannot be written: then it is as if it had not been made */
  add(trial: Trial): void {
    this.#append(trial);
    this.#keep(trial);
  }

  /** @throws SetupError */
  #append(line: object): void {
    try {
      appendFileSync(this.#path, `${this.#torn ? '\n' : ''}${JSON.stringify(line)}\n`);
      this.#torn = false;
    } catch (error) {
      this.#torn = true;
      throw unwritten(this.#path, error);
    }
  }

  #keep(trial: Trial): void {
    this.#trials.set(`${trial.stage} ${trial.id}`, trial);
  }
}

/** A file below the output directory that is not written: what was found before is in the journal. */
export function unwritten(path: string, error: unknown): SetupError {
  return new SetupError(
    `${path} could not be written: ${(error as Error).message}.`,
    'Free some space there, then give the same command again: it goes on where this one ended. Or choose another ' +
      'place with --out.',
    { cause: error },
  );
}

/** A last line may be half written. */
function parsed(line: string): unknown[] {
  try {
    return [JSON.parse(line)];
  } catch {
    return [];
  }
}

function differenceOf(found: JournalHead | undefined, head: JournalHead): string {
  const names = {
    linux: 'tree',
    seed: 'seed',
    cases: 'drawn cases',
    default_cases: 'number of cases',
    version: 'form',
  };
  const differing = Object.keys(names) as (keyof typeof names)[];
  const list = differing.filter((name) => found?.[name] !== head[name]).map((name) => names[name]);
  return `its ${list.join(', ')} ${list.length === 1 ? 'is' : 'are'} not the same`;
}
