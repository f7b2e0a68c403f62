/**
 * combinations: every two things that can come together, by plan. A row of the design says how the ring, its user and
 * its rules come about; the scenario brings that about and makes requests in every way.
 */
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { sharesFiles } from '../../oracle/steps/kind/spawn.ts';
import { CLONE, IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import type { Restriction, Target } from '../../oracle/scenario/types.ts';
import { bpfArg, FILTER_DENY_REST, restriction, spoilBpfArg } from '../args.ts';
import type { Builder } from '../builder.ts';
import { onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { design } from '../pairs/design.ts';
import type { Row } from '../pairs/design.ts';
import { drawProgram } from '../program/valid.ts';
import { roleTable } from '../roles.ts';
import { cloneBuffers, resizeParams, ringFdUpdate } from '../registers.ts';
import { crewOpcodes, waysBatch } from './every-way.ts';
import { drawRegister } from './register-calls.ts';
import { inTurn } from './spec.ts';
import type { Suite, Turn } from './spec.ts';

/** Suite combinations. */
export const combinations: Suite = { weight: 3, opening: 28, draw };

const S = IORING_SETUP;

/** Set-up flags of each level, with those they need. */
const RING_FLAGS: Readonly<Record<Row['ring'], number>> = {
  plain: 0,
  'stops-at-error': 0,
  disabled: S.R_DISABLED,
  iopoll: S.IOPOLL,
  'hybrid-iopoll': S.IOPOLL | S.HYBRID_IOPOLL,
  sqpoll: S.SQPOLL,
  coop: S.COOP_TASKRUN,
  'taskrun-flag': S.COOP_TASKRUN | S.TASKRUN_FLAG,
  'single-issuer': S.SINGLE_ISSUER,
  defer: S.SINGLE_ISSUER | S.DEFER_TASKRUN,
  sqe128: S.SQE128,
  cqe32: S.CQE32,
  'sqe-mixed': S.SQE_MIXED,
  'cqe-mixed': S.CQE_MIXED,
  'no-sqarray': S.NO_SQARRAY,
  'sq-rewind': S.NO_SQARRAY | S.SQ_REWIND,
};

/** How a child of each level is made: kinds to pick from, and CLONE_*. */
const WAYS: Readonly<Record<Exclude<Row['task'], 'root'>, readonly [readonly SpawnHow[], number]>> = {
  fork: [['fork'], 0],
  vfork: [['vfork'], 0],
  thread: [['thread'], 0],
  clone_vm: [['clone_vm'], 0],
  clone3: [['clone3'], 0],
  files: [['fork', 'clone_vm', 'clone3', 'vfork'], CLONE.FILES],
  sighand: [['clone_vm', 'vfork'], CLONE.SIGHAND],
  pidfd: [['fork', 'clone3', 'clone_vm', 'thread'], CLONE.PIDFD],
  newuser: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.NEWUSER],
  fs: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.FS],
  sysvsem: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.SYSVSEM],
  untraced: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.UNTRACED],
  io: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.IO],
  newns: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.NEWNS],
  newuts: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.NEWUTS],
  newipc: [['fork', 'clone3', 'clone_vm', 'vfork'], CLONE.NEWIPC],
  newpid: [['fork', 'clone3', 'clone_vm'], CLONE.NEWPID],
};

/** How tasks on the way to the user are made. */
const ON_THE_WAY: readonly SpawnHow[] = ['fork', 'fork', 'clone3', 'clone_vm', 'thread'];

function draw(b: Builder, turn: Turn): void {
  // All of one design, then the next one.
  let { n } = turn;
  for (let i = 0; ; i++) {
    const rows = design(i);
    if (n < rows.length) {
      new Combination(b, inTurn(rows, { ...turn, n })).draw();
      return;
    }
    n -= rows.length;
  }
}

/** One row on its way to a scenario. */
class Combination {
  readonly #b: Builder;
  readonly #row: Row;
  readonly #crew: Crew;
  readonly #flags: number;
  /** Opcodes that rules are about. */
  readonly #opcodes: readonly number[];
  /** How the user is made. */
  readonly #how: SpawnHow;
  readonly #clone: number;
  /** Generations of the ring's maker and of its user. */
  readonly #maker: number;
  readonly #user: number;
  /** The user enables the ring, which another made. */
  readonly #userEnables: boolean;
  /** It is still disabled when it comes to the user. */
  readonly #enabledLater: boolean;
  /** Generation that registers what the maker inherits. */
  readonly #elder: number;
  /** Tasks by generation; where the user is made by a task that another one made, so is its place here. */
  readonly #line: number[] = [0];
  #ring: number | undefined;
  #sibling: number | undefined;

