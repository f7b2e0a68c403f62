/** Rules of io_uring_register(2) that hold for all opcodes; the others stand with the opcodes they are about. */
import { defineRules } from '../rule.ts';

/** Rules that no opcode has for itself. */
export const commonRules = defineRules({
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
});
