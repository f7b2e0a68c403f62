/** drop_cap_sys_admin: gives up the capability that lets a task register filters. */
import { defineRules } from '../../rule.ts';
import { answer } from '../answer.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { operation } from '../wire.ts';

/** Drops CAP_SYS_ADMIN from the bounding, permitted, effective and inheritable sets (in this order). */
export interface DropCapStep extends AnyStep {
  readonly do: 'drop_cap_sys_admin';
}

/** See DropCapStep. */
export const dropCapSysAdmin: StepSpec<DropCapStep> = {
  kind: 'drop_cap_sys_admin',
  json: {},
  wire: operation({ number: 11, name: 'dropcap', answers: '0 or the first -errno' }),
  rules: defineRules({
    'task.drop-cap': ['man', 'Dropping CAP_SYS_ADMIN succeeds.', 'capabilities(7)'],
  }),
  predict: (world, task) => {
    task.cap_sys_admin = false;
    return answer(0, world.hit('task.drop-cap'));
  },
  text: () => 'drop CAP_SYS_ADMIN',
};
