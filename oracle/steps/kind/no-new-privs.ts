/** no_new_privs: the promise that lets an unprivileged task register filters. */
import { defineRules } from '../../rule.ts';
import { answer } from '../answer.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { systemCall } from '../system-call.ts';
import type { SystemCall } from '../wire.ts';

/** prctl(2). */
export const PRCTL: SystemCall = { number: 2, name: 'prctl' };
const PR_SET_NO_NEW_PRIVS = 38n;

/** prctl(PR_SET_NO_NEW_PRIVS, 1). */
export interface NoNewPrivsStep extends AnyStep {
  readonly do: 'no_new_privs';
}

/** See NoNewPrivsStep. */
export const noNewPrivs: StepSpec<NoNewPrivsStep> = {
  kind: 'no_new_privs',
  json: {},
  wire: systemCall(PRCTL, () => ({ args: [PR_SET_NO_NEW_PRIVS, 1n] })),
  rules: defineRules({
    'task.no-new-privs': ['man', 'prctl(PR_SET_NO_NEW_PRIVS) succeeds.', 'prctl(2)'],
  }),
  predict: (world, task) => {
    task.no_new_privs = true;
    return answer(0, world.hit('task.no-new-privs'));
  },
  text: () => 'prctl(PR_SET_NO_NEW_PRIVS, 1)',
  // Preferred to other ways of being allowed to register.
  size: () => -5,
};
