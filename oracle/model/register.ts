/** io_uring_register(2): the checks before the opcode's own, and which opcode goes where. */
import { isRingFd, RING_FD } from '../scenario/layout.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import { fullSqe } from '../opcodes/support.ts';
import { decodeSqe } from '../scenario/sqe.ts';
import { registerOutcome, registerSpec, takesBlind } from '../register/index.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type { RawCall, Target } from '../scenario/types.ts';
import { classicRefusal, contextWords, registerRefusal, runFilters } from './evaluate.ts';
import type { CallOutcome } from './filter-registration.ts';
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
  // Nobody knows which rules hold from here on.
  if (outcome.ret === 'any' && registerSpec(opcode)?.setsRules !== undefined) world.lost = true;
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
  const ring = isRingFd(fd) ? task.files.rings.get(fd - RING_FD) : undefined;
  if (ring !== undefined) return { ring };
  const open = isRingFd(fd) && !task.files.sandbox.crowded ? -E.BADF : task.files.sandbox.probeFd(fd);
  if (open === 'any') return { ret: [-E.BADF, -E.OPNOTSUPP], rule: world.hit('register.bad-fd') };
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

/** Any call on a ring, its argument being bytes. */
export function rawOnRing(world: World, task: Task, ring: Ring, call: RawCall): CallOutcome {
  if (registerSpec(call.opcode)?.enablesRing === true) return enableRing(world, task, ring);
  return rawRules(call.opcode) ?? other(world, task, ring, call);
}

/** Any call on the task, its argument being bytes. */
export function rawOnTask(world: World, task: Task, call: RawCall): CallOutcome {
  const actsAs = registerSpec(call.opcode)?.actsAs;
  const denied = actsAs === undefined ? undefined : deniedRequest(world, task, call, actsAs);
  if (denied !== undefined) return denied;
  return rawRules(call.opcode) ?? other(world, task, undefined, call);
}

/** Bytes of the caller's own are not read as arguments of the feature: steps of their own describe those. */
function rawRules(opcode: number): CallOutcome | undefined {
  const rule = registerSpec(opcode)?.setsRules;
  return rule === undefined ? undefined : { ret: 'any', rule, memory: 'any' };
}

function enableRing(world: World, task: Task, ring: Ring): CallOutcome {
  if (!ring.disabled) return { ret: -E.BADFD, rule: world.hit('register.enable.not-disabled') };
  ring.disabled = false;
  if ((ring.flags & IORING_SETUP.SINGLE_ISSUER) !== 0) ring.submitter = task;
  return { ret: 0, rule: world.hit('register.enable') };
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

/** A call without a ring is the same operation as the request of `opcode` whose SQE it takes: the task's rules decide. */
function deniedRequest(world: World, task: Task, step: RawCall, opcode: number): CallOutcome | undefined {
  if (task.rules.empty) return undefined;
  if (step.bytes === undefined || step.bytes.length < 64 || step.raw_arg !== undefined || step.nr_args !== 1)
    return undefined;
  const sqe = fullSqe(decodeSqe(step.bytes, world.abi.little_endian));
  if (sqe.opcode !== opcode || sqe.flags !== 0) return undefined;
  const { classic } = task.rules;
  if (!world.decide('blindMessageFiltered')) return undefined;
  if (classic !== undefined && classicRefusal(world, classic, opcode, 0) !== undefined)
    return { ret: -E.ACCES, rule: world.hit('escape.msg-ring-blind') };
  const prep = opSpec(opcode)!.prep({
    abi: world.abi,
    decisions: world.decisions,
    sqe,
    setup_flags: 0,
    ring: -1,
    linked: false,
    sandbox: task.files.sandbox,
    ringAt: () => undefined,
  });
  if (prep.ok !== true) return undefined;
  const answer = runFilters(
    world,
    task.rules,
    opcode,
    contextWords(world.abi, opcode, prep.adds_flags, sqe.user_data, prep.payload),
  );
  return answer.allowed ? undefined : { ret: -E.ACCES, rule: world.hit('escape.msg-ring-blind') };
}

/** Register opcodes that are not part of the feature: see `oracle/register`. */
function other(world: World, task: Task, ring: Ring | undefined, step: RawCall): CallOutcome {
  if (ring !== undefined && registerSpec(step.opcode)?.usesIoUring === true) task.used_io_uring = true;
  const outcome = registerOutcome(step, {
    abi: world.abi,
    ring: ring === undefined ? undefined : { slot: ring.slot, setup_flags: ring.flags, disabled: ring.disabled },
    sandbox: task.files.sandbox,
    registered: task.registered,
    used_io_uring: task.used_io_uring,
    ringAt: (fd) => {
      const found = isRingFd(fd) ? task.files.rings.get(fd - RING_FD) : undefined;
      return found === undefined ? undefined : { slot: found.slot, setup_flags: found.flags, disabled: found.disabled };
    },
  });
  outcome.effect?.();
  world.hit(outcome.rule);
  if (outcome.posts !== undefined) {
    const { ring: slot, user_data, res, cflags } = outcome.posts;
    world.rings.get(slot)?.pending.push({ user_data, res, flags: cflags, sqe: -1, rule: outcome.rule });
  }
  return { ret: outcome.ret, rule: outcome.rule, memory: 'any' };
}
