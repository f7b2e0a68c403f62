/** Calls with fd = -1 that do what a request does, from its SQE (IORING_REGISTER_SEND_MSG_RING). */
import { opSpec } from '../opcodes/index.ts';
import { fullSqe } from '../opcodes/support.ts';
import { decodeSqe } from '../scenario/sqe.ts';
import type { RawCall } from '../scenario/types.ts';
import { E } from '../uapi/constants.ts';
import { classicRefusal, contextWords, runFilters } from './evaluate.ts';
import type { CallOutcome } from './filter-registration.ts';
import type { Task, World } from './world.ts';

/** A call without a ring does what the request of `opcode` does whose SQE it takes: the task's rules decide. */
export function deniedRequest(world: World, task: Task, step: RawCall, opcode: number): CallOutcome | undefined {
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
