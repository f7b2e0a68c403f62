/** unshare_user: a user namespace of its own. */
import { unshareUser as predictUnshare } from '../../model/tasks.ts';
import { defineRules } from '../../rule.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { operation } from '../wire.ts';

/** unshare(CLONE_NEWUSER), then maps uid and gid 0 to themselves: all capabilities, but only in the new namespace. */
export interface UnshareUserStep extends AnyStep {
  readonly do: 'unshare_user';
}

/** See UnshareUserStep. */
export const unshareUser: StepSpec<UnshareUserStep> = {
  kind: 'unshare_user',
  json: {},
  wire: operation({ number: 12, name: 'unshare', answers: '0 or the first -errno' }),
  rules: defineRules({
    'task.unshare-user': [
      'man',
      'unshare(CLONE_NEWUSER) succeeds in a single-threaded task and fails with -EINVAL otherwise.',
      'unshare(2), ERRORS EINVAL',
    ],
  }),
  predict: predictUnshare,
  text: () => 'unshare(CLONE_NEWUSER)',
  track: (_tracked, task) => {
    if (task.process.shared) return 'unshare_user in a task that shares its memory';
    if (task.hasRing) return 'unshare_user after a ring was created';
    return true;
  },
};
