/**
 * What may come together in one request: the ring it is made on, how its user came to the ring and into being, the
 * rules it meets and how they got there, how it is made, and what happened before. Any two levels of different factors
 * are a pair; `recognise.ts` tells which levels a request has.
 */

/** The levels of each factor. A request may have several of one factor. */
export const FACTORS = {
  /** Set-up flags of the ring; `plain`: none but SUBMIT_ALL. */
  ring: [
    'plain',
    'stops-at-error',
    'disabled',
    'iopoll',
    'hybrid-iopoll',
    'sqpoll',
    'coop',
    'taskrun-flag',
    'single-issuer',
    'defer',
    'sqe128',
    'cqe32',
    'sqe-mixed',
    'cqe-mixed',
    'no-sqarray',
    'sq-rewind',
  ],
  /** How the ring came to its user. `shared`: another task made it in a table of descriptors that is the user's too. */
  hands: ['made', 'inherited', 'shared', 'taken', 'received', 'registered', 'enabled-by-other'],
  /** How the user came to be. */
  task: [
    'root',
    'fork',
    'vfork',
    'thread',
    'clone_vm',
    'clone3',
    'files',
    'sighand',
    'pidfd',
    'newuser',
    'fs',
    'sysvsem',
    'untraced',
    'io',
    'newns',
    'newuts',
    'newipc',
    'newpid',
  ],
  generation: ['0', '1', '2', '3', '4'],
  /** Filters on the request's opcode: the ring's, those of the task that made the ring, those that it inherited. */
  filters: ['none', 'ring', 'own', 'inherited', 'own+inherited', 'ring+own', 'ring+inherited', 'ring+own+inherited'],
  /** Classic restrictions of the ring, by the same words. */
  restrictions: ['none', 'ring', 'own', 'inherited'],
  /**
   * How rules on the opcode got there, or did not. `task-after`: the ring's maker registered once it was made;
   * `user-own`: a user that did not make the ring has rules of its own; `parent-after`, `child-after`: an ancestor of
   * the ring's maker, or a child of it, registered after the fork. These four must not bind.
   */
  route: [
    'none',
    'task-before',
    'ring-first',
    'ring-late',
    'while-disabled',
    'by-other',
    'via-registered',
    'deny-rest',
    'task-after',
    'user-own',
    'parent-after',
    'child-after',
    'refused-between',
  ],
  /** How the request is made. `third`: third or later of a chain; `batch`: over 32 before it in one call. */
  way: [
    'plain',
    'third',
    'hard',
    'drained',
    'async',
    'skip',
    'fixed-file',
    'buffer-select',
    'personality',
    'big',
    'batch',
  ],
  /** What happened to the ring or its user before. `calls`: other register calls of any outcome. */
  before: [
    'nothing',
    'resized',
    'buffers-cloned',
    'calls',
    'exec-once',
    'exec-twice',
    'no-new-privs',
    'cap-dropped',
    'unshared',
    'parent-gone',
    'maker-gone',
  ],
  /** Who decided. */
  verdict: ['allowed', 'filter', 'restrictions'],
} as const;

/** Name of a factor. */
export type Factor = keyof typeof FACTORS;
/** A level of a factor. */
export type Level<F extends Factor> = (typeof FACTORS)[F][number];
/** A level with its factor: `ring:sqpoll`. */
export type LevelName = { [F in Factor]: `${F}:${Level<F>}` }[Factor];

/** All levels, in this order. */
export const LEVELS = Object.entries(FACTORS).flatMap(([factor, levels]) =>
  levels.map((level) => `${factor}:${level}`),
) as readonly LevelName[];

const numbers = new Map<string, number>(LEVELS.map((name, i) => [name, i]));
const factors = LEVELS.map(factorOf);

/** Number of a level. */
export function levelOf(name: LevelName): number {
  return numbers.get(name)!;
}

/** Factor of a level. */
export function factorOf(name: LevelName): Factor {
  return name.slice(0, name.indexOf(':')) as Factor;
}

/** Whether two levels are of one factor: then they are no pair. */
export function sameFactor(one: number, other: number): boolean {
  return factors[one] === factors[other];
}
