/** The requests of a scenario: which opcodes and forms take part, with which flags and user_data. */
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { OP, opSpecs } from '../oracle/opcodes/index.ts';
import { contextWords } from '../oracle/model/evaluate.ts';
import { IOSQE, IORING_SETUP } from '../oracle/uapi/constants.ts';
import type { Fixture } from '../oracle/scenario/layout.ts';
import type { Sqe } from '../oracle/scenario/types.ts';
import type { Draw, Weighted } from './draw.ts';
import type { ProgramContexts } from './program/body.ts';
import { fits, roleTable } from './roles.ts';
import type { Role, RoleTable } from './roles.ts';
import { spoil } from './spoil.ts';
import { drawVariant } from './variants.ts';
import type { VariedField } from './variants.ts';
import { drawUserData } from './user-data.ts';
import type { UserData } from './user-data.ts';

const { IO_LINK, IO_HARDLINK, IO_DRAIN, ASYNC, CQE_SKIP_SUCCESS, FIXED_FILE, BUFFER_SELECT } = IOSQE;
const LINKS = IO_LINK | IO_HARDLINK;
const SAMPLES = 8;
/** The first ones that a ring registers, and some whose low byte is theirs. */
const PERSONALITIES: readonly number[] = [1, 1, 2, 3, 0x101, 0x102, 0x8001, 0xffff];
/** Fields of an SQE that are part of what a filter sees, by opcode. */
const SHOWN: Readonly<Record<number, readonly VariedField[]>> = {
  [OP.SOCKET]: ['fd', 'off', 'len', 'len'],
  [OP.OPENAT]: ['op_flags', 'op_flags', 'len'],
};
/** Opcodes whose SQE has 128 bytes. */
const BIG = opSpecs.filter(({ takesTwoSlots }) => takesTwoSlots).map(({ opcode }) => opcode);

const TAKES_BIG = IORING_SETUP.SQE128 | IORING_SETUP.SQE_MIXED;

/** What is wanted of a crew. */
export interface CrewWish {
  /** Opcodes that must take part. */
  readonly opcodes?: readonly number[];
  /** How many opcodes in all; default 1 .. 6. */
  readonly count?: number;
  /** Only forms for which this holds. */
  readonly only?: (role: Role) => boolean;
  /** Share of link flags, 0 .. 1. */
  readonly links?: number;
  /** Share of requests that carry an extra flag. */
  readonly flags?: number;
  /** At most so many different forms of an opcode; default 6. */
  readonly forms?: number;
  /** Share of forms that have a variant, which differs in some bits of a field; default 0 or more. */
  readonly wide?: number;
  /** Setup flags of the rings the requests are meant for. */
  readonly setup_flags?: number;
}

/** Opcodes that need a ring with 128-byte SQEs or change what later requests mean are drawn less often. */
const RARE_FLAGS: Weighted<number> = [
  [8, ASYNC],
  [3, CQE_SKIP_SUCCESS],
  [0.7, IO_DRAIN],
  [1, FIXED_FILE],
  [0.5, BUFFER_SELECT],
  [0.4, 0x80],
  [1, ASYNC | CQE_SKIP_SUCCESS],
];

/** How a batch has used a resource so far. */
interface Touched {
  readonly changed: boolean;
  /** Number of the chain that used it, or SEVERAL. */
  readonly chain: number;
}
const SEVERAL = -1;
/** The table of direct descriptors of the ring that is submitted to. */
const DIRECT = 'files:0';

/** What a request acts on, and what of it it changes. */
type Use = Pick<Role, 'touches' | 'changes'>;

