/**
 * sweep: every ready-made request, allowed and denied by filters and by restrictions, and every ready-made register
 * call, free, allowed and denied; by plan, so that a short run has all of them.
 */
import { IORING_REGISTER, registerForms } from '../../oracle/register/index.ts';
import type { RegisterForm } from '../../oracle/register/index.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { IORING_RESTRICTION, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import type { Sqe, Target } from '../../oracle/scenario/types.ts';
import { FILTER_DENY_REST, restriction } from '../args.ts';
import type { Builder } from '../builder.ts';
import { IMPOSSIBLE, onRing, TASK } from '../builder.ts';
import { Batches } from '../crew.ts';
import type { Crew } from '../crew.ts';
import { fits, roleTable } from '../roles.ts';
import type { Role } from '../roles.ts';
import { pushRegister } from './register-calls.ts';
import { inTurn } from './spec.ts';
import type { Suite, Turn } from './spec.ts';

/** Suite sweep. */
export const sweep: Suite = { weight: 1, opening: 7, draw };

const S = IORING_SETUP;
/** Requests, and calls, of one scenario. */
const REQUESTS = 14;
const CALLS = 12;
const SETUPS_EACH = 12;
const CLOSERS = 8;
/** Every set-up flag alone, and what no kernel takes. */
const SETUPS: readonly number[] = [...Array.from({ length: 32 }, (_, bit) => (1 << bit) >>> 0), ...IMPOSSIBLE];

/** What one scenario goes through. */
type Item =
  | { readonly roles: readonly Role[]; readonly flags: number }
  | { readonly calls: readonly RegisterForm[]; readonly on: 'ring' | 'task' }
  | { readonly setups: readonly number[] }
  | { readonly closers: readonly number[] };

const plans = new WeakMap<AbiProfile, readonly Item[]>();

/** Every request and call, dealt out so that those of one opcode are apart. */
function planOf(abi: AbiProfile): readonly Item[] {
  let plan = plans.get(abi);
  if (plan === undefined) {
    const bySetup = new Map<number, Role[]>();
    for (const role of roleTable(abi).all) {
      const flags = role.form.need_setup ?? 0;
      bySetup.set(flags, [...(bySetup.get(flags) ?? []), role]);
    }
    const requests = [...bySetup].flatMap(([flags, roles]): Item[] =>
      dealt(roles, REQUESTS).map((some) => ({ roles: some, flags })),
    );
    const known = registerForms.filter(({ opcode }) => opcode < abi.register_last);
    const calls = (['ring', 'task'] as const).flatMap((on): Item[] =>
      dealt(
        known.filter((form) => form.on === on),
        CALLS,
      ).map((some) => ({ calls: some, on })),
    );
    const setups = dealt(SETUPS, SETUPS_EACH).map((some): Item => ({ setups: some }));
    const closers = dealt(opcodesOf(abi), CLOSERS).map((some): Item => ({ closers: some }));
    plan = [...requests, ...calls, ...setups, ...closers];
    plans.set(abi, plan);
  }
  return plan;
}

/** Hands of about `size`, neighbours in different ones. */
function dealt<T>(list: readonly T[], size: number): T[][] {
  const hands = Math.max(1, Math.ceil(list.length / size));
  return Array.from({ length: hands }, (_, hand) => list.filter((_unused, i) => i % hands === hand));
}

function draw(b: Builder, turn: Turn): void {
  const item = inTurn(planOf(b.abi), turn);
  if ('roles' in item) sweepRequests(b, item.roles, item.flags);
  else if ('setups' in item) sweepSetups(b, item.setups);
  else if ('closers' in item) sweepClosers(b, item.closers);
  else sweepCalls(b, item.calls, item.on);
}

/** The same requests on a ring that denies them, on one that is restricted, and on one that allows them. */
function sweepRequests(b: Builder, roles: readonly Role[], setup: number): void {
  const { d } = b;
  const flags = (setup | S.SUBMIT_ALL) >>> 0;
  const opcodes = [...new Set(roles.map(({ opcode }) => opcode))];
  const crew = b.crew({ opcodes, count: 0, flags: 0, links: 0, setup_flags: flags });
  const usable = roles.filter((role) => fits(role, flags));
  const denying = b.ring(0, flags, 64);
  if (denying !== undefined) deny(b, crew, onRing(denying), opcodes);
  const allowing = b.ring(0, flags, 64);
  if (denying === undefined || allowing === undefined) return;
  for (const opcode of opcodes) b.drawFilter(0, onRing(allowing), crew, opcode, { shape: 'constant', share: 1 });
  submitAll(b, crew, denying, usable);
  const kept = d.some(opcodes, 0.5).map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode));
  const list = [...kept, restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, 0x7f)];
  const child = d.chance(0.5) ? b.spawn(0, 'fork') : undefined;
  // Restricted itself, or by the task that makes it.
  const maker = child ?? 0;
  if (child !== undefined) b.restrict(child, TASK, list);
  const restricted = b.ring(maker, child === undefined ? (flags | S.R_DISABLED) >>> 0 : flags, 64);
  if (restricted !== undefined && child === undefined) {
    b.restrict(0, onRing(restricted), list);
    b.enable(0, restricted);
  }
  if (restricted !== undefined) submitAll(b, crew, restricted, usable, maker);
  submitAll(b, crew, allowing, usable);
}

