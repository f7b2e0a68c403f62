/** Rules of the per-opcode tables: submission checks that come before a filter, prep, and what requests answer. */
import { defineRules } from '../rule.ts';

/** Checks of a submission that come before its opcode's prep step. */
export const opcodeRules = defineRules({
  'init.opcode': [
    'man',
    'An opcode the kernel does not know completes with -EINVAL.',
    'io_uring_enter(2), ERRORS (CQE): EINVAL',
  ],
  'init.big-sqe': [
    'uapi',
    'A 128-byte opcode needs IORING_SETUP_SQE128, or IORING_SETUP_SQE_MIXED and two adjacent entries; ' +
      'otherwise -EINVAL.',
    'linux/io_uring.h, IORING_SETUP_SQE_MIXED and IORING_OP_NOP128',
  ],
  'init.sqe-flags': [
    'man',
    'An unknown bit in sqe.flags completes with -EINVAL.',
    'io_uring_enter(2), ERRORS (CQE): EINVAL',
  ],
  'init.buffer-select': [
    'man',
    'IOSQE_BUFFER_SELECT on an opcode that cannot select a buffer completes with -EOPNOTSUPP.',
    'io_uring_enter(2), ERRORS (CQE): EOPNOTSUPP',
  ],
  'init.drain-skip': [
    'man',
    'IOSQE_IO_DRAIN and IOSQE_CQE_SKIP_SUCCESS exclude each other on a ring: once skipping was used, ' +
      'draining completes with -EOPNOTSUPP.',
    'io_uring_enter(2), IOSQE_CQE_SKIP_SUCCESS',
  ],
  'init.ioprio': [
    'man',
    'A non-zero sqe.ioprio on an opcode that has no use for it completes with -EINVAL.',
    'io_uring_enter(2), ERRORS (CQE): EINVAL',
  ],
  'init.iopoll': [
    'man',
    'On an IORING_SETUP_IOPOLL ring only opcodes that can be polled are taken; others complete with -EINVAL.',
    'io_uring_setup(2), IORING_SETUP_IOPOLL',
  ],
  'init.personality': [
    'man',
    'A personality that is not registered on the ring completes with -EINVAL.',
    'io_uring_register(2), IORING_REGISTER_PERSONALITY',
  ],
});