/** Draws the requests of one scenario. */
export class Crew {
  readonly abi: AbiProfile;
  readonly opcodes: readonly number[];
  readonly fixtures: Set<Fixture>;
  readonly #d: Draw;
  readonly #table: RoleTable;
  /** Palette: the forms in use, by opcode. */
  readonly #palette = new Map<number, readonly Role[]>();
  readonly #flags: Weighted<number>;
  readonly #flagRate: number;
  readonly #linkRate: number;
  readonly #linkKinds: readonly number[];
  readonly #userData: UserData;
  readonly #spoilRate: number;
  /** Share of forms that have a variant in the palette as well. */
  readonly #wideRate: number;
  /** One scenario in a hundred lets requests of one batch race: what becomes of them is not judged. */
  #races: boolean;
  #raced = false;
  /**
   * All but one batch in 64 keep apart what may race once the world is no longer fresh, and let requests without a
   * CQE change nothing: so that few answers are open.
   */
  #careful = true;
  /** What requests drawn so far, by whatever crew of the scenario, may have changed. */
  readonly #stirred: Set<string>;
  readonly #used = new Set<string>();
  readonly #contexts = new Map<number, ProgramContexts>();
  /** Credentials were registered with the ring: some requests name them. */
  hasPersonality = false;
  #count = 0;

