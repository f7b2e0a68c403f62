/** Taking a ring out of another task: pidfd_getfd(2), and whom ptrace(2) lets near whom. */
import { E } from '../uapi/constants.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type { TakeRingStep } from '../scenario/types.ts';
import type { Task, World } from './world.ts';

/**
 * PTRACE_MODE_ATTACH_REALCREDS. All tasks of a scenario have the same ids, are dumpable and hold CAP_SYS_PTRACE in their own user
 * namespace (only CAP_SYS_ADMIN is ever dropped), which counts in that namespace and all below it. So the namespaces alone decide,
 * and capabilities only where `target` lies in one that `task` has no say in. Yama, where it restricts, exempts CAP_SYS_PTRACE.
 */
export function mayAttach(task: Task, target: Task): boolean {
  let ns = target.user_ns;
  while (ns !== task.user_ns && ns !== undefined) ns = ns.parent;
  return ns === task.user_ns;
}

/** `task` takes the ring in a slot of `from`; it comes into the same slot of its own. */
export function takeRing(world: World, task: Task, step: TakeRingStep): PredictedStep {
  const answer = (ret: number, rule: string): PredictedStep => ({ reached: true, returns: [ret], cqes: [], rule });
  const from = world.tasks.get(step.from);
  // The runner's own answer: there is nobody to ask.
  if (from === undefined || !from.alive) return answer(-E.NOENT, world.hit('task.gone'));
  // A thread group without its first thread can be in the middle of ending; no well-formed scenario asks.
  if (![...from.process.threads].some(({ leads }) => leads))
    return { reached: true, returns: 'any', cqes: [], rule: world.hit('task.gone') };
  if (from.process !== task.process && !mayAttach(task, from))
    return answer(-E.PERM, world.hit('task.take-ring.denied'));
  const ring = from.files.rings.get(step.ring);
  if (ring === undefined) return answer(-E.BADF, world.hit('task.take-ring.bad-fd'));
  task.files.rings.set(step.ring, ring);
  ring.taken = true;
  return answer(0, world.hit('task.take-ring'));
}
