/** The opcodes: their table, and the checks that come before it. */
export { opcodeRules } from './opcode-rules.ts';
export { initCheck, initCheckFlags, initCheckRest, type InitOutcome, type InitState } from './init.ts';
export { CONTEXT_OFFSETS, OP, opForms, opName, type OpName, opSpec, opSpecs } from './table.ts';
export { fullSqe } from './support.ts';
export { Sandbox, World } from '../world/sandbox.ts';
export { ARENA_IMAGE, arenaImage } from '../world/arena.ts';
