/**
 * refusals: every way in which a registration is refused, on a target in every state, by plan; then a good one, then
 * requests on everyone who could have been touched.
 */
import { ARENA_END } from '../../oracle/scenario/layout.ts';
import type { BpfArg, Placement, Restriction, Target } from '../../oracle/scenario/types.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import {
  bpfArg,
  FILTER_DENY_REST,
  oddCount,
  restriction,
  ringRestrictions,
  spoilTaskRestrictions,
  taskRestrictions,
} from '../args.ts';
import type { Builder } from '../builder.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Draw } from '../draw.ts';
import { POSSIBLE_CELLS } from '../pairs/refusals.ts';
import type { Cell } from '../pairs/refusals.ts';
import { spoil } from '../program/invalid.ts';
import { drawProgram } from '../program/valid.ts';
import { inTurn } from './spec.ts';
import type { Suite, Turn } from './spec.ts';

/** Suite refusals. */
export const refusals: Suite = { weight: 2, opening: 16, draw };

const S = IORING_SETUP;

function draw(b: Builder, turn: Turn): void {
  new Refusal(b, inTurn(POSSIBLE_CELLS, turn)).draw();
}

const UNREADABLE: readonly Placement[] = [{ raw: BigInt(ARENA_END) }, { raw: 0xffff_ffff_ffff_f000n }, { raw: 1n }];

type Spoil = (d: Draw, arg: BpfArg, b: Builder) => BpfArg;
const oneOf = <T>(list: readonly T[], at: number, value: T): T[] => list.map((old, i) => (i === at ? value : old));

/** What makes struct io_uring_bpf one that each rule refuses. */
const SPOILT: Readonly<Record<string, Spoil>> = {
  'filter-reg.nr-args': (_d, arg) => arg,
  'filter-reg.fault': (d, arg) => ({ ...arg, placement: d.pick<Placement>([...UNREADABLE, { raw: 0n }, 'straddle']) }),
  'filter-reg.cmd-type': (d, arg) => ({ ...arg, cmd_type: d.pick([0, 2, 0x101, 0x8001]) }),
  'filter-reg.cmd-flags': (d, arg) => ({ ...arg, cmd_flags: 1 << d.below(16) }),
  'filter-reg.resv': (d, arg) => ({ ...arg, resv: (1 << d.below(32)) >>> 0 }),
  'filter-reg.opcode': (d, arg, { abi }) => ({
    ...arg,
    opcode: d.pick([abi.op_last, 0x100, 0x8000_0000, 0xffff_ffff]),
  }),
  'filter-reg.flags': (d, arg) => ({ ...arg, flags: (arg.flags | (4 << d.below(30))) >>> 0 }),
  'filter-reg.filter-resv': (d, arg) => ({
    ...arg,
    resv_filter: oneOf<number>([0, 0, 0], d.below(3), 1 << d.below(8)) as [number, number, number],
  }),
  'filter-reg.filter-resv2': (d, arg) => ({
    ...arg,
    resv2: oneOf<bigint>([0n, 0n, 0n, 0n, 0n], d.below(5), 1n << BigInt(d.below(64))) as unknown as BpfArg['resv2'],
  }),
  'filter-reg.len': (d, arg) => ({ ...arg, filter_len: d.pick([0, 4097, 0x1_0000, 0x8000_0001]) }),
  'filter-reg.pdu.larger': (d, arg) => ({ ...arg, pdu_size: d.int(arg.pdu_size + 1, 0xff) }),
  'filter-reg.pdu.strict': (d, arg) => ({ ...arg, flags: arg.flags | 2, pdu_size: d.int(arg.pdu_size + 1, 0xff) }),
  'filter-reg.pdu.write-back-fault': (_d, arg) => ({ ...arg, placement: 'read-only' }),
  'filter-reg.program-null': (_d, arg) => ({ ...arg, program_placement: { raw: 0n } }),
  'filter-reg.program-fault': (d, arg) => ({ ...arg, program_placement: d.pick(UNREADABLE) }),
  'filter-reg.program-invalid': (d, arg, { abi }) => {
    const program = spoil(d, arg.program, abi.ctx_size);
    return { ...arg, program, filter_len: program.length };
  },
};

