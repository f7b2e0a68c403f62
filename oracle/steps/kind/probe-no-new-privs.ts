/** probe_no_new_privs: whether a task may register filters without CAP_SYS_ADMIN, as the kernel keeps it. */
import { defineRules } from '../../rule.ts';
import { answer } from '../answer.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { systemCall } from '../system-call.ts';
import { PRCTL } from './no-new-privs.ts';

const PR_GET_NO_NEW_PRIVS = 39n;

/** prctl(PR_GET_NO_NEW_PRIVS): 0 or 1. */
export interface ProbeNoNewPrivsStep extends AnyStep {
  readonly do: 'probe_no_new_privs';
}

/** See ProbeNoNewPrivsStep. */
export const probeNoNewPrivs: StepSpec<ProbeNoNewPrivsStep> = {
  kind: 'probe_no_new_privs',
  json: {},
  wire: systemCall(PRCTL, () => ({ args: [PR_GET_NO_NEW_PRIVS] })),
  rules: defineRules({
    'probe.no-new-privs': [
      'man',
      'no_new_privs stays set, is inherited by every kind of child, and survives execve; what a child sets is its own.',
      'prctl(2), PR_SET_NO_NEW_PRIVS',
    ],
  }),
  predict: (world, task) => answer(task.no_new_privs ? 1 : 0, world.hit('probe.no-new-privs')),
  text: () => 'prctl(PR_GET_NO_NEW_PRIVS)',
};
