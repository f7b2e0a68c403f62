/** Mistakes about what an allowed request must have made, as it is asked about by other calls. */
import type { Mistake } from './mutants.ts';

const FILE = 'opcodes/made.ts';
const LOOKS = 'model/looks.ts';
const mistake = (name: string, find: string, replace: string, file = FILE, ...likely: string[]): Mistake => ({
  name,
  file,
  find,
  replace,
  likely: likely.length === 0 ? ['opcode-context', 'escape'] : likely,
});

/** They are about probe_made. */
export const MADE_MISTAKES: readonly Mistake[] = [
  mistake(
    'a raw socket of AF_UNIX stays raw',
    'type === SOCK.RAW ? SOCK.DGRAM : type',
    'type === SOCK.RAW ? SOCK.RAW : type',
  ),
  mistake('protocol 0 stays 0', 'return type === SOCK.STREAM ? IPPROTO_TCP', 'return type === SOCK.STREAM ? 0'),
  mistake('a socket is always closed on exec', '(asked & SOCK.CLOEXEC) === 0 ? 0 : FD_CLOEXEC', 'FD_CLOEXEC'),
  mistake('a socket never waits', 'O_RDWR | (asked & SOCK.NONBLOCK)', 'O_RDWR | SOCK.NONBLOCK'),
  mistake('there is no umask', '(Number(mode) & ~UMASK)', 'Number(mode)'),
  mistake('F_GETFL shows O_CREAT', 'BigInt(o.O_CREAT | o.O_EXCL | o.O_TRUNC | o.O_CLOEXEC) | 0o400n', '0o400n'),
  mistake('F_GETFL never shows O_DSYNC for O_SYNC', '((flags & sync) === 0n ? 0n : BigInt(o.O_DSYNC))', '0n'),
  mistake(
    'what was not made can be looked at',
    'const returns = Array.from({ length: ANSWERS[aspect] }, () => -E.BADF);',
    'const returns = Array.from({ length: ANSWERS[aspect] }, () => 0);',
    'steps/kind/probe-made.ts',
  ),
  mistake(
    'an installed descriptor is never closed on exec',
    '=== 0 ? 1 : 0;',
    '=== 0 ? 0 : 0;',
    'steps/kind/probe-made.ts',
  ),
  mistake(
    'an allocated slot is the one behind',
    'FILE_INDEX_ALLOC ? res : sqe.file_index - 1',
    'FILE_INDEX_ALLOC ? res + 1 : sqe.file_index',
    LOOKS,
  ),
];
