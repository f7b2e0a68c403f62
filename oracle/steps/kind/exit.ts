/** exit: the end of one task. */
import { exit as predictExit } from '../../model/tasks.ts';
import { defineRules } from '../../rule.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { releaseParent } from '../tracked.ts';
import { operation } from '../wire.ts';

/** Ends one task, a single thread. */
export interface ExitStep extends AnyStep {
  readonly do: 'exit';
}

/** See ExitStep. */
export const exit: StepSpec<ExitStep> = {
  kind: 'exit',
  json: {},
  wire: operation({ number: 6, name: 'exit', answers: '0' }),
  rules: defineRules({
    'task.exit': ['man', 'A task can exit.', '_exit(2)'],
    'task.gone': [
      'man',
      'Steps of a task that does not exist (any more) do not run.',
      'scenario language',
      'a well-formed scenario has no step of a task that has ended; it is for children that the kernel refused to make',
    ],
  }),
  predict: predictExit,
  text: () => 'exit',
  track: (_tracked, task) => {
    task.alive = false;
    task.process.threads.delete(task);
    releaseParent(task);
    return true;
  },
  ends: true,
};
