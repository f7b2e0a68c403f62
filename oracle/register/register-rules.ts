/** Rules of io_uring_register(2) beside those of filters and restrictions. */
import { defineRules } from '../rule.ts';

export const registerRules = defineRules({
  'register.unknown-opcode': [
    'man',
    'An opcode that takes no ring of this kind answers -EINVAL.',
    'io_uring_register(2), ERRORS: EINVAL',
  ],
  'register.arguments': [
    'man',
    'A call whose pointer, count or reserved fields are wrong is refused before anything changes.',
    'io_uring_register(2), ERRORS: EINVAL, EFAULT',
  ],
  'register.buffers': [
    'man',
    'Buffers are registered once per ring; a second table is -EBUSY, a missing one -ENXIO.',
    'io_uring_register(2), IORING_REGISTER_BUFFERS',
  ],
  'register.files': [
    'man',
    'Files are registered once per ring; a second table is -EBUSY, a missing one -ENXIO, a bad or io_uring descriptor -EBADF.',
    'io_uring_register(2), IORING_REGISTER_FILES',
  ],
  'register.files-update': [
    'man',
    'An update replaces slots of the table and answers how many; outside the table it is -EINVAL, without one -ENXIO.',
    'io_uring_register(2), IORING_REGISTER_FILES_UPDATE',
  ],
  'register.eventfd': [
    'man',
    'One eventfd is registered per ring; a second is -EBUSY, a missing one -ENXIO.',
    'io_uring_register(2), IORING_REGISTER_EVENTFD',
  ],
  'register.probe': [
    'man',
    'A probe answers 0 when the structure passed in is all zero.',
    'io_uring_register(2), IORING_REGISTER_PROBE',
  ],
  'register.personality': [
    'man',
    'Registering a personality answers its id, at least 1; unregistering an unknown one is -EINVAL.',
    'io_uring_register(2), IORING_REGISTER_PERSONALITY',
  ],
  'register.iowq': [
    'man',
    'Worker affinity and worker limits are taken when the task has workers of its own.',
    'io_uring_register(2), IORING_REGISTER_IOWQ_AFF, IORING_REGISTER_IOWQ_MAX_WORKERS',
  ],
  'register.ring-fds': [
    'man',
    'Ring descriptors are registered with the calling task, in slots 0 to 15; a slot in use is -EBUSY.',
    'io_uring_register(2), IORING_REGISTER_RING_FDS',
  ],
  'register.pbuf-ring': [
    'man',
    'A buffer ring is registered once per group; a second is -EEXIST, a missing one -ENOENT.',
    'io_uring_register(2), IORING_REGISTER_PBUF_RING',
  ],
  'register.sync-cancel': [
    'man',
    'Cancelling a request that is not there answers -ENOENT.',
    'io_uring_register(2), IORING_REGISTER_SYNC_CANCEL',
  ],
  'register.alloc-range': [
    'man',
    'The range for allocated direct descriptors must lie inside the table.',
    'io_uring_register(2), IORING_REGISTER_FILE_ALLOC_RANGE',
  ],
  'register.napi': ['man', 'Busy-poll settings are taken and can be withdrawn.', 'io_uring_register_napi(3)'],
  'register.clock': [
    'man',
    'CLOCK_MONOTONIC and CLOCK_BOOTTIME are accepted, others are -EINVAL.',
    'io_uring_register(2), IORING_REGISTER_CLOCK',
  ],
  'register.clone-buffers': [
    'man',
    'Cloning from a ring without buffers is -ENXIO, over existing ones -EBUSY.',
    'io_uring_clone_buffers(3)',
  ],
  'register.send-msg-ring': [
    'man',
    'Without a ring, a message posts a CQE on the target ring.',
    'io_uring_register(2), IORING_REGISTER_SEND_MSG_RING',
  ],
  'register.zcrx': [
    'man',
    'Zero-copy receive needs CAP_NET_ADMIN and a ring made for it.',
    'io_uring_register(2), IORING_REGISTER_ZCRX_IFQ',
  ],
  'register.resize': ['man', 'Only rings with IORING_SETUP_DEFER_TASKRUN can be resized.', 'io_uring_resize_rings(3)'],
  'register.mem-region': ['man', 'A ring takes one memory region; a second is -EBUSY.', 'io_uring_register_region(3)'],
  'register.query': [
    'man',
    'A query answers 0 when every header could be read and written; results are in the headers.',
    'linux/io_uring/query.h',
  ],
});

export type RegisterRule = keyof typeof registerRules;
