/** One kernel with many faults in it, of which its command line chooses one. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KernelError, SetupError } from '../host/errors.ts';
import { kernelFromTree } from './index.ts';
import type { TreeEvents, TreeKernel, TreeOptions } from './index.ts';
import { culprits } from './mutant-errors.ts';
import type { Mutant } from './mutant-file.ts';
import { hooked, mutate, numbered } from './mutants.ts';
import type { Misfit, MutatedFile, Numbered } from './mutants.ts';
import type { ReadSource, Variant } from './variant.ts';

/** A kernel that was built with mutants. */
export interface MutantKernel extends TreeKernel {
  /** Those that are in it. */
  readonly mutants: readonly Numbered[];
  /** Those that were left out, and why. */
  readonly misfits: readonly Misfit[];
}

/** What is built. */
export interface MutantBuild {
  readonly tree: Pick<TreeOptions, 'dir' | 'patches' | 'debug'>;
  readonly mutants: readonly Mutant[];
  /** Leaves out mutants that do not fit or do not compile. */
  readonly keepGoing: boolean;
  /** Names the copy and the output directory, and so keeps builds apart. Default `mutants`. */
  readonly name?: string;
  /** Options on top of ours, as in Variant. */
  readonly options?: readonly string[];
}

/** Files of our own in the tree, and where they come from. */
const OWN: readonly (readonly [path: string, source: string])[] = [
  ['include/linux/ringfence_mutant.h', 'kernel/ringfence_mutant.h'],
  ['lib/ringfence_mutant.c', 'kernel/ringfence_mutant.c'],
];
const MAKEFILE = 'lib/Makefile';
/** The one function that each fork goes through: there the first process begins a case. */
const FORK = { file: 'kernel/fork.c', in: 'kernel_clone', call: 'ringfence_mutant_fork();' } as const;
/** Builds in a row in which something is left out. */
const ROUNDS = 8;
/** Mutants that a message names. */
const NAMED = 20;

/** Kernel parameter that chooses a mutant; 0: none. */
export function chooseMutant(number: number): string {
  return `ringfence_mutant=${number}`;
}

/** Kernel parameter with which each place reports which cases come to it, and none is faulty. */
export const REACH = 'ringfence_reach';

/**
 * Numbers of the mutants that a console says were reached, in its order. With REACH: by so many cases that they are not
 * told, or beside all cases. Pure.
 */
export function reachedIn(console: string): readonly number[] {
  return [...console.matchAll(/ringfence: mutant (\d+) reached/g)].map(([, number]) => Number(number));
}

/**
 * Which mutants' places each case came to, as a console with REACH says: by the case's place among all that this guest
 * was sent, from 1. The last case is not told. Pure.
 */
export function casesIn(console: string): ReadonlyMap<number, readonly number[]> {
  const cases = new Map<number, number[]>();
  for (const [, ordinal, numbers = ''] of console.matchAll(/ringfence: case (\d+):((?: \d+)+)/g)) {
    const all = cases.get(Number(ordinal)) ?? [];
    cases.set(Number(ordinal), all);
    all.push(...numbers.trim().split(' ').map(Number));
  }
  return cases;
}

/**
 * Builds the tree with all mutants in it.
 * @throws SetupError (2) mutants that do not fit the tree or do not compile, by their ids
 * @throws RingfenceError as kernelFromTree does
 */
export async function buildMutants(
  { tree, mutants, keepGoing, name = 'mutants', options = [] }: MutantBuild,
  events: TreeEvents & { readonly logFile: string },
): Promise<MutantKernel> {
  const all = numbered(mutants);
  const misfits = new Map<string, string>();
  for (let round = 0; ; round++) {
    const wanted = all.filter(({ mutant }) => !misfits.has(mutant.id));
    const files = new Map<string, MutatedFile>();
    const variant: Variant = {
      name,
      options,
      allErrors: true,
      files: (read) => {
        const unfit = sourcesOf(wanted, read, files);
        leaveOut(unfit, misfits, { keepGoing, why: 'does not fit this tree', where: tree.dir }, events.log);
        return own(files, read);
      },
    };
    try {
      const built = await kernelFromTree({ ...tree, build: true, variant }, events);
      return {
        ...built,
        mutants: wanted.filter(({ mutant }) => !misfits.has(mutant.id)),
        misfits: [...misfits].map(([id, problem]) => ({ id, problem })),
      };
    } catch (error) {
      if (!(error instanceof KernelError) || round >= ROUNDS) throw error;
      const unfit = culprits(readFileSync(events.logFile, 'utf8'), files);
      if (unfit.length === 0) throw error;
      leaveOut(unfit, misfits, { keepGoing, why: 'does not compile', where: events.logFile }, events.log);
    }
  }
}

/** Puts the mutants into their files. Answers those that do not fit. */
function sourcesOf(wanted: readonly Numbered[], read: ReadSource, files: Map<string, MutatedFile>): Misfit[] {
  const unfit: Misfit[] = [];
  for (const path of new Set([FORK.file, ...wanted.map(({ mutant }) => mutant.file)])) {
    const these = wanted.filter(({ mutant }) => mutant.file === path);
    const original = read(path);
    const text = path === FORK.file ? hooked(original ?? '', FORK.in, FORK.call) : original;
    if (text === undefined) {
      unfit.push(...these.map(({ mutant: { id } }) => ({ id, problem: `the tree has no ${path}` })));
      continue;
    }
    const mutated = mutate(text, these);
    unfit.push(...mutated.misfits);
    files.set(path, mutated);
  }
  return unfit;
}

/** @throws SetupError naming them, unless that is to go on without them */
function leaveOut(
  unfit: readonly Misfit[],
  misfits: Map<string, string>,
  { keepGoing, why, where }: { readonly keepGoing: boolean; readonly why: string; readonly where: string },
  log: (line: string) => void,
): void {
  if (unfit.length === 0) return;
  const named = unfit.slice(0, NAMED).map(({ id, problem }) => `    ${id}: ${problem}`);
  const more = unfit.length > NAMED ? [`    and ${unfit.length - NAMED} more`] : [];
  const told = [`${unfit.length === 1 ? 'A mutant' : `${unfit.length} mutants, each of which`} ${why} (${where}):`];
  const message = [...told, ...named, ...more].join('\n');
  if (!keepGoing)
    throw new SetupError(
      message,
      'Take the release that they were written for, mend them (suites/mutants/README.md), or leave them out with ' +
        '--keep-going.',
    );
  log(message);
  for (const { id, problem } of unfit) misfits.set(id, problem);
}

/** All files of the variant, as texts. */
function own(files: ReadonlyMap<string, MutatedFile>, read: ReadSource): ReadonlyMap<string, string> {
  const texts = new Map([...files].map(([path, { text }]) => [path, text]));
  for (const [path, source] of OWN)
    texts.set(path, readFileSync(fileURLToPath(new URL(source, import.meta.url)), 'utf8'));
  texts.set(MAKEFILE, `${read(MAKEFILE) ?? ''}\nobj-y += ringfence_mutant.o\n`);
  return texts;
}
