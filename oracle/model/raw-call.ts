/** io_uring_register calls whose argument is bytes: opcodes beside the feature, and what they have to do with it. */
import { MODEL } from './open.ts';
import { registerOutcome, registerSpec } from '../register/index.ts';
import type { RawCall } from '../scenario/types.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import { deniedRequest } from './blind-request.ts';
import { gotRoundByRegister } from './routes.ts';
import { filtersAny } from './ruleset.ts';
import type { CallOutcome } from './filter-registration.ts';
import type { Ring, Task, World } from './world.ts';

/** Any call on a ring, its argument being bytes. */
export function rawOnRing(world: World, task: Task, ring: Ring, call: RawCall): CallOutcome {
  if (registerSpec(call.opcode)?.enablesRing === true) return enableRing(world, task, ring, call);
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
  const place = MODEL['register.raw-rules'];
  return rule === undefined ? undefined : { ret: place.any, rule, memory: place };
}

function enableRing(world: World, task: Task, ring: Ring, { bytes, raw_arg, nr_args }: RawCall): CallOutcome {
  if (nr_args !== 0 || (raw_arg ?? (bytes === undefined ? 0n : 1n)) !== 0n)
    return { ret: -E.INVAL, rule: world.hit('register.arguments') };
  if (!ring.disabled) return { ret: -E.BADFD, rule: world.hit('register.enable.not-disabled') };
  ring.disabled = false;
  if ((ring.flags & IORING_SETUP.SINGLE_ISSUER) !== 0) ring.submitter = task;
  return { ret: 0, rule: world.hit('register.enable') };
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
    netRaw: !task.in_user_ns,
    decide: (point) => world.decide(point),
    ringAt: (fd) => task.files.ringSeenAt(fd),
  });
  outcome.effect?.();
  if (ring !== undefined && outcome.entries !== undefined) ring.entries = outcome.entries;
  world.hit(outcome.rule);
  if (filtersAny(ring?.rules ?? task.rules, gotRoundByRegister(step.opcode))) world.hit('route.register-call');
  if (outcome.posts !== undefined) {
    const { ring: slot, user_data, res, cflags } = outcome.posts;
    world.looks?.forget(user_data);
    world.rings.get(slot)?.pending.push({ user_data, res, flags: cflags, sqe: -1, rule: outcome.rule });
  }
  const { ret, rule, memory = MODEL['register.write-back'], memory_open: open } = outcome;
  return { ret, rule, memory, ...(open === undefined ? {} : { memory_open: open }) };
}
