/** Whom ptrace(2) lets near whom. */
import type { Task } from './world.ts';

/**
 * PTRACE_MODE_ATTACH_REALCREDS. All tasks of a scenario have the same ids, are dumpable and hold CAP_SYS_PTRACE in
 * their own user namespace (only CAP_SYS_ADMIN is ever dropped), which counts in that namespace and all below it. So
 * the namespaces alone decide, and capabilities only where `target` lies in one that `task` has no say in. Yama, where
 * it restricts, exempts CAP_SYS_PTRACE.
 */
export function mayAttach(task: Task, target: Task): boolean {
  let ns = target.user_ns;
  while (ns !== task.user_ns && ns !== undefined) ns = ns.parent;
  return ns === task.user_ns;
}