  constructor(d: Draw, abi: AbiProfile, fixtures: Set<Fixture>, wish: CrewWish = {}, stirred = new Set<string>()) {
    this.#d = d;
    this.abi = abi;
    this.fixtures = fixtures;
    this.#stirred = stirred;
    this.#table = roleTable(abi);
    this.#userData = drawUserData(d);
    this.#flagRate = wish.flags ?? (d.chance(0.5) ? 0 : d.pick([0.05, 0.15, 0.4]));
    this.#linkRate = wish.links ?? (d.chance(0.75) ? 0 : 0.15);
    this.#linkKinds = d.pick([[IO_LINK], [IO_HARDLINK], [IO_LINK, IO_HARDLINK], [IO_LINK, IO_LINK, LINKS]]);
    this.#races = d.chance(0.01);
    this.#spoilRate = d.chance(0.75) ? 0 : d.pick([0.02, 0.05, 0.1]);
    this.#wideRate = wish.wide ?? (d.chance(0.6) ? 0 : d.pick([0.1, 0.2, 0.5]));
    // What filters see behind a drain depends on timing, so such scenarios say less.
    const drains = d.chance(wish.links === undefined ? 0.1 : 0.3);
    this.#flags = d.some(RARE_FLAGS, 0.6).filter(([, flags]) => drains || (flags & IO_DRAIN) === 0);
    this.#drawPalette(wish);
    this.opcodes = [...this.#palette.keys()];
  }

  /** Draws the opcodes that take part, and a few forms of each. */
  #drawPalette({ opcodes = [], count: wanted, forms = 6, setup_flags: setup = 0, only }: CrewWish): void {
    const d = this.#d;
    const usable = (role: Role): boolean => fits(role, setup) && (only?.(role) ?? true);
    const count = wanted ?? d.int(1, 6);
    const big = (setup & TAKES_BIG) !== 0 && d.chance(0.5) ? [d.pick(BIG)] : [];
    for (const opcode of [...opcodes, ...big, ...d.sample(drawableOpcodes(this.abi), count + 8)]) {
      if (this.#palette.size >= Math.max(count, opcodes.length + big.length)) break;
      const roles = (this.#table.byOpcode[opcode] ?? []).filter(usable);
      if (roles.length === 0 || this.#palette.has(opcode)) continue;
      // A few forms each, so that one scenario sees the same payload more than once.
      const some = d.sample(roles, d.int(2, forms));
      if (this.#wideRate > 0) some.push(...this.#widen(opcode, some));
      const mostlyPrepared = d.chance(0.75) && some.some((role) => role.prepared);
      this.#palette.set(opcode, mostlyPrepared ? some.filter((role) => role.prepared || d.chance(0.3)) : some);
    }
    if (this.#palette.size === 0) this.#palette.set(0, [this.#table.nop]);
  }

  /** More requests of an opcode: some that differ in every byte of what filters see, and variants of these. */
  #widen(opcode: number, roles: readonly Role[]): readonly Role[] {
    const d = this.#d;
    const wide = this.#table.wide[opcode]!;
    const drawn = wide.length === 0 ? [] : d.sample(wide, d.int(2, 10));
    const shown = SHOWN[opcode];
    const variants =
      shown === undefined
        ? roles.flatMap((role) => (d.chance(this.#wideRate) ? (drawVariant(d, role, this.abi) ?? []) : []))
        : // Two of each, so that filters can tell them apart by that field alone.
          d
            .sample(roles, 3)
            .flatMap((role) =>
              [shown, shown, undefined].flatMap((fields) => drawVariant(d, role, this.abi, fields) ?? []),
            );
    return [...drawn, ...variants];
  }

  /** Contexts that this crew's requests of one opcode show a filter. */
  contexts(opcode: number): ProgramContexts {
    let known = this.#contexts.get(opcode);
    if (known === undefined) {
      known = this.#sample(opcode);
      this.#contexts.set(opcode, known);
    }
    return known;
  }

  #sample(opcode: number): ProgramContexts {
    const d = this.#d;
    const { abi } = this;
    const roles = (this.#palette.get(opcode) ?? this.#table.byOpcode[opcode] ?? []).filter((role) => role.prepared);
    const contexts: Uint32Array[] = [];
    // Opcodes that hardly take part need no more than an example.
    for (let i = this.#palette.has(opcode) ? SAMPLES : 2; i > 0; i--) {
      const role = roles.length === 0 ? undefined : roles[i % roles.length]!;
      const flags = (role?.adds ?? 0) | (role?.form.sqe.flags ?? 0) | this.#drawFlags();
      contexts.push(contextWords(abi, opcode, flags & abi.sqe_flags, this.#userData.at(d.below(100)), role?.payload));
    }
    const words: number[] = [];
    const first = contexts[0]!;
    for (let word = 0; word < abi.ctx_size >>> 2; word++) {
      const differs = contexts.some((ctx) => ctx[word] !== first[word]);
      if (differs) words.push(word, word, word);
      else if (first[word] !== 0) words.push(word);
    }
    return { ctx_size: abi.ctx_size, contexts, words };
  }

  #drawFlags(): number {
    const d = this.#d;
    let flags = 0;
    if (this.#flags.length > 0 && d.chance(this.#flagRate)) flags |= d.weighted(this.#flags);
    if (d.chance(this.#linkRate)) flags |= d.pick(this.#linkKinds);
    return flags;
  }

  /** A new request that stands in no relation to others; `touched` guards against races inside a batch. */
  #request(setupFlags: number, touched: Map<string, Touched>, chain: number): { role: Role; flags: number } {
    const d = this.#d;
    for (let attempt = 0; attempt < 6; attempt++) {
      const roles = this.#palette.get(d.pick(this.opcodes))!;
      let role = d.pick(roles);
      if (!fits(role, setupFlags)) continue;
      if (role.once.some((name) => this.#used.has(name))) {
        if (role.ghost === undefined) continue;
        role = role.ghost;
      }
      let flags = (role.form.sqe.flags ?? 0) | this.#drawFlags();
      // Whether these post a CQE is left open by the manual pages.
      if (skipsInDoubt(role, flags) && !d.chance(0.1)) flags &= ~CQE_SKIP_SUCCESS;
      if (this.#careful && role.changes.size > 0) flags &= ~CQE_SKIP_SUCCESS | (role.form.sqe.flags ?? 0);
      if (!this.#joins(this.#useOf(role, flags), touched, chain)) continue;
      this.#note(role);
      return { role, flags };
    }
    return { role: this.#table.nop, flags: this.#drawFlags() };
  }

  /** Notes what a request of a chain uses; false, and nothing is noted, where it would race and must not. */
  #joins(use: Use, touched: Map<string, Touched>, chain: number): boolean {
    if (clashes(use, touched, chain)) {
      if (!this.#races || !this.#d.chance(0.2)) return false;
      this.#raced = true;
    }
    touch(use, touched, chain);
    return true;
  }

  /** Notes what a request takes part in, whatever its batch. */
  #note({ changes, once, form }: Role): void {
    for (const name of changes) this.#stirred.add(name);
    for (const name of once) this.#used.add(name);
    for (const fixture of form.fixtures) this.fixtures.add(fixture);
  }

  /** Begins a batch; what the requests `beside` it use. */
  #begin(beside: readonly Role[]): Map<string, Touched> {
    const touched = new Map<string, Touched>();
    if (this.#raced) this.#races = false;
    this.#careful = this.#d.below(64) > 0;
    let chain = SEVERAL;
    if (this.#careful) for (const role of beside) touch(this.#useOf(role, 0), touched, --chain);
    return touched;
  }

  /** What a request may use by now: a form that changes nothing in a fresh world may change what others changed. */
  #useOf(role: Role, flags: number): Use {
    if (!this.#careful) return role;
    const { touches, changes, opcode } = role;
    const table = (flags & FIXED_FILE) !== 0 && !touches.includes(DIRECT);
    const stirs = this.#table.changers.has(opcode);
    const more = stirs ? touches.filter((name) => this.#stirred.has(name) || name.startsWith('files:')) : [];
    if (!table && more.length === 0) return role;
    return {
      touches: table ? [...touches, DIRECT] : touches,
      changes: more.length === 0 ? changes : new Set([...changes, ...more]),
    };
  }

  /** A request of this role, as it should be, or spoilt. */
  #made(role: Role, setupFlags: number, flags: number, userData: bigint): Sqe {
    return this.#spoilRate > 0 && this.#d.chance(this.#spoilRate)
      ? this.#spoilt(role, setupFlags, flags, userData)
      : { ...role.form.sqe, flags, user_data: userData, ...this.#credentials() };
  }

  #credentials(): Partial<Sqe> {
    return this.hasPersonality && this.#d.chance(0.2) ? { personality: 1 } : {};
  }

  /** A request with something wrong, as good as it is otherwise. */
  #spoilt(role: Role, setupFlags: number, flags: number, userData: bigint): Sqe {
    const spoilt = this.#d.chance(0.65) ? spoil(this.#d, this.abi, role, flags, setupFlags) : undefined;
    return spoilt === undefined ? this.#unfit(setupFlags, flags, userData) : { ...spoilt, user_data: userData };
  }

  /** A request that is refused before its opcode looks at it. */
  #unfit(setupFlags: number, flags: number, userData: bigint): Sqe {
    const d = this.#d;
    const last = this.abi.op_last;
    switch (d.below(4)) {
      case 0:
        return { opcode: d.pick([last, last, last + 1, 0x80, 0xff, d.int(last, 0xff)]), flags, user_data: userData };
      case 1:
        return { opcode: 0, flags, user_data: userData, ioprio: d.pick([0xffff, 1 << d.below(16)]) };
      case 2:
        return { opcode: 0, flags, user_data: userData, personality: d.pick(PERSONALITIES) };
      default:
        // A 128-byte opcode where SQEs have 64.
        return (setupFlags & (IORING_SETUP.SQE128 | IORING_SETUP.SQE_MIXED)) !== 0 || last <= BIG.at(-1)!
          ? { opcode: last, flags, user_data: userData }
          : { opcode: d.pick(BIG), flags, user_data: userData };
    }
  }

  /** A request of a given form. */
  sqe(role: Role, flags = 0): Sqe {
    for (const fixture of role.form.fixtures) this.fixtures.add(fixture);
    for (const name of role.changes) this.#stirred.add(name);
    return {
      ...role.form.sqe,
      flags: (role.form.sqe.flags ?? 0) | flags,
      user_data: this.#userData.at(this.#count++),
    };
  }

  /**
   * A batch for a ring with these flags that takes at most `entries` of its entries, and the forms it was made of.
   * @param behind entries from the next one to the end of the queue; those that are more come round to its beginning
   * @param beside requests that go in with it, in chains of their own
   */
  batch(
    setupFlags: number,
    size: number,
    entries: number,
    behind = entries,
    beside: readonly Role[] = [],
  ): { readonly sqes: Sqe[]; readonly roles: readonly Role[] } {
    const sqes: Sqe[] = [];
    const roles: Role[] = [];
    const d = this.#d;
    const touched = this.#begin(beside);
    const mixed = (setupFlags & IORING_SETUP.SQE_MIXED) !== 0;
    let left = entries;
    let behindLink = false;
    let chain = 0;
    while (sqes.length < size && left > 0) {
      if (!behindLink) chain++;
      const { role, flags } = this.#request(setupFlags, touched, chain);
      if ((setupFlags & IORING_SETUP.IOPOLL) !== 0) {
        // Without flags even the NOP that stands in for others ends while it is submitted.
        sqes.push({ ...role.form.sqe, user_data: this.#userData.at(this.#count++) });
        roles.push(role);
        left--;
        continue;
      }
      if (role.form.linked === true && !behindLink) {
        // It must follow another request of its chain.
        if (left < 2) break;
        left--;
        sqes.push({ ...this.#table.nop.form.sqe, flags: IO_LINK, user_data: this.#userData.at(this.#count++) });
        roles.push(this.#table.nop);
      }
      // In the last entry of the queue it is refused.
      const last = entries - left === behind - 1;
      const cost = mixed && role.spec.takesTwoSlots && (left > 1 ? !last : d.chance(0.5)) ? 2 : 1;
      if (cost > left) break;
      left -= cost;
      const userData = this.#userData.at(this.#count++);
      sqes.push(this.#made(role, setupFlags, flags, userData));
      roles.push(role);
      behindLink = (flags & LINKS) !== 0;
    }
    return { sqes, roles };
  }
}

function skipsInDoubt({ form }: Role, flags: number): boolean {
  return (flags & CQE_SKIP_SUCCESS) !== 0 && (form.linked === true || (flags & IO_HARDLINK) !== 0);
}

/** Chains run side by side: two of them must not meet over something that one of them changes. */
function clashes({ touches, changes }: Use, touched: ReadonlyMap<string, Touched>, chain: number): boolean {
  return touches.some((name) => {
    const before = touched.get(name);
    return before !== undefined && before.chain !== chain && (before.changed || changes.has(name));
  });
}

/** Notes what a request of `chain` uses. */
function touch({ touches, changes }: Use, touched: Map<string, Touched>, chain: number): void {
  for (const name of touches) {
    const before = touched.get(name);
    const changed = changes.has(name) || before?.changed === true;
    // Of two chains that only read it either may be remembered: a third that changes it clashes with both.
    touched.set(name, { changed, chain: before === undefined || before.chain === chain ? chain : SEVERAL });
  }
}

/** Requests in batches in which none races with another, each in a chain of its own. */
export class Batches {
  readonly all: readonly (readonly Role[])[];

  constructor(roles: readonly Role[]) {
    const open: { readonly roles: Role[]; readonly touched: Map<string, Touched> }[] = [];
    for (const role of roles) {
      let batch = open.find(({ roles: others, touched }) => !clashes(role, touched, others.length));
      if (batch === undefined) {
        batch = { roles: [], touched: new Map() };
        open.push(batch);
      }
      touch(role, batch.touched, batch.roles.length);
      batch.roles.push(role);
    }
    this.all = open.map((batch) => batch.roles);
  }
}

const shuffles = new WeakMap<AbiProfile, readonly number[]>();

/** Every opcode that has forms; those whose payload a filter sees, and NOP, stand several times. */
function drawableOpcodes(abi: AbiProfile): readonly number[] {
  let list = shuffles.get(abi);
  if (list === undefined) {
    const table = roleTable(abi);
    const out: number[] = [];
    table.byOpcode.forEach((roles, opcode) => {
      if (roles.length === 0) return;
      out.push(opcode);
      if (opcode === 0) out.push(0, 0, 0);
      if (roles[0]!.spec.payload !== undefined) out.push(opcode, opcode);
    });
    list = out;
    shuffles.set(abi, list);
  }
  return list;
}
