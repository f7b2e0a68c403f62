/** probe_fd: whether a descriptor is open. */
import { defineRules } from '../../rule.ts';
import { isRingFd, RING_FD } from '../../scenario/layout.ts';
import { required, s32 } from '../../schema/codec.ts';
import { E } from '../../uapi/constants.ts';
import { answer } from '../answer.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { MODE, systemCall } from '../system-call.ts';

const F_GETFD = 1n;

/** fcntl(fd, F_GETFD) reduced to 0 (open) or -EBADF. */
export interface ProbeFdStep extends AnyStep {
  readonly do: 'probe_fd';
  readonly fd: number;
}

/** See ProbeFdStep. */
export const probeFd: StepSpec<ProbeFdStep> = {
  kind: 'probe_fd',
  json: { fd: required(s32) },
  wire: systemCall({ number: 4, name: 'fcntl' }, ({ fd }: ProbeFdStep) => ({
    args: [BigInt(fd), F_GETFD],
    mode: MODE.positive_is_zero,
  })),
  rules: defineRules({
    'probe.fd': [
      'man',
      'A descriptor is open exactly if nothing allowed closed it.',
      'io_uring_register_bpf_filter(3), DESCRIPTION (denied operations are not performed)',
    ],
  }),
  predict: (world, task, { fd }) => {
    const { rings, sandbox } = task.files;
    const open = isRingFd(fd) ? (rings.has(fd - RING_FD) ? 0 : -E.BADF) : sandbox.probeFd(fd);
    return answer(open, world.hit('probe.fd'));
  },
  text: ({ fd }) => `is descriptor ${fd} open?`,
  refersTo: ({ fd }) => ({ rings: isRingFd(fd) }),
};
