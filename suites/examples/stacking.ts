/** Several filters on one opcode. */
import { OP } from '../../oracle/opcodes/index.ts';
import { ALLOW, DENY, example, filter, nop, onRing, ring, submit, suite } from './build.ts';

const on = onRing(0);
/** Allows unless user_data is `value`. */
const except = (value: number): string => `ld [0]\njeq #${value}, no, yes\nyes: ret #1\nno: ret #0`;
const one = (userData: bigint) => submit(0, nop({ user_data: userData }));

/** Examples of suite stacking. */
export const stacking = suite('stacking', [
  example('All filters must allow', 'A filter can only take away.', [
    ring(0),
    filter(on, OP.NOP, except(1)),
    filter(on, OP.NOP, except(2)),
    filter(on, OP.NOP, except(3)),
    filter(on, OP.NOP, except(4)),
    one(1n),
    one(2n),
    one(3n),
    one(4n),
    one(5n),
  ]),
  example('The oldest filter still counts', 'A later filter that allows everything does not lift an earlier denial.', [
    ring(0),
    filter(on, OP.NOP, DENY),
    filter(on, OP.NOP, ALLOW),
    filter(on, OP.NOP, ALLOW),
    one(1n),
  ]),
  example('Stacks are kept by opcode', 'A filter on READ has nothing to say about NOP.', [
    ring(0),
    filter(on, OP.READ, DENY),
    filter(on, OP.NOP, except(1)),
    one(1n),
    one(2n),
    submit(0, { opcode: OP.READ, fd: 99 }),
  ]),
]);
