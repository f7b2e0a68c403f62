/** io_uring_register(2): the checks before the opcode's own, and which opcode goes where. */
import { RING_FD, RING_SLOTS } from '../scenario/layout.ts';
import { E, IORING_REGISTER, IORING_SETUP } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import { fullSqe } from '../opcodes/support.ts';
import { decodeSqe } from '../scenario/sqe.ts';
import { registerOutcome } from '../register/index.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type {
  BpfArg,
  RegisterBpfStep,
  RegisterRestrictionsStep,
  RegisterStep,
  RegisterTaskRestrictionsStep,
  RingRestrictionsArg,
  Target,
  TaskRestrictionsArg,
} from '../scenario/types.ts';
import { registerRestrictionsOnRing, registerRestrictionsOnTask } from './classic-registration.ts';
import { classicRefusal, contextWords, registerRefusal, runFilters } from './evaluate.ts';
import { registerFilter, registerFilterOnTask } from './filter-registration.ts';
import type { CallOutcome } from './filter-registration.ts';
import type { Ring, Task, World } from './world.ts';

const {
  REGISTER_RESTRICTIONS: RESTRICTIONS,
  REGISTER_ENABLE_RINGS: ENABLE_RINGS,
  REGISTER_BPF_FILTER: BPF_FILTER,
  REGISTER_SEND_MSG_RING: SEND_MSG_RING,
  REGISTER_QUERY: QUERY,
} = IORING_REGISTER;
const BLIND: readonly number[] = [RESTRICTIONS, BPF_FILTER, SEND_MSG_RING, QUERY];
/** Opcodes that set up rules. */
const FEATURE: readonly number[] = [RESTRICTIONS, BPF_FILTER];
const OP_MSG_RING = 40;

export type AnyRegisterStep = RegisterBpfStep | RegisterRestrictionsStep | RegisterTaskRestrictionsStep | RegisterStep;

/** The register opcode of a step. */
export function registerOpcode(step: AnyRegisterStep): number {
  if (step.do === 'register') return step.opcode;
  return step.do === 'register_bpf_filter' ? BPF_FILTER : RESTRICTIONS;
}

