/** IO_URING_BPF_FILTER_DENY_REST. */
import { OP } from '../../oracle/opcodes/index.ts';
import { ALLOW, DENY_REST, example, filter, nop, onRing, ring, submit, suite } from './build.ts';

const on = onRing(0);
const LAST = 64;
const file = { fd: 99 };

/** Examples of suite deny-rest. */
export const denyRest = suite('deny-rest', [
  example('Everything but the opcode itself is denied', 'The one call that turns a ring into an allowlist.', [
    ring(0, 1 << 10),
    filter(on, OP.FSYNC, ALLOW, { flags: DENY_REST }),
    submit(0, { opcode: OP.FSYNC, ...file }),
    submit(0, nop()),
    submit(0, { opcode: OP.CLOSE, ...file }),
    submit(0, { opcode: OP.NOP128 }),
    submit(0, { opcode: OP.PIPE }),
    submit(0, { opcode: LAST, ...file }),
  ]),
  example('The opcodes beside it are denied too', 'Nothing is left out at either end of the table.', [
    ring(0, 1 << 10),
    filter(on, OP.NOP128, ALLOW, { flags: DENY_REST }),
    submit(0, { opcode: OP.NOP128 }),
    submit(0, nop()),
    submit(0, { opcode: OP.PIPE }),
    submit(0, { opcode: OP.FSYNC, ...file }),
  ]),
  example('Opcodes that have a filter keep it', 'DENY_REST is about those that have none at that moment.', [
    ring(0),
    filter(on, OP.NOP, 'ld [0]\njeq #1, no, yes\nyes: ret #1\nno: ret #0'),
    filter(on, OP.FSYNC, ALLOW, { flags: DENY_REST }),
    submit(0, nop({ user_data: 1n })),
    submit(0, nop({ user_data: 2n })),
    submit(0, { opcode: OP.CLOSE, ...file }),
  ]),
  example('A later filter does not lift the denial', 'Rules only ever get tighter.', [
    ring(0),
    filter(on, OP.FSYNC, ALLOW, { flags: DENY_REST }),
    submit(0, nop()),
    filter(on, OP.NOP, ALLOW),
    submit(0, nop()),
  ]),
]);
