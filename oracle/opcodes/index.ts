/** The opcodes: their table, and the checks that come before it. */
export { opcodeRules } from './opcode-rules.ts';
export { initCheck, initCheckFlags, initCheckRest } from './init.ts';
export { CONTEXT_OFFSETS, OP, opForms, opName, opSpec, opSpecs } from './table.ts';
export { fullSqe } from './support.ts';
