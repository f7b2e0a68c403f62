/** Ready-made requests with what is known of them beforehand: what a filter sees, what they touch. */
import { SPECIFIED } from '../oracle/quirks/index.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { FD, RING_FD, RING_SLOTS } from '../oracle/scenario/layout.ts';
import type { Fixture } from '../oracle/scenario/layout.ts';
import { fullSqe, initCheckRest, opSpecs } from '../oracle/opcodes/index.ts';
import { Sandbox } from '../oracle/world/sandbox.ts';
import type { OpContext, OpForm, OpRow } from '../oracle/opcodes/types.ts';
import type { Allowed } from '../oracle/scenario/prediction.ts';
import { IORING_SETUP, IOSQE } from '../oracle/uapi/constants.ts';

/** One form of one opcode. */
export interface Role {
  readonly spec: OpRow;
  readonly form: OpForm;
  readonly opcode: number;
  /** Flags that prep adds. */
  readonly adds: number;
  /** Words of the context's union, when the opcode has a payload. */
  readonly payload: Uint32Array | undefined;
  /** False where prep refuses the request. */
  readonly prepared: boolean;
  /** Named resources it acts on, and those of them that it changes. */
  readonly touches: readonly string[];
  readonly changes: ReadonlySet<string>;
  /** Fixtures it uses up: a second request of the kind might have to wait. */
  readonly once: readonly Fixture[];
  /**
   * The same request on a descriptor that is not open: what a filter sees stays, and the
   * answer is known however often it is made.
   */
  readonly ghost: Role | undefined;
  /** True where a polled ring (IORING_SETUP_IOPOLL) refuses it: the runner does not poll for others to end. */
  readonly onIopoll: boolean;
}

/** Fixtures whose state decides whether a request can go on at once. */
const USED_UP: readonly Fixture[] = [
  'pipe',
  'pipe_full',
  'socketpair',
  'listener',
  'stream',
  'loopback',
  'inet',
  'datagram',
];

/** What prep and issue of a form see on a fresh ring with these flags, in a world where every ring is there. */
export function formContext(form: OpForm, abi: AbiProfile, setupFlags: number): OpContext {
  return {
    abi,
    decisions: SPECIFIED,
    sqe: fullSqe(form.sqe),
    setup_flags: setupFlags,
    ring: 0,
    linked: form.linked === true,
    sandbox: new Sandbox(form.fixtures, abi),
    ringAt: (fd) =>
      fd >= RING_FD && fd < RING_FD + RING_SLOTS ? { slot: fd - RING_FD, setup_flags: 0, disabled: false } : undefined,
  };
}

/**
 * The role of a form.
 * @returns undefined where nothing is known of it
 */
export function roleOf(spec: OpRow, form: OpForm, abi: AbiProfile, withGhost = true): Role | undefined {
  const context = formContext(form, abi, form.need_setup ?? 0);
  const prep = spec.prep(context);
  if (prep.ok === 'unknown') return undefined;
  const onIopoll = !initCheckRest({ ...context, setup_flags: IORING_SETUP.IOPOLL }).ok;
  if (!prep.ok)
    return {
      spec,
      form,
      opcode: spec.opcode,
      adds: 0,
      payload: undefined,
      prepared: false,
      touches: [],
      changes: new Set(),
      once: [],
      ghost: undefined,
      onIopoll: onIopoll,
    };
  const { res, touches = [], changes = touches } = spec.issue(context);
  // A ghost that the tables do not know the answer of is of no use.
  if (!withGhost && typeof res !== 'number') return undefined;
  const once = form.fixtures.filter((name) => USED_UP.includes(name));
  const ghost =
    withGhost && once.length > 0 && form.sqe.fd !== undefined && form.sqe.fd >= FD.file
      ? roleOf(
          spec,
          { ...form, name: `${form.name}-ghost`, sqe: { ...form.sqe, fd: FD.closed }, fixtures: [] },
          abi,
          false,
        )
      : undefined;
  return {
    spec,
    form,
    opcode: spec.opcode,
    adds: prep.adds_flags,
    payload: prep.payload,
    prepared: true,
    touches: withParents(touches),
    changes: new Set(changes),
    once,
    ghost,
    onIopoll: onIopoll,
  };
}

