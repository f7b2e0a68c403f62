/** Children made with every flag of clone(2): what their parent is bound by binds them. */
import { NOBODY } from '../../oracle/opcodes/time-ops.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { specOf } from '../../oracle/steps/index.ts';
import type { SpawnHow, SpawnStep } from '../../oracle/steps/kind/spawn.ts';
import { CLONE, IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { restriction } from '../args.ts';
import { TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { retValue } from '../program/body.ts';

type Planned = (b: Builder) => void;

const FLAGS: readonly number[] = Object.values(CLONE);
const S = IORING_SETUP;
const LD_ABS = 0x20;
const JSET_K = 0x45;
const RET_K = 0x06;

/** A filter denies the odd ones, restrictions all but NOP. */
const REQUESTS: readonly Sqe[] = [
  { opcode: OP.NOP, user_data: 2n },
  { opcode: OP.NOP, user_data: 3n },
  { opcode: OP.TIMEOUT_REMOVE, addr: NOBODY, user_data: 4n },
  { opcode: OP.NOP, user_data: 5n },
];

/** Denies NOPs whose user_data has this bit. */
function denyBit(b: Builder, task: number, bit: number): void {
  const word = b.abi.little_endian ? 0 : 4;
  b.filter(task, TASK, OP.NOP, [
    { code: LD_ABS, jt: 0, jf: 0, k: word },
    { code: JSET_K, jt: 0, jf: 1, k: bit },
    { code: RET_K, jt: 0, jf: 0, k: 0 },
    { code: RET_K, jt: 0, jf: 0, k: retValue(b.d, true) },
  ]);
}

function ask(b: Builder, task: number): number | undefined {
  const ring = b.ring(task, S.SUBMIT_ALL, 8, {});
  if (ring !== undefined) b.push({ do: 'submit', task, ring, sqes: REQUESTS });
  return ring;
}

/** Whether clone(2) takes such flags with that kind of child. */
function takes(how: SpawnHow, flags: number): boolean {
  const step: SpawnStep = { do: 'spawn', task: 0, child: 1, how, flags };
  return specOf(step).check?.(step) === true;
}

/** A child with each of these sets of flags, one after the other; those that clone(2) refuses are left out. */
function children(b: Builder, how: SpawnHow, sets: readonly number[]): void {
  const { d } = b;
  const classic = d.chance(0.5);
  if (classic)
    b.restrict(0, TASK, [
      restriction(IORING_RESTRICTION.SQE_OP, OP.NOP),
      restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, 0x7f),
      restriction(IORING_RESTRICTION.REGISTER_OP, IORING_REGISTER.REGISTER_BPF_FILTER),
    ]);
  denyBit(b, 0, 1);
  const made: number[] = [];
  for (const flags of sets) {
    const child = takes(how, flags) ? b.spawn(0, how, undefined, flags) : undefined;
    if (child === undefined) continue;
    // What it adds binds neither its parent nor the next one.
    if (d.chance(0.3)) denyBit(b, child, 2);
    ask(b, child);
    if (how === 'vfork') b.push({ do: 'exit', task: child });
    else made.push(child);
  }
  ask(b, 0);
  for (const child of d.sample(made, 2)) ask(b, child);
}

/** Each flag alone. */
export function everyCloneFlag(how: SpawnHow): Planned {
  return (b) => children(b, how, b.d.shuffle([0, ...FLAGS]));
}

/** More than a hundred rings share what their maker is bound by; those behind them share it as well. */
export function hundredRings(b: Builder): void {
  const { d } = b;
  denyBit(b, 0, 1);
  const others = d.pick([62, 126, 127, 128, 200]);
  const first = b.ring(0, S.SUBMIT_ALL, 1, { others });
  if (first === undefined) return;
  ask(b, 0);
  for (const how of d.shuffle(['fork', 'thread', 'clone_vm', 'clone3'] as const)) {
    const child = b.spawn(0, how);
    if (child === undefined) continue;
    if (d.chance(0.3)) denyBit(b, child, 2);
    ask(b, child);
  }
  // One filter more parts the task from all of them.
  denyBit(b, 0, 4);
  ask(b, 0);
  b.push({ do: 'submit', task: 0, ring: first, sqes: REQUESTS.slice(0, 1) });
}

/** Some flags at a time. */
export function someCloneFlags(b: Builder): void {
  const { d } = b;
  const sets = Array.from(
    { length: 12 },
    () => d.sample(FLAGS, d.int(2, 4)).reduce((all, flag) => all | flag, 0) >>> 0,
  );
  children(b, d.pick(['fork', 'clone3', 'clone_vm', 'vfork']), sets);
}
