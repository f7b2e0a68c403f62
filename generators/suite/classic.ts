/** classic-restrictions: allowlists of opcodes and flags, crossed with filters. */
import { IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { Restriction, Target } from '../../oracle/scenario/types.ts';
import { restriction } from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Weighted } from '../draw.ts';
import { everyFlagRestricted, everyOpcodeRestricted } from './every-opcode.ts';
import { drawRegister } from './register-calls.ts';

const { REGISTER_OP, SQE_OP, SQE_FLAGS_ALLOWED, SQE_FLAGS_REQUIRED } = IORING_RESTRICTION;

/** Kinds of entries; without SQE_OP nothing can be submitted, so those sets are rare. */
const KINDS: Weighted<readonly number[]> = [
  [6, [SQE_OP]],
  [10, [SQE_OP, SQE_FLAGS_ALLOWED]],
  [4, [SQE_OP, SQE_FLAGS_REQUIRED]],
  [4, [SQE_OP, REGISTER_OP]],
  [6, [SQE_OP, REGISTER_OP, SQE_FLAGS_ALLOWED]],
  [4, [SQE_OP, REGISTER_OP, SQE_FLAGS_ALLOWED, SQE_FLAGS_REQUIRED]],
  [2, [REGISTER_OP]],
  [0.7, [SQE_FLAGS_ALLOWED]],
  [0.7, [SQE_FLAGS_REQUIRED]],
  [0.7, [REGISTER_OP, SQE_FLAGS_ALLOWED]],
];

/** Kinds of entries alone and together, sometimes none at all, sometimes the same twice. */
export function drawAllowlist(b: Builder, crew: Crew): Restriction[] {
  const { d, abi } = b;
  const out: Restriction[] = [];
  if (d.chance(0.06)) return out;
  const kinds = d.weighted(KINDS);
  if (kinds.includes(SQE_OP)) {
    const ops = d.some(crew.opcodes, d.pick([0.6, 0.8, 1]));
    for (const op of ops) out.push(restriction(SQE_OP, op));
    if (d.chance(0.3)) out.push(restriction(SQE_OP, d.below(abi.op_last)));
    if (d.chance(0.05)) for (let op = 0; op < abi.op_last; op++) out.push(restriction(SQE_OP, op));
  }
  if (kinds.includes(REGISTER_OP)) {
    for (const op of d.sample(
      [
        IORING_REGISTER.REGISTER_BPF_FILTER,
        IORING_REGISTER.REGISTER_ENABLE_RINGS,
        IORING_REGISTER.REGISTER_RESTRICTIONS,
        IORING_REGISTER.REGISTER_PROBE,
        2,
        3,
        19,
        31,
      ],
      d.int(1, 5),
    ))
      out.push(restriction(REGISTER_OP, op));
    if (d.chance(0.3)) out.push(restriction(REGISTER_OP, d.below(abi.register_last)));
  }
  if (kinds.includes(SQE_FLAGS_ALLOWED))
    out.push(
      restriction(
        SQE_FLAGS_ALLOWED,
        d.pick([0, 4, 0x10, 0x54, 0x1c, 0x50, 0x7f, 0x7f, 0x7e, 0x6f, 0xff, 0xff, d.below(256) | 0x10]),
      ),
    );
  if (kinds.includes(SQE_FLAGS_REQUIRED))
    out.push(restriction(SQE_FLAGS_REQUIRED, d.pick([0, 0, 0, 0, 0x10, 0x10, 0x40, 0x50, 4, 0x80, d.below(128)])));
  // A later entry of the flag kinds replaces an earlier one.
  if (d.chance(0.1) && out.length > 0)
    out.push(restriction(d.pick([SQE_FLAGS_ALLOWED, SQE_FLAGS_REQUIRED]), d.below(256)));
  return d.shuffle(out);
}

/** Suite classic-restrictions. */
export const classicRestrictions: Suite = {
  weight: 2,
  opening: 5,
  draw,
  planned: [
    everyFlagRestricted,
    everyOpcodeRestricted(({ abi }) => abi.op_last - 1),
    everyOpcodeRestricted(() => 0),
    everyOpcodeRestricted(({ d, abi }) => d.below(abi.op_last)),
  ],
};

