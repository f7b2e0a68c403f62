/** The oracle explains itself: scenarios, and filters on their own. Needs no kernel. */
export { explain } from './scenario.ts';
export { formatExplanation } from './format.ts';
export { explainFilter } from './filter.ts';
export { formatFilterExplanation } from './format-filter.ts';
export { parseProgramFile } from './program-file.ts';
