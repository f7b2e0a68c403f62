/** 128-byte requests at every place of a queue of mixed entries, its end above all. */
import { OP } from '../../oracle/opcodes/index.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { onRing } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { retValue } from '../program/body.ts';

/** Begins with 128 bytes in the last entry, the last but one and before that, alone or with more behind. */
export function bigAtTheEnd(b: Builder): void {
  const { d, abi } = b;
  const entries = d.pick([2, 4, 8, 16]);
  const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL | IORING_SETUP.SQE_MIXED, entries, {});
  if (ring === undefined || OP.NOP128 >= abi.op_last) return;
  b.filter(0, onRing(ring), OP.NOP128, [
    { code: 0x20, jt: 0, jf: 0, k: abi.little_endian ? 0 : 4 },
    { code: 0x45, jt: 0, jf: 1, k: 4 },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
    { code: 0x06, jt: 0, jf: 0, k: retValue(d, true) },
  ]);
  let data = 0n;
  const small = (flags = 0): Sqe => ({ opcode: OP.NOP, flags, user_data: ++data });
  const big = (flags = 0): Sqe => ({ ...small(flags), opcode: OP.NOP128 });
  const submit = (...sqes: readonly Sqe[]): void => void b.push({ do: 'submit', task: 0, ring, sqes });
  let at = 0;
  for (let n = d.int(8, 12); n > 0; n--) {
    // So many entries are left before the end.
    const before = d.pick([1, 1, 1, 2, 3]);
    for (; (at + before) % entries !== 0; at++) submit(small());
    const link = d.pick([0, 0, IOSQE.IO_LINK]);
    const more = entries > 2 ? d.below(3) : d.below(2);
    const head = before === 1 ? 1 : 2;
    submit(big(more > 0 ? link : 0), ...Array.from({ length: Math.min(more, entries - head) }, () => small()));
    at += head + Math.min(more, entries - head);
  }
}
