/** escape: what a task's rules forbid, attempted by every other route; the effect must not come about. */
import { IORING_RESTRICTION, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { Restriction } from '../../oracle/scenario/types.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { FILTER_DENY_REST, restriction } from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { messageSqe, ringFdUpdate } from '../registers.ts';
import { fits, roleTable } from '../roles.ts';
import type { Role } from '../roles.ts';
import { drawRegister } from './register-calls.ts';
import { exactly } from './exactly.ts';
import { disabledRing } from './disabled.ts';
import { drawManual } from './manual.ts';
import { drawRoute } from './routes.ts';

const S = IORING_SETUP;

interface Scene {
  readonly b: Builder;
  readonly crew: Crew;
  /** What the rules forbid. */
  readonly forbidden: readonly Role[];
  readonly flags: number;
  /** A ring without rules, made before anything was forbidden. */
  readonly outside: number | undefined;
}

/** The forbidden requests among others, and a look at their effects. */
function attempt(scene: Scene, task: number, ring: number | undefined, registered?: number): void {
  const { b, crew, forbidden } = scene;
  const { d } = b;
  if (ring === undefined) return;
  const known = b.tracker.rings.get(ring);
  if (known === undefined || b.tracker.runnable(task) === undefined) return;
  const usable = forbidden.filter((role) => fits(role, known.flags));
  const most = Math.max(1, Math.min(known.entries, 60) - 4);
  const { sqes, roles } = crew.batch(known.flags, d.int(4, 24), most, most, usable);
  const flags = d.pick([0, 0, 0, IOSQE.ASYNC, IOSQE.CQE_SKIP_SUCCESS]);
  // What changes something has a CQE more often than not: else nobody knows when it ends.
  const seen = d.below(8) > 0 ? flags & ~IOSQE.CQE_SKIP_SUCCESS : flags;
  const own = usable.map((role) => crew.sqe(role, role.changes.size > 0 ? seen : flags));
  // Behind the others (a chain must not reach into them), or alone.
  const open = ((sqes.at(-1)?.flags ?? 0) & (IOSQE.IO_LINK | IOSQE.IO_HARDLINK)) !== 0;
  const all = open || d.chance(0.3) ? own : d.chance(0.5) ? [...own, ...sqes] : [...sqes, ...own];
  if (all.length === 0) return;
  b.push({ do: 'submit', task, ring, sqes: all, ...(registered === undefined ? {} : { registered }) });
  b.probes(task, [...usable, ...roles], 0.8);
}

/** Rules of the task under which the forbidden requests are refused. */
function forbid(scene: Scene, task: number): void {
  const { b, crew, forbidden } = scene;
  const { d } = b;
  const opcodes = [...new Set(forbidden.map((role) => role.opcode))];
  const others = crew.opcodes.filter((opcode) => !opcodes.includes(opcode));
  switch (d.below(4)) {
    case 0: {
      const list: Restriction[] = others.map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode));
      list.push(restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, 0x7f));
      for (const op of d.some(
        [
          IORING_REGISTER.REGISTER_BPF_FILTER,
          IORING_REGISTER.REGISTER_ENABLE_RINGS,
          IORING_REGISTER.REGISTER_RESTRICTIONS,
          IORING_REGISTER.REGISTER_RING_FDS,
          IORING_REGISTER.REGISTER_SEND_MSG_RING,
          IORING_REGISTER.REGISTER_FILES2,
        ],
        0.5,
      )) {
        list.push(restriction(IORING_RESTRICTION.REGISTER_OP, op));
      }
      b.restrict(task, TASK, list);
      break;
    }
    case 1:
      // What is left open gets a filter that allows, then DENY_REST closes the rest.
      for (const opcode of others) b.drawFilter(task, TASK, crew, opcode, { share: 1 });
      b.filter(task, TASK, others[0] ?? 0, [{ code: 0x06, jt: 0, jf: 0, k: 1 }], FILTER_DENY_REST);
      break;
    case 2:
      // Only these very arguments.
      for (const role of forbidden) {
        const words = Array.from({ length: (b.abi.pdu_size[role.opcode] ?? 0) >>> 2 }, (_, i) => 4 + i);
        const ctx = new Uint32Array(Math.max(10, b.abi.ctx_size >>> 2));
        if (role.payload !== undefined) ctx.set(role.payload, 4);
        b.filter(task, TASK, role.opcode, exactly(d, ctx, words, false));
      }
      break;
    default:
      for (const opcode of opcodes) b.filter(task, TASK, opcode, [{ code: 0x06, jt: 0, jf: 0, k: 0 }]);
  }
}

