/** The table of opcodes. */
import { OP, OP_NAMES, opName } from './names.ts';
import { NOP, NOP128 } from './nop.ts';
import { OPENAT, OPENAT2 } from './open.ts';
import { SOCKET } from './socket.ts';
import type { OpForm, OpSpec } from './types.ts';

export { OP, OP_NAMES, opName };
export { opcodeRules } from './rules.ts';
export { initCheck, initCheckFlags, initCheckRest, isBigOpcode, supportsBufferSelect, type InitOutcome, type InitState } from './init.ts';
export { fullSqe } from './support.ts';
export { Sandbox, World } from './sandbox.ts';
export { ARENA_IMAGE, arenaImage } from './arena.ts';

const ALL: readonly OpSpec[] = [NOP, SOCKET, OPENAT, OPENAT2, NOP128];

const byOpcode = new Map(ALL.map((spec) => [spec.opcode, spec]));

/** What is known of an opcode; undefined for opcodes newer than the specification. */
export function opSpec(opcode: number): OpSpec | undefined {
  return byOpcode.get(opcode);
}

/** Every opcode's specification, by number. */
export const opSpecs: readonly OpSpec[] = [...ALL].sort((a, b) => a.opcode - b.opcode);

/** Every ready-made request. */
export const opForms: readonly OpForm[] = opSpecs.flatMap((spec) => spec.forms);