/** One cell on its way to a scenario. */
class Refusal {
  readonly #b: Builder;
  readonly #cell: Cell;
  readonly #crew: Crew;
  readonly #flags: number;
  /** The target is a ring. */
  readonly #onRing: boolean;
  /** Who registers, its parent and its children. */
  #task = 0;
  #parent: number | undefined;
  readonly #children: number[] = [];
  #ring: number | undefined;

  constructor(b: Builder, cell: Cell) {
    const { d } = b;
    this.#b = b;
    this.#cell = cell;
    this.#onRing = cell.call.endsWith('ring');
    let flags = drawRingFlags(d) & ~(S.SQPOLL | S.SINGLE_ISSUER | S.DEFER_TASKRUN);
    if (cell.rule === 'register.single-issuer') flags |= S.SINGLE_ISSUER;
    this.#flags = flags >>> 0;
    this.#crew = b.crew({
      count: d.int(2, 3),
      setup_flags: this.#flags,
      flags: 0,
      links: 0,
      // What they act on is of no interest here, and would only make them race.
      only: (role) => role.prepared && role.touches.length === 0,
    });
  }

  draw(): void {
    const b = this.#b;
    this.#set();
    if (this.#ring === undefined) return;
    if (this.#cell.state === 'shared' || b.d.chance(0.3)) this.#bear();
    this.#requests(6);
    for (let n = b.d.int(1, 2); n > 0; n--) this.#refused();
    // Two faults at once tell the order of the checks.
    if (b.d.chance(0.4)) this.#refusedTwice();
    this.#good();
    if (this.#stillDisabled) b.enable(this.#owner, this.#ring);
    this.#requests(12);
  }

  /** Task and ring get what the target is to have. */
  #set(): void {
    const b = this.#b;
    const { state, rule } = this.#cell;
    const ofRing = this.#onRing;
    const shared = state === 'shared';
    const fromAbove = state === 'inherited' || state === 'both' || (shared && b.d.chance(0.5));
    const own = state === 'own' || state === 'both' || (shared && !fromAbove) || rule === 'register.restricted';
    // A ring inherits of its own maker; a task of its parent only.
    const sole = rule === 'register.single-issuer';
    if (fromAbove && (!ofRing || sole || b.d.chance(0.5))) this.#bind(0, TASK, true);
    if ((fromAbove && !ofRing) || sole || b.d.chance(0.5)) this.#descend();
    if (fromAbove && ofRing && !sole) this.#bind(this.#task, TASK);
    if (own && !ofRing) this.#bind(this.#task, TASK);
    this.#makeRing(own && ofRing);
  }

  /** A child of the root takes over. */
  #descend(): void {
    const child = this.#b.spawn(0, this.#b.d.pick(['fork', 'clone3', 'clone_vm', 'thread']));
    if (child === undefined) return;
    this.#parent = 0;
    this.#task = child;
  }

  #bear(): void {
    const child = this.#b.spawn(this.#task, this.#b.d.pick(['fork', 'clone3', 'clone_vm', 'thread']));
    if (child !== undefined) this.#children.push(child);
  }

  /** Who made the ring that is the target. */
  get #owner(): number {
    return this.#cell.rule === 'register.single-issuer' ? (this.#parent ?? 0) : this.#task;
  }

  /** Rules that leave most open: restrictions where the refusal is about them, filters otherwise. */
  #bind(task: number, on: Target, first = false): void {
    const b = this.#b;
    const { call, rule, state } = this.#cell;
    const blind = rule === 'register.restricted.blind' && (first || on.kind === 'task');
    const classic =
      blind ||
      (rule === 'register.restricted' && (on.kind !== 'task' || state === 'inherited')) ||
      (rule === 'classic-reg.once' && (state === 'inherited' || b.d.chance(0.5)));
    if (classic) b.restrict(task, on, this.#allowlist(rule.startsWith('register.restricted')));
    if (classic && blind) return;
    if (call === 'restrictions on task' && b.d.chance(0.3)) b.restrict(task, on, this.#allowlist(false));
    for (const [i, opcode] of this.#crew.opcodes.entries())
      if (i === 0 || b.d.chance(0.8)) b.drawFilter(task, on, this.#crew, opcode, { share: 0.75, quick: true });
  }

  #allowlist(withoutFilters: boolean): Restriction[] {
    const { d } = this.#b;
    const { opcodes } = this.#crew;
    const list: Restriction[] = [];
    // A set of register operations alone is a set, too.
    if (this.#cell.rule !== 'task-classic-reg.once' || d.chance(0.7)) {
      for (const [i, opcode] of opcodes.entries())
        if (i === 0 || d.chance(0.8)) list.push(restriction(IORING_RESTRICTION.SQE_OP, opcode));
      list.push(restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, 0x7f));
    }
    for (const opcode of [IORING_REGISTER.REGISTER_ENABLE_RINGS, IORING_REGISTER.REGISTER_RESTRICTIONS])
      list.push(restriction(IORING_RESTRICTION.REGISTER_OP, opcode));
    if (!withoutFilters) list.push(restriction(IORING_RESTRICTION.REGISTER_OP, IORING_REGISTER.REGISTER_BPF_FILTER));
    return list;
  }

  /** The ring is disabled until everything was registered: only then restrictions are taken. */
  get #stillDisabled(): boolean {
    const { call, rule } = this.#cell;
    return call === 'restrictions on ring' && rule !== 'classic-reg.not-disabled' && rule !== 'register.single-issuer';
  }

  #makeRing(bound: boolean): void {
    const b = this.#b;
    const { rule } = this.#cell;
    const owner = this.#owner;
    const restricted = bound && rule === 'register.restricted';
    const disabled = restricted || this.#stillDisabled || rule === 'classic-reg.once';
    // The child of a ring's owner has it from its birth on.
    const early = owner !== this.#task;
    this.#ring = b.ring(owner, disabled ? (this.#flags | S.R_DISABLED) >>> 0 : this.#flags, 64);
    if (this.#ring === undefined) return;
    if (bound) this.#bind(owner, onRing(this.#ring));
    if (rule === 'classic-reg.once' && bound) b.restrict(owner, onRing(this.#ring), this.#allowlist(false));
    if (disabled && !this.#stillDisabled) b.enable(owner, this.#ring);
    if (!early) return;
    const heir = b.spawn(owner, b.d.pick(['fork', 'clone3', 'thread']));
    if (heir !== undefined) this.#task = heir;
  }

  get #target(): Target {
    return this.#onRing ? onRing(this.#ring!) : TASK;
  }

  /** The registration that is refused; it would do most harm if it were taken. */
  #refused(): void {
    const b = this.#b;
    const { call, rule } = this.#cell;
    if (rule.endsWith('.privilege')) b.push({ do: 'drop_cap_sys_admin', task: this.#task });
    if (call.startsWith('filter')) this.#refusedFilter();
    else if (call === 'restrictions on ring') this.#refusedOnRing();
    else this.#refusedOnTask();
  }

  #refusedFilter(): void {
    const b = this.#b;
    const { d } = b;
    const { rule } = this.#cell;
    const opcode = d.pick(this.#crew.opcodes);
    const program = drawProgram(d, this.#crew.contexts(opcode), { share: 0.3, shape: 'compare', quick: true });
    const good = bpfArg(b.abi, opcode, program, d.chance(0.6) ? FILTER_DENY_REST : 0);
    b.registerArg(
      this.#task,
      this.#target,
      SPOILT[rule]?.(d, good, b) ?? good,
      rule === 'filter-reg.nr-args' ? oddCount(d) : 1,
    );
  }

  #refusedTwice(): void {
    const b = this.#b;
    const { d } = b;
    if (this.#cell.call === 'restrictions on task') {
      if (d.chance(0.3)) b.push({ do: 'drop_cap_sys_admin', task: this.#task });
      let arg = taskRestrictions(this.#harsh());
      for (let n = 2; n > 0; n--) arg = spoilTaskRestrictions(d, b.abi, arg);
      const count = d.chance(0.4) ? oddCount(d) : 1;
      b.push({ do: 'register_task_restrictions', task: this.#task, on: TASK, nr_args: count, arg });
      return;
    }
    if (!this.#cell.call.startsWith('filter')) return;
    const opcode = d.pick(this.#crew.opcodes);
    const program = drawProgram(d, this.#crew.contexts(opcode), { share: 0.3, shape: 'compare', quick: true });
    let arg = bpfArg(b.abi, opcode, program, FILTER_DENY_REST);
    for (const spoilt of d.sample(Object.values(SPOILT), 2)) arg = spoilt(d, arg, b);
    b.registerArg(this.#task, this.#target, arg, d.chance(0.2) ? oddCount(d) : 1);
  }

  /** Entries that would forbid everything, with what is wrong. */
  #harsh(): Restriction[] {
    const { d, abi } = this.#b;
    const list = [restriction(IORING_RESTRICTION.SQE_FLAGS_REQUIRED, 0x10)];
    if (this.#cell.rule !== 'classic-reg.kind') return list;
    const bad = d.pick([
      restriction(d.pick([4, 0x8000]), 0),
      restriction(IORING_RESTRICTION.SQE_OP, abi.op_last),
      restriction(IORING_RESTRICTION.REGISTER_OP, abi.register_last),
    ]);
    return d.chance(0.5) ? [...list, bad] : [bad, ...list];
  }

  #refusedOnRing(): void {
    const b = this.#b;
    const { d, abi } = b;
    const { rule } = this.#cell;
    const restrictions = this.#harsh();
    const most = 4 + abi.op_last + abi.register_last;
    let arg = ringRestrictions(restrictions);
    let count = restrictions.length;
    if (rule === 'classic-reg.nr-args' && d.chance(0.5)) arg = { ...arg, placement: { raw: 0n } };
    else if (rule === 'classic-reg.nr-args') count = d.pick([most + 1, 0xffff_ffff]);
    if (rule === 'classic-reg.fault') arg = { ...arg, placement: d.pick(UNREADABLE) };
    if (rule === 'classic-reg.once') b.restrict(this.#task, this.#target, this.#allowlist(false));
    b.push({ do: 'register_restrictions', task: this.#task, on: this.#target, nr_args: count, arg });
  }

  #refusedOnTask(): void {
    const b = this.#b;
    const { d, abi } = b;
    const { rule } = this.#cell;
    const good = taskRestrictions(this.#harsh());
    const most = 4 + abi.op_last + abi.register_last;
    const arg =
      rule === 'task-classic-reg.flags'
        ? { ...good, flags: 1 << d.below(16) }
        : rule === 'task-classic-reg.resv'
          ? { ...good, resv: oneOf<number>([0, 0, 0], d.below(3), 1) as [number, number, number] }
          : rule === 'task-classic-reg.fault'
            ? { ...good, placement: d.pick<Placement>([...UNREADABLE, { raw: 0n }]) }
            : rule === 'classic-reg.nr-args'
              ? { ...good, nr_res: d.pick([most + 1, 0xffff]) }
              : rule === 'classic-reg.fault'
                ? { ...good, nr_res: 100, placement: 'straddle' as const }
                : good;
    const count = rule === 'task-classic-reg.nr-args' ? oddCount(d) : 1;
    b.push({ do: 'register_task_restrictions', task: this.#task, on: TASK, nr_args: count, arg });
  }

  /** The same target takes a good one. */
  #good(): void {
    const b = this.#b;
    const { rule } = this.#cell;
    if (rule.endsWith('.privilege') || this.#cell.call === 'restrictions on task')
      b.push({ do: 'no_new_privs', task: this.#task });
    const task = this.#onRing ? this.#owner : this.#task;
    if (this.#cell.call.startsWith('restrictions') && b.d.chance(0.7))
      b.restrict(task, this.#target, this.#allowlist(false));
    b.drawFilter(task, this.#target, this.#crew, b.d.pick(this.#crew.opcodes), { share: 0.7, quick: true });
  }

  /** Rings that were made to be looked at, and who made them. */
  readonly #made: { readonly task: number; readonly ring: number }[] = [];

  /** On the ring, on those made before, and on one made now, by everyone. */
  #requests(size: number): void {
    const b = this.#b;
    const flags = (this.#flags & ~S.SINGLE_ISSUER) >>> 0;
    if (this.#ring !== undefined) b.submit(this.#owner, this.#ring, this.#crew, size);
    for (const { task, ring } of this.#made) b.submit(task, ring, this.#crew, size);
    for (const task of new Set([
      this.#task,
      this.#owner,
      ...this.#children,
      ...(this.#parent === undefined ? [] : [this.#parent]),
    ])) {
      if (b.tracker.rings.size >= 12) return;
      const ring = b.ring(task, flags, 16);
      b.submit(task, ring, this.#crew, size);
      if (ring !== undefined) this.#made.push({ task, ring });
    }
  }
}
