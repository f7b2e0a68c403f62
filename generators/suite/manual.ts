/** The examples of io_uring_register_bpf_filter(3), against requests of any arguments. */
import type { SockFilter } from '../../oracle/bpf/program.ts';
import { CONTEXT_OFFSETS, OP } from '../../oracle/opcodes/index.ts';
import { AF, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { FILTER_DENY_REST } from '../args.ts';
import type { Builder } from '../builder.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import { drawSocketLooks } from './looks.ts';

const RET = 0x06;
const LD_ABS = 0x20;
const JEQ = 0x15;
const ret = (k: number): SockFilter => ({ code: RET, jt: 0, jf: 0, k });

/** "Allow only AF_INET sockets". */
function inetOnly(b: Builder, on: typeof TASK): void {
  b.filter(0, on, OP.SOCKET, [
    { code: LD_ABS, jt: 0, jf: 0, k: CONTEXT_OFFSETS['socket.family'] ?? 16 },
    { code: JEQ, jt: 0, jf: 1, k: AF.INET },
    ret(1),
    ret(0),
  ]);
}

/** One of the examples on the task or the ring, then what it forbids, in every shape. */
export function drawManual(b: Builder): void {
  const { d } = b;
  const flags = (drawRingFlags(d) | IORING_SETUP.SUBMIT_ALL) >>> 0;
  const onTask = d.chance(0.7);
  const before = onTask ? undefined : b.ring(0, flags);
  const on = before === undefined ? TASK : onRing(before);
  const which = d.below(4);
  if (which === 0) b.filter(0, on, OP.NOP, [ret(0)]);
  else if (which === 1) b.filter(0, on, OP.NOP, [ret(1)], FILTER_DENY_REST);
  else inetOnly(b, on);
  const ring = before ?? b.ring(0, flags);
  if (ring === undefined) return;
  if (which >= 2) {
    drawSocketLooks(b, 0, ring, d.int(4, 10));
    return;
  }
  const crew = b.crew({ opcodes: [OP.NOP], count: d.int(2, 8), forms: 12, setup_flags: flags });
  for (let n = d.int(1, 3); n > 0; n--) b.probes(0, b.submit(0, ring, crew, d.int(8, 32)), 0.8);
}
