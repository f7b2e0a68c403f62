/** exec: a new image; rules survive it. */
import { exec as predictExec } from '../../model/tasks.ts';
import { defineRules } from '../../rule.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { releaseParent } from '../tracked.ts';
import { operation } from '../wire.ts';

/** execve of the runner itself; the task goes on with its next step in the new image. */
export interface ExecStep extends AnyStep {
  readonly do: 'exec';
}

/** See ExecStep. */
export const exec: StepSpec<ExecStep> = {
  kind: 'exec',
  json: {},
  wire: operation({ number: 5, name: 'exec', answers: '0 (by the new image) or -errno' }),
  rules: defineRules({
    'task.exec': ['man', 'execve succeeds.', 'execve(2)'],
  }),
  predict: predictExec,
  text: () => 'execve(self)',
  track: (_tracked, task) => {
    if (task.process.initial) return 'process 1 of a pid namespace would begin as the guest does';
    for (const sibling of task.process.threads) if (sibling !== task) sibling.alive = false;
    releaseParent(task);
    task.process = { threads: new Set([task]), shared: false, initial: false };
    task.files = new Set(task.files);
    task.leads = true;
    return true;
  },
};
