/** The same programs with the JIT compiler switched off. */
import { suite } from './build.ts';
import { evaluationDrafts } from './evaluation.ts';

/** Examples of suite jit-vs-interpreter. */
export const jitVsInterpreter = suite(
  'jit-vs-interpreter',
  evaluationDrafts(false).map((draft) => ({
    ...draft,
    title: `${draft.title} (interpreter)`,
    why: 'The interpreter and the JIT compiler must agree.',
  })),
);