/** Half of the opcodes get a filter that denies, the others fall to DENY_REST. */
function deny(b: Builder, crew: Crew, on: Target, opcodes: readonly number[]): void {
  const { d } = b;
  const own = opcodes.filter(() => d.chance(0.5));
  for (const opcode of own) b.drawFilter(0, on, crew, opcode, { shape: d.pick(['constant', 'compare']), share: 0 });
  if (own.length === opcodes.length) return;
  const other = d.pick(own.length === 0 ? [(opcodes[0]! + 1) % b.abi.op_last] : own);
  b.filter(0, on, other, [{ code: 0x06, jt: 0, jf: 0, k: 0 }], FILTER_DENY_REST);
}

/** Requests in as many batches as it takes that none of them races with another. */
function submitAll(b: Builder, crew: Crew, ring: number, roles: readonly Role[], task = 0): void {
  const { nop } = roleTable(b.abi);
  for (const batch of new Batches(roles).all) {
    const sqes: Sqe[] = batch.flatMap((role) =>
      role.form.linked === true ? [crew.sqe(nop, IOSQE.IO_LINK), crew.sqe(role)] : [crew.sqe(role)],
    );
    b.push({ do: 'submit', task, ring, sqes });
    b.probes(task, batch, 0.5);
  }
}

/** Opcodes with a request that passes prep and leaves nothing behind. */
function opcodesOf(abi: AbiProfile): readonly number[] {
  return roleTable(abi).byOpcode.flatMap((_, opcode) => (quietRole(abi, opcode) === undefined ? [] : [opcode]));
}

function quietRole(abi: AbiProfile, opcode: number): Role | undefined {
  const roles = (roleTable(abi).byOpcode[opcode] ?? []).filter(
    ({ prepared, form }) => prepared && form.linked !== true && fits({ form, onIopoll: false } as Role, S.SQE128),
  );
  return roles.find(({ touches }) => touches.length === 0) ?? roles[0];
}

/** DENY_REST on a filter for each of these opcodes, and a request of every other one. */
function sweepClosers(b: Builder, closers: readonly number[]): void {
  const flags = (S.SUBMIT_ALL | S.SQE128) >>> 0;
  const crew = b.crew({ opcodes: [0], count: 1, flags: 0, links: 0, setup_flags: flags });
  const every = opcodesOf(b.abi);
  for (const closer of closers) {
    const ring = b.ring(0, flags, 128);
    if (ring === undefined) return;
    b.filter(0, onRing(ring), closer, [{ code: 0x06, jt: 0, jf: 0, k: 1 }], FILTER_DENY_REST);
    const others = every.filter((opcode) => opcode !== closer);
    b.push({ do: 'submit', task: 0, ring, sqes: others.map((opcode) => crew.sqe(quietRole(b.abi, opcode)!)) });
  }
}

/** Rings by a task that is bound, those that are refused among them, and requests on all that are there. */
function sweepSetups(b: Builder, setups: readonly number[]): void {
  const crew = b.crew({ count: 3, flags: 0, links: 0, only: (role) => role.once.length === 0 });
  for (const opcode of crew.opcodes) b.drawFilter(0, TASK, crew, opcode, { share: 0.6, quick: true });
  for (const flags of setups) {
    const ring = b.ring(0, flags, 8);
    if (ring === undefined) return;
    if ((flags & S.R_DISABLED) !== 0) b.enable(0, ring);
    b.submit(0, ring, crew, 6);
  }
  b.submit(0, b.ring(0, S.SUBMIT_ALL, 16), crew, 12);
}

/** The same calls on a ring, or on the task, without restrictions and with some that list half of their opcodes. */
function sweepCalls(b: Builder, calls: readonly RegisterForm[], on: 'ring' | 'task'): void {
  const { d } = b;
  const crew = b.crew({ count: 2, flags: 0 });
  const opcodes = d.some([...new Set(calls.map(({ opcode }) => opcode))], 0.5);
  const list = [
    ...crew.opcodes.map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode)),
    ...[...opcodes, IORING_REGISTER.REGISTER_ENABLE_RINGS].map((opcode) =>
      restriction(IORING_RESTRICTION.REGISTER_OP, opcode),
    ),
  ];
  const free = b.ring(0, S.SUBMIT_ALL, 64);
  if (free === undefined) return;
  for (const form of calls) pushRegister(b, 0, on === 'task' ? TASK : onRing(free), form);
  b.submit(0, free, crew, 8);
  if (on === 'task') b.restrict(0, TASK, list);
  const bound = b.ring(0, (on === 'task' ? S.SUBMIT_ALL : S.SUBMIT_ALL | S.R_DISABLED) >>> 0, 64);
  if (bound === undefined) return;
  if (on === 'ring') {
    b.restrict(0, onRing(bound), list);
    b.enable(0, bound);
  }
  for (const form of calls) pushRegister(b, 0, on === 'task' ? TASK : onRing(bound), form);
  b.submit(0, bound, crew, 8);
}
