/** Privileges are each task's own: who registers needs them, whoever else of its process has them or not. */
import { NOBODY } from '../../oracle/opcodes/time-ops.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { Restriction } from '../../oracle/scenario/types.ts';
import { IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { restriction } from '../args.ts';
import { TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';

type Planned = (b: Builder) => void;

const { SQE_OP, SQE_FLAGS_ALLOWED, REGISTER_OP } = IORING_RESTRICTION;

/** Sets of restrictions of one kind each, and of both. */
const SETS: readonly (readonly Restriction[])[] = [
  [restriction(SQE_OP, OP.NOP), restriction(SQE_FLAGS_ALLOWED, 0x7f)],
  [
    restriction(REGISTER_OP, IORING_REGISTER.REGISTER_RESTRICTIONS),
    restriction(REGISTER_OP, IORING_REGISTER.REGISTER_BPF_FILTER),
  ],
  [restriction(SQE_FLAGS_ALLOWED, 0x7f)],
  [restriction(SQE_OP, OP.NOP), restriction(REGISTER_OP, IORING_REGISTER.REGISTER_RESTRICTIONS)],
  [],
];

function ask(b: Builder, task: number): void {
  const ring = b.ring(task, IORING_SETUP.SUBMIT_ALL, 8, {});
  if (ring === undefined) return;
  const sqes = [
    { opcode: OP.NOP, user_data: 1n },
    { opcode: OP.TIMEOUT_REMOVE, addr: NOBODY, user_data: 2n },
  ];
  b.push({ do: 'submit', task, ring, sqes });
}

function filter(b: Builder, task: number): void {
  b.filter(task, TASK, OP.NOP, [{ code: 0x06, jt: 0, jf: 0, k: b.d.below(2) }]);
}

/**
 * One of two threads, or of two processes, promises no new privileges, or gives up its capability, before or after the
 * other came to be; both register.
 * @param how the second came to be
 * @param classic whether it is restrictions that they register first
 */
export function eachItsOwn(how: SpawnHow, classic: boolean): Planned {
  return (b) => {
    const { d } = b;
    for (const [dropped, promised] of d.sample(CASES, 7)) {
      const elder = b.spawn(0, 'fork');
      const other = elder === undefined ? undefined : twoTasks(b, elder, how, dropped, promised);
      if (elder === undefined || other === undefined) return;
      for (const task of d.shuffle([elder, other])) register(b, task, classic);
      ask(b, other);
      ask(b, elder);
      b.push({ do: 'exit', task: other });
    }
  };
}

type Dropped = (typeof DROPPED)[number];
type Promised = (typeof PROMISED)[number];

/** The elder bears the other one, and they are what the case says. */
function twoTasks(b: Builder, elder: number, how: SpawnHow, dropped: Dropped, promised: Promised): number | undefined {
  const drop = (task: number): void => void b.push({ do: 'drop_cap_sys_admin', task });
  const promise = (task: number): void => void b.push({ do: 'no_new_privs', task });
  if (dropped === 'before') drop(elder);
  if (promised === 'before') promise(elder);
  const other = b.spawn(elder, how);
  if (other === undefined) return undefined;
  if (dropped === 'elder' || dropped === 'both') drop(elder);
  if (dropped === 'other' || dropped === 'both') drop(other);
  if (promised === 'elder') promise(elder);
  if (promised === 'other') promise(other);
  return other;
}

function register(b: Builder, task: number, classic: boolean): void {
  const restrict = (): void => b.restrict(task, TASK, SETS[0]!);
  const both = classic ? [restrict, () => filter(b, task)] : [() => filter(b, task), restrict];
  for (const call of both.slice(0, b.d.int(1, 2))) call();
}

/** Who gives up the capability: the elder before it bears the other, or one of them or both after that. */
const DROPPED = ['before', 'elder', 'other', 'both'] as const;
/** Who promises, and when. */
const PROMISED = ['nobody', 'before', 'elder', 'other'] as const;
const CASES = DROPPED.flatMap((dropped) => PROMISED.map((promised) => [dropped, promised] as const));

/** Restrictions are registered once, whatever the first set was about, and whoever registered it. */
export function onlyOnce(b: Builder): void {
  const { d } = b;
  for (const first of d.shuffle(SETS)) {
    const task = b.spawn(0, 'fork');
    if (task === undefined) return;
    // Filters are no restrictions, and come before or between.
    if (d.chance(0.3)) filter(b, task);
    b.restrict(task, TASK, first);
    const heir = d.chance(0.6) ? b.spawn(task, d.pick(['fork', 'clone3', 'thread'])) : undefined;
    for (const one of [task, heir]) {
      if (one === undefined) continue;
      if (d.chance(0.3)) filter(b, one);
      b.restrict(one, TASK, d.pick(SETS));
      if (d.chance(0.5)) b.restrict(one, TASK, d.pick(SETS));
      ask(b, one);
    }
  }
}
