/** A batch in which requests are made in every way that there is: alone, in chains, forced to a worker, and so on. */
import { opSpec } from '../../oracle/opcodes/index.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { FD } from '../../oracle/scenario/layout.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import type { Builder } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Draw } from '../draw.ts';
import { roleTable } from '../roles.ts';
import type { Role } from '../roles.ts';

const { IO_LINK, IO_HARDLINK, IO_DRAIN, ASYNC, CQE_SKIP_SUCCESS, FIXED_FILE, BUFFER_SELECT } = IOSQE;
const S = IORING_SETUP;
const TAKES_BIG = S.SQE128 | S.SQE_MIXED;
/** So many requests in all: some of them are behind 32 others. */
const SIZE = 44;

/** Opcodes that a crew needs for such batches. */
export function crewOpcodes(d: Draw, setupFlags: number): readonly number[] {
  if ((setupFlags & S.IOPOLL) !== 0) return (setupFlags & S.SQE128) !== 0 ? [OP.NOP, OP.NOP128] : [OP.NOP];
  return [
    OP.NOP,
    OP.READ,
    ...((setupFlags & TAKES_BIG) !== 0 ? [OP.NOP128] : []),
    d.pick([OP.SOCKET, OP.OPENAT, OP.CLOSE]),
  ];
}

/** What a batch may have. */
export interface Ways {
  /** Index of the registered descriptor that it goes through. */
  readonly registered: number | undefined;
  /** Credentials were registered with the ring. */
  readonly named: boolean;
  /** Some requests do without their CQE: then no drain is taken on the ring any more. */
  readonly skips: boolean;
  /** A few drains come behind it. */
  readonly drains: boolean;
}

/** Submits about forty requests. */
export function waysBatch(b: Builder, crew: Crew, task: number, ring: number, ways: Ways): void {
  const known = b.tracker.rings.get(ring);
  if (known === undefined || b.tracker.runnable(task) === undefined) return;
  const { flags } = known;
  const mixed = (flags & S.SQE_MIXED) !== 0;
  let left = Math.min(SIZE, mixed ? known.entries - (known.consumed & (known.entries - 1)) : known.entries);
  const sqes: Sqe[] = [];
  for (const group of b.d.shuffle(groups(b, crew, flags, ways))) {
    const slots = group.reduce((sum, { opcode }) => sum + (mixed && opSpec(opcode)?.takesTwoSlots === true ? 2 : 1), 0);
    if (slots > left) continue;
    left -= slots;
    sqes.push(...group);
  }
  const { sqes: others, roles } = crew.batch(flags, left, left);
  const open = ((others.at(-1)?.flags ?? 0) & (IO_LINK | IO_HARDLINK)) !== 0;
  const all = open || b.d.chance(0.5) ? [...sqes, ...others] : [...others, ...sqes];
  if (all.length === 0) return;
  const by = ways.registered === undefined ? {} : { registered: ways.registered };
  b.push({ do: 'submit', task, ring, sqes: ways.skips ? all : all.map(withoutSkip), ...by });
  b.probes(task, roles);
  if (ways.drains) drained(b, crew, task, ring, by);
}

/** Drains alone: what stands with one in a batch may be shown to filters in more ways than one. */
function drained(b: Builder, crew: Crew, task: number, ring: number, by: { readonly registered?: number }): void {
  const { nop } = roleTable(b.abi);
  const sqes = [0, IO_DRAIN, IO_DRAIN].slice(b.d.below(2)).map((flags) => crew.sqe(nop, flags));
  b.push({ do: 'submit', task, ring, sqes, ...by });
}

const withoutSkip = (sqe: Sqe): Sqe =>
  ((sqe.flags ?? 0) & CQE_SKIP_SUCCESS) === 0 ? sqe : { ...sqe, flags: sqe.flags! & ~CQE_SKIP_SUCCESS };

/** Chains and single requests, one group for each way. */
function groups(b: Builder, crew: Crew, setupFlags: number, { named, skips }: Ways): Sqe[][] {
  const { d } = b;
  const table = roleTable(b.abi);
  const takesBig = (setupFlags & TAKES_BIG) !== 0;
  const nop = (flags = 0): Sqe => crew.sqe(table.nop, flags);
  const ghost = table.byOpcode[OP.READ]?.find(({ form }) => form.sqe.fd === FD.closed && form.fixtures.length === 0);
  const big = table.byOpcode[OP.NOP128]?.find((role) => role.form.name === table.nop.form.name);
  // Of all that is read a polled ring takes files alone, and nobody polls for them.
  const polled = (setupFlags & S.IOPOLL) !== 0;
  const one = (flags: number, role: Role | undefined = !polled && d.chance(0.5) ? ghost : undefined): Sqe =>
    crew.sqe(role ?? table.nop, flags);
  const out: Sqe[][] = [
    [nop(IO_LINK), nop(IO_LINK), nop(IO_LINK), nop()],
    [nop(IO_LINK), nop(IO_LINK), nop()],
    [nop(IO_HARDLINK), nop(IO_HARDLINK), nop()],
    [nop(), nop()],
  ];
  for (const flags of [ASYNC, FIXED_FILE]) out.push([one(flags)], [one(flags)]);
  if (ghost !== undefined) out.push([one(BUFFER_SELECT, ghost)], [one(BUFFER_SELECT, ghost)]);
  if (skips) out.push([one(CQE_SKIP_SUCCESS)], [one(CQE_SKIP_SUCCESS)], [one(CQE_SKIP_SUCCESS)]);
  if (named)
    out.push([{ ...nop(), personality: 1 }], [{ ...one(0), personality: 1 }], [{ ...one(ASYNC), personality: 1 }]);
  if (big !== undefined && takesBig)
    out.push([one(0, big)], [one(0, big)], [one(IO_LINK, big), one(IO_LINK, big), one(0, big)]);
  return out;
}