/** Names of things, and of the directories on the way to them. */
function withParents(names: readonly string[]): readonly string[] {
  const all = new Set(names);
  for (const name of names)
    for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1)) all.add(name.slice(0, end));
  return [...all];
}

/** Whether it is one answer, up to a number that the kernel picks. */
function isKnown(res: Allowed): boolean {
  return typeof res === 'number' || res.place.number;
}

/** The role of a form of any fields; undefined where the rules do not know one answer. */
export function knownRole(spec: OpRow, form: OpForm, abi: AbiProfile): Role | undefined {
  const context = formContext(form, abi, form.need_setup ?? 0);
  const refused = !initCheckRest(context).ok;
  if (!refused) {
    const prep = spec.prep(context);
    if (prep.ok === 'unknown') return undefined;
    if (prep.ok) {
      const { res, fails, may_wait } = spec.issue(context);
      if (!isKnown(res) || typeof fails !== 'boolean' || may_wait !== undefined) return undefined;
    }
  }
  const made = roleOf(spec, form, abi);
  return refused && made !== undefined ? { ...made, prepared: false, payload: undefined } : made;
}

/** All roles of one ABI. */
export interface RoleTable {
  readonly all: readonly Role[];
  /** By opcode; opcodes that nothing is known of have none. */
  readonly byOpcode: readonly (readonly Role[])[];
  /** By opcode: those that differ in every byte of what a filter sees. */
  readonly wide: readonly (readonly Role[])[];
  /** Opcodes that change what they act on, be it not in a fresh world. */
  readonly changers: ReadonlySet<number>;
  /** A NOP that succeeds: always possible, never in the way. */
  readonly nop: Role;
}

const tables = new WeakMap<AbiProfile, RoleTable>();

const rolesOf = (spec: OpRow, forms: readonly OpForm[], abi: AbiProfile): readonly Role[] =>
  forms.map((form) => roleOf(spec, form, abi)).filter((role) => role !== undefined);

/** A fresh world has no table of direct descriptors: who uses one without IOSQE_FIXED_FILE may change it. */
function changersOf(roles: readonly Role[]): ReadonlySet<number> {
  const changing = roles.filter(
    ({ changes, touches, form }) =>
      changes.size > 0 ||
      (((form.sqe.flags ?? 0) & IOSQE.FIXED_FILE) === 0 && touches.some((name) => name.startsWith('files:'))),
  );
  return new Set(changing.map(({ opcode }) => opcode));
}

/** Every form of every opcode the kernel has. */
export function roleTable(abi: AbiProfile): RoleTable {
  let table = tables.get(abi);
  if (table === undefined) {
    const specs = opSpecs.filter(({ opcode }) => opcode < abi.op_last);
    const all = specs.flatMap((spec) => rolesOf(spec, spec.forms, abi));
    const byOpcode = Array.from({ length: abi.op_last }, (_, op) => all.filter((role) => role.opcode === op));
    const wide: (readonly Role[])[] = byOpcode.map(() => []);
    for (const spec of specs)
      wide[spec.opcode] = spec.wide.map((form) => knownRole(spec, form, abi)).filter((role) => role !== undefined);
    const nop = all.find((role) => role.opcode === 0 && role.form.name === 'plain') ?? all[0]!;
    table = { all, byOpcode, wide, changers: changersOf(all), nop };
    tables.set(abi, table);
  }
  return table;
}

/** Whether a form can be used on a ring with these flags. */
export function fits({ form, onIopoll }: Role, setupFlags: number): boolean {
  if ((setupFlags & IORING_SETUP.IOPOLL) !== 0 && !onIopoll) return false;
  let need = form.need_setup ?? 0;
  // A mixed ring takes 128-byte requests as well.
  if ((setupFlags & IORING_SETUP.SQE_MIXED) !== 0) need &= ~IORING_SETUP.SQE128;
  return (setupFlags & need) === need && (setupFlags & (form.avoid_setup ?? 0)) === 0;
}
