/** The oracle explains itself: scenarios, and filters on their own. Needs no kernel. */
export { explain } from './scenario.ts';
export type { CqeExplanation, Explanation, RequestExplanation, StepExplanation } from './scenario.ts';
export { formatExplanation } from './format.ts';
export { explainFilter } from './filter.ts';
export type { FilterExplanation, FilterInput, FilterRun, RunStep } from './filter.ts';
export { formatFilterExplanation } from './format-filter.ts';
export { parseProgramFile } from './program-file.ts';
export type { ParsedFile, ProgramForm } from './program-file.ts';
export { judgeProgram } from './program.ts';
export type { ProgramVerdict } from './program.ts';