  constructor(b: Builder, row: Row) {
    const { d } = b;
    this.#b = b;
    this.#row = row;
    [this.#how, this.#clone] = this.#way();
    this.#user = Number(row.generation);
    this.#maker = this.#makerGeneration();
    const apart = this.#maker !== this.#user;
    let flags = RING_FLAGS[row.ring];
    if (row.before === 'resized') flags |= S.SINGLE_ISSUER | S.DEFER_TASKRUN;
    const single = (flags & S.SINGLE_ISSUER) !== 0;
    this.#userEnables = apart && (single || row.hands === 'enabled-by-other');
    this.#enabledLater = this.#userEnables || (single && row.route === 'by-other');
    if (this.#enabledLater || this.#needsDisabled()) flags |= S.R_DISABLED;
    if (row.ring !== 'stops-at-error') flags |= S.SUBMIT_ALL;
    if (row.ring !== 'plain' && row.ring !== 'sqe-mixed' && d.chance(0.15)) flags |= S.SQE128;
    this.#flags = flags >>> 0;
    this.#elder = this.#maker === 0 ? -1 : d.below(this.#maker);
    const opcodes = crewOpcodes(d, flags);
    this.#crew = b.crew({
      opcodes,
      count: 4,
      setup_flags: this.#flags,
      links: 0.1,
      flags: d.pick([0, 0.1, 0.2]),
    });
    // A polled ring's crew has only what such a ring refuses, and filters see nothing of that.
    this.#opcodes = [...new Set([...opcodes, ...this.#crew.opcodes])];
  }

