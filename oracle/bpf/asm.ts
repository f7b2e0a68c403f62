/** The assembler: programs to text and back. */
export { asmLines, printAsm } from './asm-print.ts';
export type { PrintOptions } from './asm-print.ts';
export { parseAsm } from './asm-parse.ts';
export { formatFaults } from './syntax-error.ts';