/** Rules that allow everything, as a task would register them to get rid of others. */
function loosen(scene: Scene, task: number, ring?: number): void {
  const { b, forbidden, crew } = scene;
  const on = ring === undefined ? TASK : onRing(ring);
  if (b.d.chance(0.7))
    for (const role of forbidden) b.filter(task, on, role.opcode, [{ code: 0x06, jt: 0, jf: 0, k: 1 }]);
  else
    b.restrict(
      task,
      on,
      [...crew.opcodes, ...forbidden.map((role) => role.opcode)].map((opcode) =>
        restriction(IORING_RESTRICTION.SQE_OP, opcode),
      ),
    );
}

type Route = (scene: Scene, task: number) => void;

const HOWS: readonly SpawnHow[] = ['fork', 'vfork', 'thread', 'clone_vm', 'clone3'];

const ROUTES: readonly (readonly [number, Route])[] = [
  [3, (s, task) => attempt(s, task, s.b.ring(task, s.flags))],
  [
    3,
    (s, task) => {
      // A disabled ring: looser rules while it is being set up.
      const ring = s.b.ring(task, (s.flags | S.R_DISABLED) >>> 0);
      if (ring === undefined) return;
      if (s.b.d.chance(0.7)) loosen(s, task, ring);
      if (s.b.d.chance(0.5)) drawRegister(s.b, task, onRing(ring));
      if (s.b.d.chance(0.4)) s.b.drawFilter(task, onRing(ring), s.crew, s.b.d.pick(s.crew.opcodes), { share: 1 });
      s.b.enable(task, ring);
      attempt(s, task, ring);
    },
  ],
  [
    2,
    (s, task) => {
      // A registered ring: other calls, the same ring.
      const ring = s.b.ring(task, s.flags);
      if (ring === undefined) return;
      const index = s.b.d.below(16);
      s.b.register(task, onRing(ring), IORING_REGISTER.REGISTER_RING_FDS, 1, ringFdUpdate(s.b.abi, ring, index));
      if (s.b.d.chance(0.4)) {
        const program = [{ code: 0x06, jt: 0, jf: 0, k: 1 }];
        s.b.filter(task, { kind: 'registered', index }, s.forbidden[0]?.opcode ?? 0, program);
      }
      attempt(s, task, ring, index);
      if (!s.b.d.chance(0.3)) return;
      // The registered descriptor outlives the ring's own; the runner can then no longer fill its queue.
      s.b.push({ do: 'close_ring', task, ring });
      s.b.filter(task, { kind: 'registered', index }, s.forbidden[0]?.opcode ?? 0, [
        { code: 0x06, jt: 0, jf: 0, k: 1 },
      ]);
      drawRegister(s.b, task, { kind: 'registered', index });
    },
  ],
  [
    1,
    (s, task) => {
      // Registered descriptors are the task's own: a child that has not used io_uring yet has none.
      const { b } = s;
      const ring = b.ring(task, s.flags);
      if (ring === undefined) return;
      const index = b.d.below(16);
      b.register(task, onRing(ring), IORING_REGISTER.REGISTER_RING_FDS, 1, ringFdUpdate(b.abi, ring, index));
      const child = b.spawn(task, b.d.pick(HOWS));
      if (child === undefined) return;
      if (b.d.chance(0.7)) attempt(s, child, ring, index);
      const given = ringFdUpdate(b.abi, 0, index).fill(0, 8);
      b.register(child, onRing(ring), IORING_REGISTER.UNREGISTER_RING_FDS, 1, given);
      if (b.d.chance(0.5)) drawRegister(b, child, { kind: 'registered', index });
      attempt(s, child, ring);
      b.push({ do: 'exit', task: child });
      attempt(s, task, ring, index);
      // Given back, it is none any more; the ring is what it was.
      if (b.d.chance(0.5)) return;
      b.register(task, onRing(ring), IORING_REGISTER.UNREGISTER_RING_FDS, 1, given);
      attempt(s, task, ring, b.d.chance(0.5) ? index : undefined);
    },
  ],
  [
    0.5,
    (s, task) => {
      // A ring that comes to nothing after it has taken over its maker's rules: they still hold.
      const { b } = s;
      const late = (b.d.pick([0, S.R_DISABLED, S.SINGLE_ISSUER]) | S.SQ_AFF | S.SUBMIT_ALL) >>> 0;
      const ring = b.ring(task, late);
      if (b.d.chance(0.4)) loosen(s, task);
      attempt(s, task, ring);
      attempt(s, task, b.ring(task, s.flags));
    },
  ],
  [
    4,
    (s, task) => {
      const how = s.b.d.pick(HOWS);
      const child = s.b.spawn(task, how);
      if (child === undefined) return;
      if (s.b.d.chance(0.4)) loosen(s, child);
      const rings = [...s.b.tracker.tasks.get(child)!.files];
      if (rings.length > 0 && s.b.d.chance(0.3)) attempt(s, child, s.b.d.pick(rings));
      attempt(s, child, s.b.ring(child, s.flags));
      if (how === 'vfork') s.b.push({ do: s.b.d.chance(0.7) ? 'exit' : 'exec', task: child });
    },
  ],
  [
    1,
    (s, task) => {
      if (s.b.tracker.runnable(task)?.process.threads.size !== 1) return;
      s.b.push({ do: 'exec', task });
      if (s.b.d.chance(0.4)) loosen(s, task);
      attempt(s, task, s.b.ring(task, s.flags));
    },
  ],
  [
    0.3,
    (s, task) => {
      const ring = s.b.ring(task, (S.SQPOLL | S.SUBMIT_ALL) >>> 0);
      attempt(s, task, ring);
    },
  ],
  [
    2,
    (s, task) => {
      loosen(s, task);
      attempt(s, task, s.b.ring(task, s.flags));
    },
  ],
  [
    2,
    (s, task) => {
      // A message without a ring.
      if (s.outside === undefined) return;
      const { d, abi } = s.b;
      for (let n = d.int(1, 3); n > 0; n--)
        s.b.register(
          task,
          TASK,
          IORING_REGISTER.REGISTER_SEND_MSG_RING,
          d.chance(0.9) ? 1 : 0,
          messageSqe(abi, s.outside, d.edge32(), d.edge64()),
        );
      s.b.push({ do: 'reap', task, ring: s.outside });
    },
  ],
  [
    2,
    (s, task) => {
      // A ring taken out of another task keeps the rules it was made under.
      const { b, flags } = s;
      const { d } = b;
      const how = d.pick(HOWS);
      const child = b.spawn(task, how);
      if (child === undefined) return;
      if (d.chance(0.2)) b.push({ do: 'unshare_user', task: child });
      // Where the parent waits, the child is the one to make it, and goes on in another image.
      const [maker, taker] = how === 'vfork' || d.chance(0.5) ? [child, task] : [task, child];
      if (d.chance(0.4)) loosen(s, maker);
      const ring = b.ring(maker, d.chance(0.2) ? (flags | S.R_DISABLED) >>> 0 : flags);
      if (ring === undefined) return;
      if (d.chance(0.4)) loosen(s, maker, ring);
      if (how === 'vfork') b.push({ do: 'exec', task: child });
      b.push({ do: 'take_ring', task: taker, from: maker, ring });
      if (maker === child && d.chance(0.5)) b.push({ do: 'exit', task: child });
      if (d.chance(0.3)) loosen(s, taker, ring);
      if (d.chance(0.3)) b.enable(taker, ring);
      attempt(s, taker, ring);
    },
  ],
  [
    0.5,
    (s, task) => {
      // A control: a ring from before is not bound, in whose hands ever.
      const { b, outside } = s;
      const child =
        outside === undefined ? undefined : b.spawn(task, b.d.pick(['fork', 'vfork', 'clone_vm', 'clone3'] as const));
      if (child === undefined || outside === undefined) return;
      b.push({ do: 'close_ring', task: child, ring: outside });
      b.push({ do: 'take_ring', task: child, from: task, ring: outside });
      attempt(s, child, outside);
      b.push({ do: 'exit', task: child });
    },
  ],
  [
    1,
    (s, task) => {
      // A ring passed by another task.
      const rings = [...(s.b.tracker.runnable(task)?.files ?? [])];
      if (rings.length === 0) return;
      s.b.push({ do: 'send_ring', task, ring: s.b.d.pick(rings) });
      s.b.push({ do: 'receive_ring', task, ring: 15 });
      attempt(s, task, 15);
    },
  ],
  [
    1,
    (s, task) => {
      s.b.push({ do: s.b.d.chance(0.5) ? 'no_new_privs' : 'drop_cap_sys_admin', task });
      attempt(s, task, s.b.ring(task, s.flags));
    },
  ],
  [
    1.5,
    (s, task) => {
      // Whatever else io_uring_register can do, without a ring and on one.
      const rings = [...(s.b.tracker.runnable(task)?.files ?? [])];
      for (let n = s.b.d.int(1, 4); n > 0; n--)
        drawRegister(s.b, task, rings.length === 0 || s.b.d.chance(0.5) ? TASK : onRing(s.b.d.pick(rings)));
    },
  ],
  // A control: a ring from before is not bound, so the effect comes about there.
  [0.7, (s, task) => attempt(s, task, s.outside)],
];

