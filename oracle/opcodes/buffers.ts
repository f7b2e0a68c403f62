/** Buffer groups: PROVIDE_BUFFERS, REMOVE_BUFFERS, and picking a buffer for IOSQE_BUFFER_SELECT. */
import { defineOpen } from '../open-answer.ts';
import type { Open } from '../open-answer.ts';
import { DATA, data } from '../world/arena.ts';
import { CQE_BUFFER_SHIFT, CQE_F, E } from '../uapi/constants.ts';
import { anything, anySet, EFAULT, EINVAL, PREP_OK, prepOpen, prepError, result } from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, PrepOutcome } from './types.ts';

const OPEN = defineOpen({
  'buffers.ring': ['not-modelled', 'A buffer selected from a ring of provided buffers, whose content is not followed.'],
  'buffers.high-address': [
    'not-modelled',
    'Buffers provided at addresses above 64 TB: how many bits an address has is up to the processor.',
  ],
  'buffers.many': ['not-modelled', 'More than 64 buffers provided at once.'],
});

const MAX_BIDS = 1 << 16;
/** Group that the ready-made PROVIDE_BUFFERS fills. */
export const GROUP = 1;
/** Group that nothing ever fills. */
export const EMPTY_GROUP = 7;

interface Chosen {
  readonly segment: { readonly addr: bigint; readonly len: number };
  readonly cflags: number;
  /** Takes the buffer, which is still the first one, out of its group. */
  readonly take: () => void;
}

/** The next buffer of the request's group, clipped to `wanted` bytes (0 = all of it); undefined when there is none. */
export function selectBuffer(c: OpContext, wanted: number): Chosen | undefined | Open {
  const group = c.sandbox.common.ring(c.ring).groups.get(c.sqe.buf_index);
  if (group === undefined) return undefined;
  if (group.kind === 'ring') return OPEN['buffers.ring'];
  const buffer = group.buffers[0];
  if (buffer === undefined) return undefined;
  return {
    segment: { addr: buffer.addr, len: wanted === 0 ? buffer.len : Math.min(wanted, buffer.len) },
    cflags: CQE_F.BUFFER | (buffer.bid << CQE_BUFFER_SHIFT),
    take: () => void group.buffers.shift(),
  };
}

function prepProvide(c: OpContext): PrepOutcome {
  const { sqe } = c;
  if (anySet(sqe, 'op_flags', 'file_index')) return EINVAL;
  const count = BigInt.asUintN(64, BigInt(sqe.fd));
  if (count === 0n || count > BigInt(MAX_BIDS)) return prepError(E['2BIG']);
  if (sqe.len === 0) return EINVAL;
  const size = BigInt(sqe.len >>> 0) * count;
  if (sqe.addr + size >= 1n << 64n) return prepError(E.OVERFLOW);
  if (sqe.addr >= 1n << 63n) return EFAULT;
  if (sqe.addr + size > 1n << 46n) return prepOpen(OPEN['buffers.high-address']);
  if (sqe.off > 0xffffn) return prepError(E['2BIG']);
  return sqe.off + count > BigInt(MAX_BIDS) ? EINVAL : PREP_OK;
}

function issueProvide(c: OpContext): IssueOutcome {
  const { sqe } = c;
  const { groups } = c.sandbox.common.ring(c.ring);
  const group = groups.get(sqe.buf_index);
  const touches = [`groups:${c.ring}`];
  if (group?.kind === 'ring') return result(-E.INVAL, { touches });
  if (sqe.fd > 64) return { ...anything(OPEN['buffers.many']), touches };
  return result(0, {
    touches,
    effect: () => {
      const buffers = group?.buffers ?? [];
      groups.set(sqe.buf_index, { kind: 'legacy', buffers });
      for (let i = 0; i < sqe.fd; i++) {
        buffers.push({ addr: sqe.addr + BigInt(i * sqe.len), len: sqe.len, bid: Number(sqe.off) + i });
      }
    },
  });
}

function prepRemove(c: OpContext): PrepOutcome {
  const { sqe } = c;
  if (anySet(sqe, 'op_flags', 'addr', 'len', 'off', 'file_index')) return EINVAL;
  const count = BigInt.asUintN(64, BigInt(sqe.fd));
  return count === 0n || count > BigInt(MAX_BIDS) ? EINVAL : PREP_OK;
}

function issueRemove(c: OpContext): IssueOutcome {
  const group = c.sandbox.common.ring(c.ring).groups.get(c.sqe.buf_index);
  const touches = [`groups:${c.ring}`];
  if (group === undefined) return result(-E.NOENT, { touches });
  if (group.kind === 'ring') return result(-E.INVAL, { touches });
  const removed = Math.min(c.sqe.fd, group.buffers.length);
  return result(removed, { touches, effect: () => void group.buffers.splice(0, removed) });
}

function provide(name: string, rest: SqeFields = {}, refused = false): FormSpec {
  return {
    name,
    sqe: { fd: 2, addr: data(DATA.provide), len: 64, off: 5n, buf_index: GROUP, ...rest },
    fixtures: [],
    ...(refused ? { prep_error: true } : {}),
  };
}

/** IORING_OP_PROVIDE_BUFFERS: adds buffers to a group. */
export const PROVIDE_BUFFERS: OpSpec = {
  opcode: 31,
  since: '5.7',
  takesIopoll: true,
  prep: prepProvide,
  issue: issueProvide,
  forms: [
    provide('two'),
    provide('one-of-group-2', { fd: 1, buf_index: 2, off: 0xffffn }),
    provide('none', { fd: 0 }, true),
    provide('negative', { fd: -1 }, true),
    provide('len-zero', { len: 0 }, true),
    provide('bid-too-big', { off: 0x1_0000n }, true),
    provide('bids-too-many', { off: 0xffffn }, true),
    provide('address-wraps', { addr: 0xffff_ffff_ffff_ffffn }, true),
    provide('kernel-address', { addr: 0xffff_8000_0000_0000n }, true),
    provide('flags-set', { op_flags: 1 }, true),
    provide('file-index-set', { file_index: 1 }, true),
  ],
};

function remove(name: string, rest: SqeFields = {}, refused = false): FormSpec {
  return {
    name,
    sqe: { fd: 1, buf_index: EMPTY_GROUP, ...rest },
    fixtures: [],
    ...(refused ? { prep_error: true } : {}),
  };
}

/** IORING_OP_REMOVE_BUFFERS: takes buffers out of a group. */
export const REMOVE_BUFFERS: OpSpec = {
  opcode: 32,
  since: '5.7',
  takesIopoll: true,
  prep: prepRemove,
  issue: issueRemove,
  forms: [
    remove('no-group'),
    remove('one', { buf_index: GROUP }),
    remove('many', { buf_index: GROUP, fd: 65536 }),
    remove('none', { fd: 0 }, true),
    remove('too-many', { fd: 65537 }, true),
    remove('addr-set', { addr: 1n }, true),
    remove('len-set', { len: 1 }, true),
    remove('off-set', { off: 1n }, true),
  ],
};
