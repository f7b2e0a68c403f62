/** Rings of provided buffers. */
import { answer, bad, unknown } from './spec.ts';
import { bytes, form, NULL, struct, u32s } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E } from '../uapi/constants.ts';
import type { Answer, Call, RegisterFamily } from './spec.ts';

const PBUF_RING = rule(
  'register.pbuf-ring',
  'man',
  'A buffer ring is registered once per group; a second is -EEXIST, a missing one -ENOENT.',
  'io_uring_register(2), IORING_REGISTER_PBUF_RING',
);

function pbufRing(call: Call): Answer {
  const { ring } = call;
  if (call.arg.isNull || call.nr_args !== 1) return bad(E.INVAL);
  const reg = call.arg.read(0, 40);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return unknown(ring);
  const entries = reg.u32(8);
  const group = reg.u16(12);
  const flags = reg.u16(14);
  if (!reg.isZero(20, 40)) return bad(E.INVAL);
  if ((flags & ~3) !== 0 || entries === 0 || (entries & (entries - 1)) !== 0 || entries >= 65536) return bad(E.INVAL);
  if (reg.u32(16) !== 0) return unknown(ring);
  const there = ring.groups.get(group);
  if (there !== undefined && (there.kind === 'ring' || there.buffers.length > 0)) return answer(-E.EXIST);
  // Memory of the kernel's own; memory of the caller is not modelled.
  if ((flags & 1) === 0) return reg.u64(0) === 0n ? answer(-E.FAULT) : unknown(ring);
  return answer(0, () => void ring.groups.set(group, { kind: 'ring', entries }));
}

function pbufGroup(call: Call, group: number, effect?: () => void): Answer {
  const there = call.ring.groups.get(group);
  if (there === undefined) return answer(-E.NOENT);
  return there.kind === 'ring' ? answer(0, effect) : answer(-E.INVAL);
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
      form('kernel-memory', 1, bytes(pbuf(8, 3, 1))),
      form('odd-entries', 1, bytes(pbuf(3, 3, 1))),
      form('unknown-flag', 1, bytes(pbuf(8, 3, 0x8000))),
      form('null', 1, NULL),
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
      if (reg === 'unknown') return unknown(call.ring);
      if (!reg.isZero(16, 40) || reg.u16(14) !== 0) return bad(E.INVAL);
      return pbufGroup(call, reg.u16(12), () => void call.ring.groups.delete(reg.u16(12)));
    },
    forms: [
      form('group-3', 1, bytes(pbuf(0, 3, 0))),
      form('missing', 1, bytes(pbuf(0, 9, 0))),
      form('flags-set', 1, bytes(pbuf(0, 3, 1))),
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
      if (status === 'unknown') return unknown(call.ring);
      return status.isZero(8, 40) ? pbufGroup(call, status.u32(0)) : bad(E.INVAL);
    },
    forms: [
      form('missing', 1, bytes(u32s(9, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
      form('group-3', 1, bytes(u32s(3, 0, 0, 0, 0, 0, 0, 0, 0, 0))),
      form('reserved', 1, bytes(u32s(9, 0, 1, 0, 0, 0, 0, 0, 0, 0))),
    ],
  },
} satisfies RegisterFamily;
