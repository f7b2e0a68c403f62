/** Rings of provided buffers. */
import { Open } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { reply, bad, unknown } from './spec.ts';
import { argBytes, call, NULL, struct, u32s } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E } from '../uapi/constants.ts';
import type { Answer, RingCall, RegisterFamily } from './spec.ts';

const PBUF_RING = rule(
  'register.pbuf-ring',
  'man',
  'A buffer ring is registered once per group; a second is -EEXIST, a missing one -ENOENT.',
  'io_uring_register(2), IORING_REGISTER_PBUF_RING',
);

/** Where the reserved bytes of struct io_uring_buf_reg begin: behind min_left, at 16, on releases that have it. */
const reservedFrom = ({ view }: RingCall): number => (view.abi.pbuf_min_left === false ? 16 : 20);

function pbufRing(call: RingCall): Answer {
  const { ring } = call;
  if (call.arg.isNull || call.nr_args !== 1) return bad(E.INVAL);
  const reg = call.arg.read(0, 40);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return unknown(ring, reg);
  const entries = reg.u32(8);
  const group = reg.u16(12);
  const flags = reg.u16(14);
  if (!reg.isZero(reservedFrom(call), 40)) return bad(E.INVAL);
  if ((flags & ~3) !== 0 || entries === 0 || (entries & (entries - 1)) !== 0 || entries >= 65536) return bad(E.INVAL);
  if (reg.u32(16) !== 0) return unknown(ring, REGISTER['register-call.pbuf-ring']);
  const there = ring.groups.get(group);
  if (there !== undefined && (there.kind === 'ring' || there.buffers.length > 0)) return reply(-E.EXIST);
  // Memory of the kernel's own; memory of the caller is not modelled.
  if ((flags & 1) === 0)
    return reg.u64(0) === 0n ? reply(-E.FAULT) : unknown(ring, REGISTER['register-call.pbuf-ring']);
  return reply(0, () => void ring.groups.set(group, { kind: 'ring', entries }));
}

function pbufGroup(call: RingCall, group: number, effect?: () => void): Answer {
  const there = call.ring.groups.get(group);
  if (there === undefined) return reply(-E.NOENT);
  return there.kind === 'ring' ? reply(0, effect) : reply(-E.INVAL);
}

const pbuf = (entries: number, group: number, flags: number): Uint8Array =>
  struct([8, 0], [4, entries], [2, group], [2, flags], [8, 0], [8, 0], [8, 0]);

/** The opcodes of this family. */
export const bufferRings = {
  /** IORING_REGISTER_PBUF_RING: registers a ring of provided buffers. */
  REGISTER_PBUF_RING: {
    opcode: 22,
    since: '5.19',
    rule: PBUF_RING,
    onRing: pbufRing,
    forms: [
      call('kernel-memory', 1, argBytes(pbuf(8, 3, 1))),
      call('odd-entries', 1, argBytes(pbuf(3, 3, 1))),
      call('unknown-flag', 1, argBytes(pbuf(8, 3, 0x8000))),
      call('null', 1, NULL),
      call('two', 2, argBytes(pbuf(8, 3, 1))),
    ],
  },

  /** IORING_UNREGISTER_PBUF_RING: gives a ring of provided buffers back. */
  UNREGISTER_PBUF_RING: {
    opcode: 23,
    since: '5.19',
    rule: PBUF_RING,
    onRing: (call) => {
      if (call.arg.isNull || call.nr_args !== 1) return bad(E.INVAL);
      const reg = call.arg.read(0, 40);
      if (reg === 'fault') return bad(E.FAULT);
      if (Open.is(reg)) return unknown(call.ring, reg);
      // Where it is there, min_left means nothing here.
      if (!reg.isZero(reservedFrom(call), 40) || reg.u16(14) !== 0) return bad(E.INVAL);
      return pbufGroup(call, reg.u16(12), () => void call.ring.groups.delete(reg.u16(12)));
    },
    forms: [
      call('group-3', 1, argBytes(pbuf(0, 3, 0))),
      call('missing', 1, argBytes(pbuf(0, 9, 0))),
      call('flags-set', 1, argBytes(pbuf(0, 3, 1))),
      call('null', 1, NULL),
      call('two', 2, argBytes(pbuf(0, 3, 0))),
    ],
  },

  /** IORING_REGISTER_PBUF_STATUS: asks how far a ring of provided buffers was read. */
  REGISTER_PBUF_STATUS: {
    opcode: 26,
    since: '6.8',
    rule: PBUF_RING,
    onRing: (call) => {
      if (call.arg.isNull || call.nr_args !== 1) return bad(E.INVAL);
      const status = call.arg.read(0, 40);
      if (status === 'fault') return bad(E.FAULT);
      if (Open.is(status)) return unknown(call.ring, status);
      return status.isZero(8, 40) ? pbufGroup(call, status.u32(0)) : bad(E.INVAL);
    },
    forms: [
      call('missing', 1, argBytes(u32s(9, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
      call('group-3', 1, argBytes(u32s(3, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
      call('reserved', 1, argBytes(u32s(9, 0, 1, 0, 0, 0, 0, 0, 0, 0))),
      call('null', 1, NULL),
      call('two', 2, argBytes(u32s(3, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
    ],
  },
} satisfies RegisterFamily;