function draw(b: Builder): void {
  const { d } = b;
  const onTask = d.chance(0.4);
  const plain = drawRingFlags(d);
  const flags = (onTask && d.chance(0.7) ? plain : plain | IORING_SETUP.R_DISABLED) >>> 0;
  const crew = b.crew({
    count: d.int(2, 8),
    setup_flags: flags,
    flags: d.pick([0.1, 0.3, 0.5]),
    links: d.chance(0.6) ? 0 : 0.1,
  });
  if (d.chance(0.15)) b.push({ do: 'no_new_privs', task: 0 });
  const task = onTask ? restrictTask(b, crew) : 0;
  for (let n = d.int(1, 2); n > 0; n--) {
    const ring = b.ring(task, flags);
    if (ring === undefined) return;
    const on = onRing(ring, b.registered(task, ring));
    const disabled = (flags & IORING_SETUP.R_DISABLED) !== 0;
    if (d.chance(0.5)) b.drawFilter(task, on, crew, d.pick(crew.opcodes), { share: 0.6 });
    if (disabled || d.chance(0.1)) setUpRing(b, crew, task, ring, on, onTask);
    b.submit(task, ring, crew, d.int(16, 64));
    if (d.chance(0.5)) useRing(b, crew, task, ring, on);
  }
  if (onTask && d.chance(0.4)) afterExec(b, crew, task, plain);
}

/** A new image, whose rings are bound as the old one's were, and which may register what that might. */
function afterExec(b: Builder, crew: Crew, task: number, flags: number): void {
  const { d } = b;
  if (b.tracker.runnable(task)?.process.threads.size !== 1) return;
  const [before] = b.tracker.runnable(task)!.files;
  const index = before === undefined ? undefined : b.registered(task, before, 0.3);
  b.push({ do: 'exec', task });
  // What was registered is not there in the new image.
  if (before !== undefined && index !== undefined) b.submit(task, before, crew, 4, index);
  if (d.chance(0.5)) b.drawFilter(task, TASK, crew, d.pick(crew.opcodes), { share: 0.6 });
  const ring = b.ring(task, flags);
  if (ring === undefined) return;
  if (d.chance(0.4)) drawRegister(b, task, onRing(ring));
  b.submit(task, ring, crew, d.int(16, 40));
}

/** Binds the root, and says which task goes on: itself or a child. */
function restrictTask(b: Builder, crew: Crew): number {
  const { d } = b;
  // Before anything else; now and then too late.
  if (d.chance(0.12)) b.drawFilter(0, TASK, crew, d.pick(crew.opcodes), { share: 0.8 });
  b.restrict(0, TASK, drawAllowlist(b, crew));
  if (d.chance(0.2)) b.restrict(0, TASK, drawAllowlist(b, crew));
  for (let n = d.chance(0.5) ? d.int(1, 2) : 0; n > 0; n--)
    b.drawFilter(0, TASK, crew, d.pick(crew.opcodes), { share: 0.7 });
  if (d.chance(0.2)) drawRegister(b, 0, TASK);
  const child = d.chance(0.3) ? b.spawn(0, d.pick(['fork', 'thread', 'clone_vm'])) : undefined;
  if (child !== undefined && d.chance(0.6)) {
    // What binds its parent binds its calls without a ring as well.
    if (d.chance(0.6)) b.drawFilter(child, TASK, crew, d.pick(crew.opcodes), { share: 0.7 });
    else drawRegister(b, child, TASK);
  }
  return child ?? 0;
}

/** What is done to a ring before it is enabled; `rarely`: it need not be restricted itself. */
function setUpRing(b: Builder, crew: Crew, task: number, ring: number, on: Target, rarely: boolean): void {
  const { d } = b;
  const registered = on.kind === 'registered' ? { registered: on.index } : {};
  const early = (): void => {
    if (d.chance(0.1)) b.submit(task, ring, crew, 4, registered.registered);
    else if (d.chance(0.05)) b.push({ do: 'submit', task, ring, sqes: [], ...registered });
  };
  early();
  if (!rarely || d.chance(0.3)) b.restrict(task, on, drawAllowlist(b, crew));
  early();
  if (d.chance(0.25)) b.restrict(task, on, drawAllowlist(b, crew));
  if (d.chance(0.4)) drawRegister(b, task, on);
  if (d.chance(0.3)) b.drawFilter(task, on, crew, d.pick(crew.opcodes), { share: 0.6 });
  b.enable(task, ring);
  if (d.chance(0.1)) b.enable(task, ring);
}

/** Calls that the restrictions may refuse, and requests after them. */
function useRing(b: Builder, crew: Crew, task: number, ring: number, on: Target): void {
  const { d } = b;
  for (let more = d.int(1, 8); more > 0; more--) drawRegister(b, task, on);
  b.drawFilter(task, on, crew, d.pick(crew.opcodes), { share: 0.6 });
  if (d.chance(0.3)) b.restrict(task, on, drawAllowlist(b, crew));
  b.submit(task, ring, crew, d.int(8, 48));
}
