/** privilege: no_new_privs, CAP_SYS_ADMIN and user namespaces, in every order, before and after spawn and exec. */
import { IORING_RESTRICTION } from '../../oracle/uapi/constants.ts';
import { bpfArg, oddCount, restriction, spoilBpfArg, spoilTaskRestrictions, taskRestrictions } from '../args.ts';
import type { Builder } from '../builder.ts';
import { eachItsOwn, onlyOnce } from './each-thread.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, TASK } from '../builder.ts';
import { everyCredential } from './every-fault.ts';
import type { Crew } from '../crew.ts';
import type { Weighted } from '../draw.ts';
import { drawProgram } from '../program/valid.ts';

/** Suite privilege. */
export const privilege: Suite = {
  weight: 1,
  opening: 3,
  draw,
  planned: [
    onlyOnce,
    everyCredential,
    ...(['thread', 'fork'] as const).flatMap((how) => [true, false].map((classic) => eachItsOwn(how, classic))),
    onlyOnce,
    eachItsOwn('thread', true),
    eachItsOwn('clone_vm', false),
  ],
};

/** What a scenario goes by. */
interface Scene {
  readonly b: Builder;
  readonly crew: Crew;
  /** IORING_SETUP_* of its rings. */
  readonly flags: number;
  /** Most tasks in all. */
  readonly most: number;
}

type Act = (scene: Scene, task: number) => void;

/** What a task may do next. */
const ACTS: Weighted<Act> = [
  [2, ({ b }, task) => b.push({ do: 'no_new_privs', task })],
  [3, ({ b }, task) => b.push({ do: 'drop_cap_sys_admin', task })],
  [2, ({ b }, task) => b.push({ do: 'unshare_user', task })],
  [7, attempt],
  [2, ({ b, most }, task) => b.spawn(task, b.d.pick(['fork', 'fork', 'thread', 'vfork', 'clone_vm', 'clone3']), most)],
  [
    1,
    ({ b }, task) => {
      if (b.tracker.runnable(task)!.process.threads.size === 1) b.push({ do: 'exec', task });
    },
  ],
  [2, show],
];

function draw(b: Builder): void {
  const { d, tracker } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 4), setup_flags: flags, flags: 0 });
  b.oddRing(0, crew);
  const most = d.weighted<number>([
    [4, 1],
    [4, 2],
    [2, 4],
  ]);
  const scene: Scene = { b, crew, flags, most };
  for (let n = d.int(4, 12); n > 0; n--) {
    const living = [...tracker.tasks.values()].filter((task) => task.alive && task.waitsFor === undefined);
    if (living.length === 0) return;
    const { id } = d.pick(living);
    d.weighted(ACTS)(scene, id);
  }
  b.settle();
  for (const task of tracker.tasks.values()) {
    if (!task.alive || !d.chance(0.7)) continue;
    if (d.chance(0.6)) attempt(scene, task.id);
    show(scene, task.id);
  }
}

/** Tries to register on the task. */
function attempt(scene: Scene, task: number): void {
  const { b, crew } = scene;
  const { d } = b;
  if (d.chance(0.2)) wrongly(scene, task);
  else if (d.chance(0.4))
    b.restrict(
      task,
      TASK,
      crew.opcodes.map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode)),
    );
  else b.drawFilter(task, TASK, crew, d.pick(crew.opcodes), { share: 0.6 });
}

/** With a wrong argument or count beside what the task may or may not: that shows the order of the checks. */
function wrongly({ b, crew }: Scene, task: number): void {
  const { d, abi } = b;
  const nrArgs = d.chance(0.6) ? oddCount(d) : 1;
  const spoils = nrArgs === 1 || d.chance(0.2);
  if (d.chance(0.5)) {
    const right = taskRestrictions(crew.opcodes.map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode)));
    const arg = spoils ? spoilTaskRestrictions(d, abi, right) : right;
    b.push({ do: 'register_task_restrictions', task, on: TASK, nr_args: nrArgs, arg });
    return;
  }
  const opcode = d.pick(crew.opcodes);
  const right = bpfArg(
    abi,
    opcode,
    drawProgram(d, crew.contexts(opcode), { share: 0.6, shape: 'compare', quick: true }),
  );
  b.registerArg(task, TASK, spoils ? spoilBpfArg(d, abi, right) : right, nrArgs);
}

/** Shows what binds the task. */
function show({ b, crew, flags }: Scene, task: number): void {
  if (b.tracker.rings.size >= 4) return;
  const ring = b.ring(task, flags);
  b.submit(task, ring, crew, b.d.int(12, 40));
}
