/** The assembler: programs to text and back. */
export { alignedAsm, asmLines, printAsm } from './asm-print.ts';
export type { AsmLine, PrintOptions } from './asm-print.ts';
export { parseAsm } from './asm-parse.ts';
export { formatFaults } from './syntax-error.ts';
export type { Parsed, SyntaxFault } from './syntax-error.ts';
