/**
 * Pairs that no judged request can have, with the reason. A test draws for them all the same: one that occurs is an
 * error.
 */
import { FACTORS } from './factors.ts';
import type { LevelName } from './factors.ts';

/** Any level of the one list with any of the other. */
export interface Impossible {
  readonly one: readonly LevelName[];
  readonly other: readonly LevelName[] | 'any';
  readonly why: string;
}

const LATER_GENERATIONS = ['generation:1', 'generation:2', 'generation:3', 'generation:4'] as const;
const CHILDREN = FACTORS.task.filter((level) => level !== 'root').map((level) => `task:${level}` as const);
/** How a filter gets to the ring itself. */
const RING_ROUTES = [
  'route:ring-first',
  'route:ring-late',
  'route:while-disabled',
  'route:by-other',
  'route:via-registered',
] as const;
const SOME_FILTERS = FACTORS.filters.filter((level) => level !== 'none').map((level) => `filters:${level}` as const);

/** Every pair that cannot be. */
export const IMPOSSIBLE: readonly Impossible[] = [
  {
    one: ['hands:received'],
    other: 'any',
    why: 'no ring is received: sending one by SCM_RIGHTS is refused (task.ring-passing)',
  },
  {
    one: ['task:root', 'generation:0'],
    other: [...LATER_GENERATIONS, ...CHILDREN, 'hands:inherited', 'before:parent-gone'],
    why: 'the root is the first generation, and has no parent',
  },
  {
    one: ['task:newpid'],
    other: ['hands:taken'],
    why: 'a task of another pid namespace does not know whom to take from',
  },
  {
    one: ['task:newpid'],
    other: ['before:exec-once', 'before:exec-twice'],
    why: "the runner, executed as its namespace's process 1, begins as the guest does",
  },
  {
    one: ['hands:made'],
    other: ['route:user-own', 'before:maker-gone'],
    why: 'the user is the maker',
  },
  {
    one: ['ring:plain'],
    other: ['hands:enabled-by-other', 'restrictions:ring', 'route:while-disabled', 'way:big', 'before:resized'],
    why: 'it takes a ring that was made disabled, for requests of 128 bytes or with DEFER_TASKRUN: not plain ones',
  },
  {
    one: ['ring:sqpoll'],
    other: ['before:resized'],
    why: 'SQPOLL and DEFER_TASKRUN, without which no ring is resized, exclude each other (setup.flags)',
  },
  {
    one: ['ring:sqpoll'],
    other: ['before:maker-gone'],
    why: 'the polling thread ends with the process that made the ring, at a time of its own: nothing is judged',
  },
  {
    one: ['filters:none'],
    other: ['route:task-before', ...RING_ROUTES, 'route:deny-rest', 'verdict:filter'],
    why: 'there is no filter',
  },
  { one: ['filters:ring'], other: ['route:task-before'], why: 'the ring has no filter of a task' },
  {
    one: ['filters:own', 'filters:inherited', 'filters:own+inherited'],
    other: RING_ROUTES,
    why: 'the ring has no filter of its own',
  },
  {
    one: ['route:none'],
    other: [...SOME_FILTERS, 'verdict:filter'],
    why: 'a filter got there in some way',
  },
  {
    one: ['restrictions:own'],
    other: ['filters:inherited', 'filters:own+inherited', 'filters:ring+inherited', 'filters:ring+own+inherited'],
    why: 'a task that inherited anything is refused restrictions of its own (task-classic-reg.once)',
  },
  { one: ['restrictions:none'], other: ['verdict:restrictions'], why: 'there are no restrictions' },
  { one: ['route:deny-rest'], other: ['verdict:allowed'], why: 'DENY_REST put a filter there that denies' },
  {
    one: ['before:nothing'],
    other: ['way:personality'],
    why: 'a personality is registered with the ring first, which is a call before the request',
  },
];

const table = new Map<LevelName, { readonly other: ReadonlySet<LevelName> | 'any'; readonly why: string }[]>();
for (const { one, other, why } of IMPOSSIBLE) {
  const add = (levels: readonly LevelName[], against: readonly LevelName[] | 'any'): void => {
    for (const level of levels) {
      const list = table.get(level) ?? [];
      list.push({ other: against === 'any' ? 'any' : new Set(against), why });
      table.set(level, list);
    }
  };
  add(one, other);
  if (other !== 'any') add(other, one);
}

/** Why two levels cannot come together; undefined where they can. */
export function clash(one: LevelName, other: LevelName): string | undefined {
  const found =
    table.get(one)?.find((row) => row.other === 'any' || row.other.has(other)) ??
    table.get(other)?.find((row) => row.other === 'any' || row.other.has(one));
  return found?.why;
}
