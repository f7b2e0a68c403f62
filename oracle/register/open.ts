/** Open answers of io_uring_register calls beside the feature. */
import { defineOpen } from '../open-answer.ts';

/** See CONTRIBUTING.md, "An open answer". */
export const REGISTER = defineOpen({
  'register-call.pbuf-ring': [
    'not-modelled',
    'A ring of provided buffers in memory of the caller, or with words that later releases gave a meaning.',
  ],
  'register-call.buffers': [
    'not-modelled',
    'Whether a guest has room to number the pages of a registered buffer, where more than 1 GiB is taken.',
  ],
  'register-call.clone-buffers': [
    'not-modelled',
    'Buffers cloned in part, from a registered ring descriptor, or from a ring of another task with SINGLE_ISSUER.',
  ],
  'register-call.eventfd-counts': [
    'timing',
    'The counter of an eventfd that is registered for completions.',
    'A completion is posted, and counts, before it is looked at.',
    'After that.',
  ],
  'register-call.files-many': [
    'not-modelled',
    'More direct descriptors than the limit of open files that a guest may have (RLIMIT_NOFILE).',
  ],
  'register-call.tags': ['not-modelled', 'Registered resources with tags, which announce that a resource goes away.'],
  'register-call.sync-cancel': [
    'not-modelled',
    'IORING_REGISTER_SYNC_CANCEL of requests that may be there: of any, by descriptor, or by opcode.',
  ],
  'register-call.message-fd': [
    'not-modelled',
    "A message to a descriptor number that may be the runner's: -EBADF, or -EBADFD for what is no ring.",
  ],
  'register-call.personality-wraps': ['not-modelled', 'Personality ids after the 65,535th, which are given out anew.'],
  'register-call.probe-bytes': ['not-modelled', 'IORING_REGISTER_PROBE of bytes that nobody knows to be zero or not.'],
  'register-call.query-refused': [
    'silent',
    'What a refused query answers: released kernels write the header back, or give up at once.',
    'linux/io_uring/query.h; io_uring_register(2), IORING_REGISTER_QUERY',
  ],
  'register-call.query-size': [
    'silent',
    'A query whose size is more than a page: 7.0.13 answers 0, 7.3.4 -E2BIG.',
    'linux/io_uring/query.h; io_uring_register(2), IORING_REGISTER_QUERY',
  ],
  'register-call.query-long': ['not-modelled', 'A chain of more than eight queries.'],
  'register-call.napi': [
    'not-modelled',
    'Busy polling being set up: whether the kernel has it is up to its configuration.',
  ],
  'register-call.zcrx': [
    'not-modelled',
    'Zero-copy receive: -EPERM without CAP_NET_ADMIN over the first user namespace, which no rule is about, or ' +
      'whatever a ring made for it answers.',
  ],
  'register-call.region': ['not-modelled', 'A region in memory of the caller, or of more than 16 pages.'],
  'register-call.resize': [
    'not-modelled',
    'A completion queue of fewer than 16 entries for a ring in which completions may wait.',
  ],
  'register-call.zcrx-ctrl': ['not-modelled', 'A command to a zero-copy queue with reserved words set.'],
  'register-call.workers': [
    'timing',
    'The processors that workers may use.',
    'The task has workers of its own already: 0.',
    'It has none yet: -EINVAL.',
  ],
});