  draw(): void {
    this.#privileges();
    const last = Math.max(this.#maker, this.#user);
    for (let generation = 0; generation <= last; generation++) {
      if (!this.#generation(generation)) return;
      if (generation < last && !this.#next(generation)) return;
    }
    if (this.#ring === undefined) return;
    this.#handOver(this.#ring);
    this.#use(this.#ring);
  }

  #way(): readonly [SpawnHow, number] {
    const { task, hands } = this.#row;
    if (task === 'root') return ['fork', 0];
    const [hows, flags] = WAYS[task];
    const how = this.#b.d.pick(hows);
    // A table in common, where the ring is to be found in one.
    return [how, hands === 'shared' && how !== 'thread' ? flags | CLONE.FILES : flags];
  }

  /** Generation of the task that makes the ring. */
  #makerGeneration(): number {
    const { hands } = this.#row;
    const { d } = this.#b;
    const user = this.#user;
    const common = sharesFiles({ how: this.#how, flags: this.#clone });
    const alien = (this.#clone & CLONE.NEWUSER) !== 0;
    switch (hands) {
      case 'inherited':
        return Math.max(0, common ? user - 2 : user - 1);
      case 'shared':
        return user === 0 ? 1 : user - 1;
      case 'taken':
        return user === 0 || common || alien || d.chance(0.5) ? user + 1 : user - 1;
      default:
        return this.#makesItself() ? user : user === 0 ? 1 : user - 1;
    }
  }

  /** Whether the user makes the ring, where it came to it by no one else. */
  #makesItself(): boolean {
    const { hands, before, ring } = this.#row;
    if (before === 'maker-gone') return false;
    if (hands !== 'enabled-by-other') return true;
    // A sole submitter is whoever enables the ring: the user, then.
    if (before === 'resized' || ring === 'single-issuer' || ring === 'defer') return false;
    if (ring === 'sqpoll' && before.startsWith('exec')) return false;
    return this.#b.d.chance(0.5) || (this.#user === 1 && this.#inherits);
  }

  #needsDisabled(): boolean {
    const { restrictions, route, hands } = this.#row;
    return restrictions === 'ring' || route === 'while-disabled' || hands === 'enabled-by-other';
  }

  /** The ring's maker is to have inherited rules. */
  get #inherits(): boolean {
    return this.#wants('inherited') || this.#row.restrictions === 'inherited';
  }

  #wants(source: 'ring' | 'own' | 'inherited'): boolean {
    return this.#row.filters.split('+').includes(source);
  }

  #privileges(): void {
    const b = this.#b;
    const { before } = this.#row;
    if (before === 'unshared') b.push({ do: 'unshare_user', task: 0 });
    this.#promisesLate = before === 'cap-dropped' && b.d.chance(0.5);
    if ((before === 'cap-dropped' && !this.#promisesLate) || before === 'no-new-privs' || b.d.chance(0.1))
      b.push({ do: 'no_new_privs', task: 0 });
    if (before === 'cap-dropped' && !this.#dropsLater) b.push({ do: 'drop_cap_sys_admin', task: 0 });
  }

  /** Tasks without the capability promise no new privileges one by one, when they register. */
  #promisesLate = false;

  #promise(task: number): void {
    if (this.#promisesLate) this.#b.push({ do: 'no_new_privs', task });
  }

  /** What a task of the line does before the next one is made. */
  #generation(generation: number): boolean {
    const { restrictions, route } = this.#row;
    const task = this.#line[generation]!;
    if (restrictions === 'inherited' && generation === 0 && this.#maker > 0) this.#restrict(task, TASK);
    if (this.#wants('inherited') && generation === this.#elder) this.#filters(task, TASK);
    if (generation !== this.#maker) return true;
    if (route === 'refused-between') this.#refuse(task, TASK);
    if (restrictions === 'own') this.#restrict(task, TASK);
    if (this.#wants('own')) this.#filters(task, TASK);
    return this.#make(task);
  }

  /** The next task of the line. */
  #next(generation: number): boolean {
    const b = this.#b;
    const from = this.#line[generation]!;
    const child =
      generation + 1 === this.#user
        ? b.spawn(from, this.#how, undefined, this.#clone)
        : generation + 1 > this.#user
          ? this.#makerBelow(from)
          : b.spawn(from, b.d.pick(ON_THE_WAY));
    if (child === undefined) return false;
    this.#line.push(child);
    return true;
  }

  /** A child of the user that makes the ring. */
  #makerBelow(from: number): number | undefined {
    const b = this.#b;
    if (this.#row.hands !== 'shared') return b.spawn(from, b.d.pick(['fork', 'clone3', 'clone_vm']));
    return b.d.chance(0.5)
      ? b.spawn(from, 'thread')
      : b.spawn(from, b.d.pick(['fork', 'clone3', 'clone_vm']), undefined, CLONE.FILES);
  }

  #make(task: number): boolean {
    const b = this.#b;
    const { before, restrictions, route } = this.#row;
    const entries = (this.#flags & S.SQE_MIXED) !== 0 ? 256 : 64;
    const ring = b.ring(task, this.#flags, entries);
    if (ring === undefined) return false;
    this.#ring = ring;
    // Of the same maker, with the same rules at first.
    this.#sibling = b.d.chance(0.4) ? b.ring(task, S.SUBMIT_ALL, 16) : undefined;
    if (before === 'resized' && b.d.chance(0.5)) this.#resize(task, ring);
    if (restrictions === 'ring') this.#restrict(task, onRing(ring));
    if (before === 'buffers-cloned') this.#cloneBuffers(task, ring);
    if (route === 'refused-between' && b.d.chance(0.5)) this.#refuse(task, onRing(ring));
    const disabled = (this.#flags & S.R_DISABLED) !== 0;
    if (this.#wants('ring') && route !== 'ring-late' && route !== 'by-other' && (disabled || b.d.chance(0.5)))
      this.#filters(task, this.#target(task, ring));
    if (disabled && !this.#enabledLater) this.#enable(task, ring);
    return true;
  }

  /** A namespace takes the capability, or brings it back: the user drops it when it is there. */
  get #dropsLater(): boolean {
    return this.#row.before === 'cap-dropped' && this.#row.task.startsWith('new');
  }

  /** A ring that its maker enables, or a child of it where another is to. */
  #enable(task: number, ring: number): void {
    const b = this.#b;
    const other =
      this.#row.hands === 'enabled-by-other' ? b.spawn(task, b.d.pick(['fork', 'thread', 'clone3'])) : undefined;
    b.enable(other ?? task, ring);
  }

  /** The ring, by the descriptor or as a registered one. */
  #target(task: number, ring: number): Target {
    return this.#row.route === 'via-registered' ? onRing(ring, this.#registered(task, ring)) : onRing(ring);
  }

  #registered(task: number, ring: number): number {
    const index = this.#b.d.below(16);
    this.#b.register(task, onRing(ring), IORING_REGISTER.REGISTER_RING_FDS, 1, ringFdUpdate(this.#b.abi, ring, index));
    return index;
  }

  #cloneBuffers(task: number, ring: number): void {
    const b = this.#b;
    const source = b.ring(task, S.SUBMIT_ALL, 8);
    if (source === undefined) return;
    const bytes = new Uint8Array(16);
    b.register(task, onRing(source), IORING_REGISTER.REGISTER_BUFFERS, 1, bytes);
    b.register(task, onRing(ring), IORING_REGISTER.REGISTER_CLONE_BUFFERS, 1, cloneBuffers(b.abi, source));
  }

  /** A filter on most opcodes of the crew; with DENY_REST the last one closes what was left out. */
  #filters(task: number, on: Target): void {
    const b = this.#b;
    if (on.kind === 'task') this.#promise(task);
    const { d } = b;
    const { route, filters } = this.#row;
    const sources = filters.split('+').length;
    const rest = route === 'deny-rest';
    const opcodes = d.shuffle(this.#opcodes).slice(0, rest ? d.int(1, 3) : 4);
    for (const [i, opcode] of opcodes.entries()) {
      const flags = rest && i === opcodes.length - 1 ? FILTER_DENY_REST : 0;
      b.drawFilter(task, on, this.#crew, opcode, { share: 0.6 ** (1 / sources), quick: true }, flags);
    }
  }

  /** Restrictions that leave out an opcode of the crew now and then, and a register opcode. */
  #restrict(task: number, on: Target): void {
    const b = this.#b;
    if (on.kind === 'task') this.#promise(task);
    const { d } = b;
    const opcodes = this.#opcodes;
    const big = opcodes.includes(OP.NOP128) && d.chance(0.4);
    const out = big ? OP.NOP128 : d.chance(0.85) ? d.pick(opcodes) : -1;
    const list: Restriction[] = opcodes
      .filter((opcode) => opcode !== out)
      .map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode));
    const flags = d.chance(0.85) ? 0x7f : 0x7f & ~(1 << d.below(7));
    list.push(restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, flags));
    for (const opcode of NEEDED) if (d.chance(0.97)) list.push(restriction(IORING_RESTRICTION.REGISTER_OP, opcode));
    b.restrict(task, on, d.shuffle(list));
  }

  /** A registration that is refused, and would do harm if it were not. */
  #refuse(task: number, on: Target): void {
    const b = this.#b;
    const opcode = b.d.pick(this.#opcodes);
    const program = drawProgram(b.d, this.#crew.contexts(opcode), { share: 0.3, shape: 'compare', quick: true });
    b.registerArg(task, on, spoilBpfArg(b.d, b.abi, bpfArg(b.abi, opcode, program, FILTER_DENY_REST)));
  }

  get #userTask(): number {
    return this.#line[this.#user]!;
  }

  get #makerTask(): number {
    return this.#line[this.#maker]!;
  }

  /** The ring comes to its user, who may have executed itself before that. */
  #handOver(ring: number): void {
    const b = this.#b;
    const { before, route } = this.#row;
    const [user, maker] = [this.#userTask, this.#makerTask];
    const takes = user !== maker && b.tracker.runnable(user)?.files.has(ring) !== true;
    if (before === 'exec-once' || before === 'exec-twice') this.#execute(user, ring, takes);
    // Out of its user namespace it may take nothing, whatever there is.
    const { parent } = b.tracker.tasks.get(user)!;
    if (this.#row.task === 'newuser' && parent?.alive === true)
      b.push({ do: 'take_ring', task: user, from: parent.id, ring });
    if (takes) b.push({ do: 'take_ring', task: user, from: maker, ring });
    if (before === 'exec-twice') b.push({ do: 'exec', task: user });
    if (this.#dropsLater) b.push({ do: 'drop_cap_sys_admin', task: user });
    if (route === 'by-other') this.#filters(user === maker ? (b.spawn(user, 'fork') ?? user) : user, onRing(ring));
    if (this.#enabledLater) b.enable(this.#userEnables ? user : maker, ring);
    this.#later(user);
    this.#ends(user, maker);
  }

  #execute(user: number, ring: number, takes: boolean): void {
    const b = this.#b;
    const { hands, before } = this.#row;
    const index = !takes && b.d.chance(0.5) ? this.#registered(user, ring) : undefined;
    b.push({ do: 'exec', task: user });
    // What was registered is gone with the old image.
    if (index !== undefined) this.#enter(user, ring, index);
    if (before === 'exec-twice' && (takes || hands === 'registered')) b.push({ do: 'exec', task: user });
  }

  /** Those who are to be gone when the ring is used. */
  #ends(user: number, maker: number): void {
    const b = this.#b;
    const { before } = this.#row;
    const parent = b.tracker.tasks.get(user)?.parent;
    if (before !== 'parent-gone' && before !== 'maker-gone') return;
    const gone = before === 'maker-gone' ? maker : parent?.id;
    if (gone === undefined || gone === user) return;
    // A parent that waits for its child goes on when that is another program.
    if (b.tracker.tasks.get(gone)?.waitsFor !== undefined) b.push({ do: 'exec', task: user });
    b.push({ do: 'exit', task: gone });
  }

  #use(ring: number): void {
    const b = this.#b;
    const { d } = b;
    const { before, hands, route } = this.#row;
    const user = this.#userTask;
    if (b.tracker.runnable(user) === undefined) return;
    if (before === 'resized') this.#resize(user, ring);
    if (before === 'calls') for (let n = d.int(1, 2); n > 0; n--) drawRegister(b, user, onRing(ring));
    // Requests may name credentials that are there.
    const named = before === 'calls' || (before !== 'nothing' && d.chance(0.5));
    if (named) b.register(user, onRing(ring), IORING_REGISTER.REGISTER_PERSONALITY);
    if (this.#wants('ring') && route !== 'ring-late' && route !== 'by-other' && (this.#flags & S.R_DISABLED) === 0)
      this.#filters(user, this.#target(user, ring));
    const registered = hands === 'registered' ? this.#registered(user, ring) : undefined;
    if (registered !== undefined && d.chance(0.3)) this.#notInherited(user, ring, registered);
    const drains = d.chance(0.3);
    const requests = (last: boolean): void =>
      waysBatch(b, this.#crew, user, ring, { registered, named, skips: !drains, drains: drains && last });
    if (route === 'ring-late') {
      b.submit(user, ring, this.#crew, 6, registered);
      this.#filters(user, this.#target(user, ring));
    }
    if (this.#sibling !== undefined) b.submit(this.#makerTask, this.#sibling, this.#crew, 8);
    if (d.chance(0.4)) requests(false);
    requests(true);
    if (d.chance(0.3)) b.submit(user, b.ring(user, (this.#flags & ~S.R_DISABLED & ~S.SQPOLL) >>> 0), this.#crew, 12);
    // Last of all: there is no child behind it.
    if (before === 'cap-dropped' && !this.#dropsLater)
      b.spawn(user, 'clone3', undefined, d.pick([CLONE.NEWNS, CLONE.NEWUTS, CLONE.NEWIPC, CLONE.NEWPID]));
  }

  /** A child has none of its parent's registered descriptors, nor anything else of io_uring's yet. */
  #notInherited(user: number, ring: number, registered: number): void {
    const b = this.#b;
    const child = b.spawn(user, b.d.pick(['fork', 'clone3', 'thread']));
    if (child === undefined) return;
    this.#enter(child, ring, registered);
    b.filter(child, { kind: 'registered', index: registered }, this.#opcodes[0]!, [{ code: 0x06, jt: 0, jf: 0, k: 0 }]);
  }

  #enter(task: number, ring: number, registered: number): void {
    const b = this.#b;
    b.push({ do: 'submit', task, ring, registered, sqes: [this.#crew.sqe(roleTable(b.abi).nop)] });
  }

  #resize(task: number, ring: number): void {
    const bytes = resizeParams(this.#b.abi, this.#b.d.pick([64, 128, 256]));
    this.#b.register(task, onRing(ring), IORING_REGISTER.REGISTER_RESIZE_RINGS, 1, bytes);
  }

  /** Registrations that must not touch the ring. */
  #later(user: number): void {
    const b = this.#b;
    const maker = this.#makerTask;
    const on = (task: number | undefined): void => {
      if (task === undefined) return;
      // A parent that waits for its child goes on when that is another program.
      if (b.tracker.tasks.get(task)?.waitsFor !== undefined) b.push({ do: 'exec', task: user });
      if (b.tracker.runnable(task) !== undefined) this.#filters(task, TASK);
    };
    switch (this.#row.route) {
      case 'task-after':
        on(maker);
        break;
      case 'user-own':
        if (user !== maker) on(user);
        break;
      case 'parent-after':
        on(b.tracker.tasks.get(maker)?.parent?.id);
        break;
      case 'child-after':
        on(user > maker ? user : b.spawn(maker, b.d.pick(['fork', 'thread', 'clone_vm', 'clone3'])));
        break;
      case 'refused-between':
        this.#refuse(user, TASK);
        break;
      default:
        break;
    }
  }
}

const R = IORING_REGISTER;
/** Register opcodes that the scenarios go on with. */
const NEEDED: readonly number[] = [
  R.REGISTER_BUFFERS,
  R.REGISTER_PERSONALITY,
  R.REGISTER_RESTRICTIONS,
  R.REGISTER_ENABLE_RINGS,
  R.REGISTER_RING_FDS,
  R.REGISTER_CLONE_BUFFERS,
  R.REGISTER_RESIZE_RINGS,
  R.REGISTER_BPF_FILTER,
];
