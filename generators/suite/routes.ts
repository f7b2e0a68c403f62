/** Every route to what a rule denies: other opcodes, and register calls (oracle/model/routes.ts). */
import { ROUTES } from '../../oracle/model/routes.ts';
import type { Route } from '../../oracle/model/routes.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import type { Builder } from '../builder.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import { drawRegisterOf } from './register-calls.ts';

const TAKEN: readonly Route[] = ROUTES.filter(({ opcodes, registers }) => opcodes.length + registers.length > 0);

/** Denies an opcode on the task or the ring, then goes each way that leads to its effect. */
export function drawRoute(b: Builder): void {
  const { d } = b;
  const route = d.pick(TAKEN);
  const flags = (drawRingFlags(d) | IORING_SETUP.SUBMIT_ALL) >>> 0;
  const before = d.chance(0.5) ? b.ring(0, flags) : undefined;
  const denied = OP[route.denied];
  b.filter(0, before === undefined ? TASK : onRing(before), denied, [{ code: 0x06, jt: 0, jf: 0, k: 0 }]);
  const ring = before ?? b.ring(0, flags);
  if (ring === undefined) return;
  const ways = route.opcodes.map((name) => OP[name]);
  const crew = b.crew({ opcodes: [denied, ...ways], count: 1 + ways.length, forms: 8, setup_flags: flags });
  for (let n = d.int(1, 3); n > 0; n--) {
    if (route.registers.length > 0) drawRegisterOf(b, 0, onRing(ring), IORING_REGISTER[d.pick(route.registers)]);
    b.probes(0, b.submit(0, ring, crew, d.int(4, 20)), 0.6);
  }
}