/** Suite escape. */
export const escapeSuite: Suite = {
  weight: 1,
  opening: 4,
  draw,
  planned: [
    0,
    S.SQPOLL,
    S.SINGLE_ISSUER | S.DEFER_TASKRUN,
    S.SINGLE_ISSUER,
    S.CQE32,
    S.SQE_MIXED,
    S.COOP_TASKRUN | S.TASKRUN_FLAG,
    S.NO_SQARRAY,
    S.SQPOLL,
    S.IOPOLL,
    S.SINGLE_ISSUER | S.DEFER_TASKRUN,
  ].map(disabledRing),
};

function draw(b: Builder): void {
  const { d, abi } = b;
  if (d.chance(0.2)) {
    (d.chance(0.5) ? drawManual : drawRoute)(b);
    return;
  }
  const flags = (drawRingFlags(d) & ~S.SINGLE_ISSUER & ~S.DEFER_TASKRUN) >>> 0;
  const targets = roleTable(abi).all.filter(
    (role) => role.form.probe !== undefined && role.prepared && role.once.length === 0 && fits(role, flags),
  );
  const aboutMessages = d.chance(0.2);
  const messages = roleTable(abi).all.filter(
    (role) => role.opcode === OP.MSG_RING && role.prepared && role.once.length === 0,
  );
  const forbidden = aboutMessages && messages.length > 0 ? d.sample(messages, 2) : d.sample(targets, d.int(1, 3));
  const crew = b.crew({
    count: d.int(1, 4),
    setup_flags: flags,
    flags: 0,
    only: (role) => !forbidden.some((other) => other.opcode === role.opcode),
  });
  const outside = d.chance(aboutMessages ? 1 : 0.5) ? b.ring(0, S.SUBMIT_ALL) : undefined;
  const scene: Scene = { b, crew, forbidden, flags, outside };
  let task = 0;
  if (d.chance(0.25)) b.push({ do: 'no_new_privs', task: 0 });
  forbid(scene, 0);
  if (d.chance(0.2)) task = b.spawn(0, d.pick(HOWS)) ?? 0;
  for (let n = d.int(2, 5); n > 0; n--) {
    if (b.tracker.runnable(task) === undefined) return;
    d.weighted(ROUTES)(scene, task);
  }
}