/** Predicts one io_uring_register call. */
export function predictRegister(world: World, task: Task, step: AnyRegisterStep): PredictedStep {
  const outcome = dispatch(world, task, step);
  // Nobody knows which rules hold from here on.
  if (outcome.ret === 'any' && FEATURE.includes(registerOpcode(step))) world.lost = true;
  world.trace?.({
    kind: 'call',
    step: world.step,
    what: `io_uring_register ${registerOpcode(step)}`,
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

function dispatch(world: World, task: Task, step: AnyRegisterStep): CallOutcome {
  const opcode = registerOpcode(step);
  if (opcode >= world.abi.register_last) return { ret: -E.INVAL, rule: world.hit('register.opcode-range') };
  const { on } = step;
  if (on.kind === 'task' || (on.kind === 'fd' && on.fd === -1) || (on.kind === 'registered' && on.index === -1))
    return blind(world, task, step, opcode);
  const found = lookup(world, task, on);
  if ('ret' in found) return found;
  return onRing(world, task, found.ring, step, opcode);
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
  const ring = fd >= RING_FD && fd < RING_FD + RING_SLOTS ? task.files.rings.get(fd - RING_FD) : undefined;
  if (ring !== undefined) return { ring };
  const open =
    fd >= RING_FD && fd < RING_FD + RING_SLOTS && !task.files.sandbox.crowded
      ? -E.BADF
      : task.files.sandbox.probeFd(fd);
  if (open === 'any') return { ret: [-E.BADF, -E.OPNOTSUPP], rule: world.hit('register.bad-fd') };
  return open === 0
    ? { ret: -E.OPNOTSUPP, rule: world.hit('register.not-a-ring') }
    : { ret: -E.BADF, rule: world.hit('register.bad-fd') };
}

function onRing(world: World, task: Task, ring: Ring, step: AnyRegisterStep, opcode: number): CallOutcome {
  if (ring.submitter !== undefined && ring.submitter !== task)
    return { ret: -E.EXIST, rule: world.hit('register.single-issuer') };
  const refusal = ringRegisterRefusal(world, ring, opcode);
  if (refusal !== undefined) return { ret: -E.ACCES, rule: world.hit(refusal) };

  switch (step.do) {
    case 'register_restrictions':
      return registerRestrictionsOnRing(world, ring, step.nr_args, step.arg);
    case 'register_task_restrictions':
      return registerRestrictionsOnRing(world, ring, step.nr_args, asRingArg(step.arg));
    case 'register_bpf_filter': {
      const outcome = registerFilter(world, ring.rules, step.nr_args, step.arg);
      if (outcome.ret === 0) world.hit('inherit.ring-level-stays');
      return outcome;
    }
    case 'register':
      if (opcode === ENABLE_RINGS) return enableRing(world, task, ring);
      return rawRules(opcode) ?? other(world, task, ring, step);
  }
}

/** Bytes of the caller's own are not read as arguments of the feature: steps of their own describe those. */
function rawRules(opcode: number): CallOutcome | undefined {
  if (opcode === RESTRICTIONS) return { ret: 'any', rule: 'classic-reg.kind', memory: 'any' };
  return opcode === BPF_FILTER ? { ret: 'any', rule: 'filter-reg.fault', memory: 'any' } : undefined;
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

function blind(world: World, task: Task, step: AnyRegisterStep, opcode: number): CallOutcome {
  const { classic } = task.rules;
  if (classic !== undefined) {
    const refusal = registerRefusal(world, classic, opcode);
    if (refusal !== undefined && world.decide('blindCallsRestricted'))
      return {
        ret: -E.ACCES,
        rule: world.hit(refusal === 'register.restricted' ? 'register.restricted.blind' : refusal),
      };
  }
  if (!BLIND.includes(opcode)) return { ret: -E.INVAL, rule: world.hit('register.blind-unknown') };
  switch (step.do) {
    case 'register_bpf_filter':
      return registerFilterOnTask(world, task, step.nr_args, step.arg);
    case 'register_task_restrictions':
      return registerRestrictionsOnTask(world, task, step.nr_args, step.arg);
    case 'register_restrictions':
      return registerRestrictionsOnTask(world, task, step.nr_args, asTaskArg(step.arg));
    case 'register':
      if (opcode === SEND_MSG_RING) {
        const denied = deniedMessage(world, task, step);
        if (denied !== undefined) return denied;
      }
      return rawRules(opcode) ?? other(world, task, undefined, step);
  }
}

/** A message without a ring is the same operation as IORING_OP_MSG_RING: the task's rules decide. */
function deniedMessage(world: World, task: Task, step: RegisterStep): CallOutcome | undefined {
  if (task.rules.empty) return undefined;
  if (step.bytes === undefined || step.bytes.length < 64 || step.raw_arg !== undefined || step.nr_args !== 1)
    return undefined;
  const sqe = fullSqe(decodeSqe(step.bytes, world.abi.little_endian));
  if (sqe.opcode !== OP_MSG_RING || sqe.flags !== 0) return undefined;
  const { classic } = task.rules;
  if (!world.decide('blindMessageFiltered')) return undefined;
  if (classic !== undefined && classicRefusal(world, classic, OP_MSG_RING, 0) !== undefined)
    return { ret: -E.ACCES, rule: world.hit('escape.msg-ring-blind') };
  const prep = opSpec(OP_MSG_RING)!.prep({
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
    OP_MSG_RING,
    contextWords(world.abi, OP_MSG_RING, prep.adds_flags, sqe.user_data, prep.payload),
  );
  return answer.allowed ? undefined : { ret: -E.ACCES, rule: world.hit('escape.msg-ring-blind') };
}

/** Register opcodes that are not part of the feature: see `oracle/register`. */
function other(world: World, task: Task, ring: Ring | undefined, step: RegisterStep): CallOutcome {
  if (ring !== undefined && step.opcode === IORING_REGISTER.REGISTER_RING_FDS) task.used_io_uring = true;
  if (
    ring !== undefined &&
    step.opcode === IORING_REGISTER.UNREGISTER_RING_FDS &&
    !task.used_io_uring &&
    step.nr_args >= 1 &&
    step.nr_args <= 16
  ) {
    // A task that never used io_uring has nothing to give back, whatever the entries say.
    return { ret: 0, rule: world.hit('register.ring-fds'), memory: 'any' };
  }
  const outcome = registerOutcome(step, {
    abi: world.abi,
    ring: ring === undefined ? undefined : { slot: ring.slot, setup_flags: ring.flags, disabled: ring.disabled },
    sandbox: task.files.sandbox,
    registered: task.registered,
    ringAt: (fd) => {
      const found = fd >= RING_FD && fd < RING_FD + RING_SLOTS ? task.files.rings.get(fd - RING_FD) : undefined;
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

/** The task structure read as an array of ring restrictions: its 16-byte header is the first entry. */
function asRingArg(arg: TaskRestrictionsArg): RingRestrictionsArg {
  const header = { opcode: arg.flags, value: arg.nr_res & 0xff, resv: arg.nr_res >>> 8, resv2: arg.resv };
  return { restrictions: [header, ...arg.restrictions], placement: arg.placement };
}

/** An array of ring restrictions read as the task structure: its first entry is the header. */
function asTaskArg(arg: RingRestrictionsArg): TaskRestrictionsArg {
  const [header, ...restrictions] = arg.restrictions;
  if (header === undefined) return { flags: 0, nr_res: 0, resv: [0, 0, 0], restrictions: [], placement: arg.placement };
  return {
    flags: header.opcode,
    nr_res: header.value | (header.resv << 8),
    resv: header.resv2,
    restrictions,
    placement: arg.placement,
  };
}

export type { BpfArg };
