/** privilege: no_new_privs, CAP_SYS_ADMIN and user namespaces, in every order, before and after spawn and exec. */
import { IORING_RESTRICTION } from '../../oracle/uapi/constants.ts';
import { restriction } from '../args.ts';
import type { Builder } from '../builder.ts';
import { drawRingFlags, TASK } from '../builder.ts';

export function privilege(b: Builder): void {
  const { d, tracker } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 4), setup_flags: flags, flags: 0 });
  b.oddRing(0, crew);
  const most = d.weighted<number>([
    [4, 1],
    [4, 2],
    [2, 4],
  ]);
  const attempt = (task: number): void => {
    if (d.chance(0.25))
      b.restrict(
        task,
        TASK,
        crew.opcodes.map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode)),
      );
    else b.drawFilter(task, TASK, crew, d.pick(crew.opcodes), { share: 0.6 });
  };
  const show = (task: number): void => {
    if (tracker.rings.size >= 4) return;
    const ring = b.ring(task, flags);
    b.submit(task, ring, crew, d.int(12, 40));
  };
  for (let n = d.int(4, 12); n > 0; n--) {
    const living = [...tracker.tasks.values()].filter((task) => task.alive && task.waitsFor === undefined);
    if (living.length === 0) return;
    const { id } = d.pick(living);
    switch (
      d.weighted<number>([
        [2, 0],
        [3, 1],
        [2, 2],
        [7, 3],
        [2, 4],
        [1, 5],
        [2, 6],
      ])
    ) {
      case 0:
        b.push({ do: 'no_new_privs', task: id });
        break;
      case 1:
        b.push({ do: 'drop_cap_sys_admin', task: id });
        break;
      case 2:
        b.push({ do: 'unshare_user', task: id });
        break;
      case 3:
        attempt(id);
        break;
      case 4:
        b.spawn(id, d.pick(['fork', 'fork', 'thread', 'vfork', 'clone_vm', 'clone3']), most);
        break;
      case 5:
        if (tracker.runnable(id)!.process.threads.size === 1) b.push({ do: 'exec', task: id });
        break;
      default:
        show(id);
    }
  }
  b.settle();
  for (const task of tracker.tasks.values()) {
    if (!task.alive || !d.chance(0.7)) continue;
    if (d.chance(0.6)) attempt(task.id);
    show(task.id);
  }
}
