/** io_uring_register(2): the checks before the opcode's own, and which opcode goes where. */
import { OpenSet } from '../open-answer.ts';
import { isRingFd, RING_FD } from '../scenario/layout.ts';
import { E } from '../uapi/constants.ts';
import { registerSpec, takesBlind } from '../register/index.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type { Target } from '../scenario/types.ts';
import { registerRefusal } from './evaluate.ts';
import type { CallOutcome } from './filter-registration.ts';
import { MODEL } from './open.ts';
import type { Ring, Task, World } from './world.ts';

/** What an opcode does once the checks that are the same for all opcodes have passed. */
export interface RegisterHandler<C> {
  /** Register opcode of the call. */
  opcode(call: C): number;
  onRing(world: World, task: Task, ring: Ring, call: C): CallOutcome;
  /** fd = -1. */
  onTask(world: World, task: Task, call: C): CallOutcome;
}

/** Predicts one io_uring_register call. */
export function predictRegister<C extends { readonly on: Target }>(
  world: World,
  task: Task,
  call: C,
  handler: RegisterHandler<C>,
): PredictedStep {
  const opcode = handler.opcode(call);
  const outcome = dispatch(world, task, call, opcode, handler);
  // Nobody knows which rules hold from here on. A refusal with one of several errors changes none.
  const open = OpenSet.is(outcome.ret) && outcome.ret.values === 'any' ? outcome.ret.place : undefined;
  if (open !== undefined && registerSpec(opcode)?.setsRules !== undefined) world.lost = open;
  world.trace?.({
    kind: 'call',
    step: world.step,
    what: `io_uring_register ${opcode}`,
    ret: outcome.ret,
    rule: outcome.rule,
  });
  return {
    reached: true,
    returns: [outcome.ret],
    cqes: [],
    rule: outcome.rule,
    ...(outcome.memory === undefined ? {} : { memory: outcome.memory }),
    ...(outcome.memory_open === undefined ? {} : { memory_open: outcome.memory_open }),
  };
}

function dispatch<C extends { readonly on: Target }>(
  world: World,
  task: Task,
  call: C,
  opcode: number,
  handler: RegisterHandler<C>,
): CallOutcome {
  if (opcode >= world.abi.register_last) return { ret: -E.INVAL, rule: world.hit('register.opcode-range') };
  const { on } = call;
  if (on.kind === 'task' || (on.kind === 'fd' && on.fd === -1) || (on.kind === 'registered' && on.index === -1))
    return blindRefusal(world, task, opcode) ?? handler.onTask(world, task, call);
  const found = lookup(world, task, on);
  if ('ret' in found) return found;
  return ringRefusal(world, task, found.ring, opcode) ?? handler.onRing(world, task, found.ring, call);
}

/** The ring behind a target, or the refusal. */
function lookup(
  world: World,
  task: Task,
  on: Exclude<Target, { kind: 'task' }>,
): { readonly ring: Ring } | CallOutcome {
  if (on.kind === 'registered') {
    const { index } = on;
    if (index < 0 || index >= 16) return { ret: -E.INVAL, rule: world.hit('register.registered-index') };
    const slot = task.registered.get(index);
    const ring = slot === undefined ? undefined : world.rings.get(slot);
    // A task that never used io_uring has no table at all.
    return ring === undefined
      ? { ret: task.used_io_uring ? -E.BADF : -E.INVAL, rule: world.hit('register.registered-index') }
      : { ring };
  }
  const fd = on.kind === 'ring' ? RING_FD + on.ring : on.fd;
  const ring = task.files.ringAt(fd);
  if (ring !== undefined) return { ring };
  const open = isRingFd(fd) && !task.files.sandbox.crowded ? -E.BADF : task.files.sandbox.probeFd(fd);
  if (OpenSet.is(open))
    return { ret: MODEL['register.fd'].among(-E.BADF, -E.OPNOTSUPP), rule: world.hit('register.bad-fd') };
  return open === 0
    ? { ret: -E.OPNOTSUPP, rule: world.hit('register.not-a-ring') }
    : { ret: -E.BADF, rule: world.hit('register.bad-fd') };
}

/** Why a call on a ring is refused whatever its argument, or undefined. */
function ringRefusal(world: World, task: Task, ring: Ring, opcode: number): CallOutcome | undefined {
  if (ring.submitter !== undefined && ring.submitter !== task)
    return { ret: -E.EXIST, rule: world.hit('register.single-issuer') };
  const refusal = ringRegisterRefusal(world, ring, opcode);
  return refusal === undefined ? undefined : { ret: -E.ACCES, rule: world.hit(refusal) };
}

/** Why the ring's restrictions refuse a register opcode, or undefined. */
function ringRegisterRefusal(
  world: World,
  ring: Ring,
  opcode: number,
): ReturnType<typeof registerRefusal> | 'register.restricted.inherited-disabled' {
  const { classic } = ring.rules;
  if (classic === undefined) return undefined;
  const refusal = registerRefusal(world, classic, opcode);
  if (refusal === undefined) return undefined;
  if (!ring.disabled) return refusal;
  if (!ring.inherited_classic) {
    world.hit('register.restricted.disabled-exempt');
    return undefined;
  }
  return world.decide('disabledRingRestricted') ? 'register.restricted.inherited-disabled' : undefined;
}

/** Why a call on the task is refused whatever its argument, or undefined. */
function blindRefusal(world: World, task: Task, opcode: number): CallOutcome | undefined {
  const { classic } = task.rules;
  if (classic !== undefined) {
    const refusal = registerRefusal(world, classic, opcode);
    if (refusal !== undefined && world.decide('blindCallsRestricted'))
      return {
        ret: -E.ACCES,
        rule: world.hit(refusal === 'register.restricted' ? 'register.restricted.blind' : refusal),
      };
  }
  const spec = registerSpec(opcode);
  return spec !== undefined && takesBlind(spec)
    ? undefined
    : { ret: -E.INVAL, rule: world.hit('register.blind-unknown') };
}
