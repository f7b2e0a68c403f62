/** The oracle explains itself: scenarios, and filters on their own. Needs no kernel. */
export { explain } from './explain/scenario.ts';
export type { CqeExplanation, Explanation, RequestExplanation, StepExplanation } from './explain/scenario.ts';
export { formatExplanation } from './explain/format.ts';
export { explainFilter } from './explain/filter.ts';
export type { FilterExplanation, FilterInput, FilterRun, RunStep } from './explain/filter.ts';
export { formatFilterExplanation } from './explain/format_filter.ts';
export { parseProgramFile } from './explain/program_file.ts';
export type { ParsedFile, ProgramForm } from './explain/program_file.ts';
export { judgeProgram } from './explain/program.ts';
export type { ProgramVerdict } from './explain/program.ts';
