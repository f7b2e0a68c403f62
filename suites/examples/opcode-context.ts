/** What socket and open requests show their filters. */
import { OPEN_HOW, PATH } from '../../oracle/world/arena.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { ARENA, ARENA_BASE } from '../../oracle/scenario/layout.ts';
import {
  ALLOW,
  DENY,
  example,
  exists,
  filter,
  made,
  onRing,
  openat,
  register,
  ring,
  socket,
  submit,
  suite,
  write,
} from './build.ts';

const on = onRing(0);
/** Allows exactly if each word of the context has the value. */
const wants = (...words: readonly (readonly [offset: number, value: number])[]): string =>
  [
    ...words.map(([offset, value], i) => `ld [${offset}]\njeq #${value >>> 0}, l${i}x, no\nl${i}x:`),
    'ret #1',
    'no: ret #0',
  ].join('\n');

const O_CREAT = 0o100;
const LARGEFILE = 0o100000;

/** Examples of suite opcode-context. */
export const opcodeContext = suite('opcode-context', [
  example('socket: family, type and protocol in this order', 'A filter that allows only TCP depends on it.', [
    ring(0),
    filter(on, OP.SOCKET, wants([16, 2], [20, 1], [24, 6], [28, 0], [32, 0], [36, 0])),
    submit(0, socket(2, 1, 6)),
    submit(0, socket(2, 1, 0)),
    submit(0, socket(2, 6, 1)),
    submit(0, socket(1, 1, 0)),
  ]),
  example('socket: the type without its flags', 'SOCK_CLOEXEC is not a type of socket.', [
    ring(0),
    filter(on, OP.SOCKET, wants([20, 1])),
    submit(0, socket(1, 1, 0)),
    submit(0, socket(1, 1 | 0o2000000, 0)),
    submit(0, socket(1, 1 | 0o4000, 0)),
  ]),
  example(
    'The size of the payload is in the context',
    'A program can tell an old kernel from a new one.',
    [
      ring(0),
      filter(on, OP.SOCKET, wants([8, OP.SOCKET | (12 << 16)])),
      filter(on, OP.OPENAT, wants([8, OP.OPENAT | (24 << 16)])),
      submit(0, socket(1, 1, 0)),
      submit(0, openat(PATH.f0, 0)),
    ],
    { fixtures: ['file'] },
  ),
  example(
    'openat: flags as the kernel will use them',
    'The kernel adds O_LARGEFILE and drops what it does not know; the filter sees the result.',
    [
      ring(0),
      filter(on, OP.OPENAT, wants([16, LARGEFILE], [20, 0], [24, 0], [28, 0], [32, 0])),
      submit(0, openat(PATH.f0, 0)),
      submit(0, openat(PATH.f0, 0, 0o777)),
      submit(0, openat(PATH.f0, 2)),
    ],
    { fixtures: ['file'] },
  ),
  example('openat: the mode where a file may be created', 'The mode is shown only where it has a meaning.', [
    ring(0),
    filter(on, OP.OPENAT, wants([16, LARGEFILE | O_CREAT | 1], [24, 0o600])),
    submit(0, openat(PATH.n0, O_CREAT | 1, 0o600)),
    exists('n0'),
    submit(0, openat(PATH.n1, O_CREAT | 1, 0o644)),
    exists('n1'),
  ]),
  example(
    'openat2: resolve',
    'RESOLVE_BENEATH is the reason to filter openat2 at all.',
    [
      ring(0),
      filter(on, OP.OPENAT2, wants([32, 8], [36, 0])),
      submit(0, { opcode: OP.OPENAT2, fd: -100, addr: PATH.f0, off: OPEN_HOW.beneath, len: 24 }),
      submit(0, { opcode: OP.OPENAT2, fd: -100, addr: PATH.f0, off: OPEN_HOW.in_root, len: 24 }),
    ],
    { fixtures: ['file'] },
  ),
  example('What prep refuses is not denied', 'An error in the request is told, not hidden behind the filter.', [
    ring(0),
    filter(on, OP.SOCKET, DENY),
    filter(on, OP.OPENAT, DENY),
    submit(0, socket(1, 1, 0, { addr: 1n })),
    submit(0, socket(1, 1, 0)),
    submit(0, openat(0n, 0)),
    submit(0, openat(PATH.n0, O_CREAT | 1, 0o600)),
    exists('n0'),
  ]),
  example(
    'The socket that is made is the one that was shown',
    'A filter protects only if the words it judged are those the kernel acts on.',
    [
      ring(0),
      filter(on, OP.SOCKET, wants([16, 2], [20, 2], [24, 17])),
      submit(0, socket(2, 2 | 0o2000000 | 0o4000, 17, { user_data: 1n }), socket(1, 1, 0, { user_data: 2n })),
      made('socket', 1n),
      made('socket', 2n),
    ],
  ),
  example(
    'A socket of AF_UNIX is never raw',
    'SOCK_RAW is shown, and a datagram socket is made: a note, but no promise is broken.',
    [
      ring(0),
      filter(on, OP.SOCKET, wants([16, 1], [20, 3])),
      submit(0, socket(1, 3, 0, { user_data: 1n })),
      made('socket', 1n),
    ],
  ),
  example(
    'The file that is opened has the flags and the mode that were shown',
    'O_CLOEXEC and O_CREAT are no status flags; the mode is cut by the umask.',
    [
      ring(0),
      filter(on, OP.OPENAT, ALLOW),
      submit(0, openat(PATH.n0, O_CREAT | 0o2000000 | 0o6001, 0o7666, { user_data: 1n })),
      made('file', 1n),
      submit(0, openat(PATH.f0, 0o1002, 0o777, { user_data: 2n })),
      made('file', 2n),
      submit(0, openat(PATH.f0, 0o4000000, 0, { user_data: 3n })),
      made('file', 3n),
    ],
    { fixtures: ['file'] },
  ),
  example(
    'A direct descriptor is looked at through one that is made of it',
    'Also a socket that no descriptor table has seen is the one that was shown.',
    [
      ring(0),
      register(on, 2, { nr_args: 1, bytes: new Uint8Array(4).fill(0xff) }),
      submit(0, socket(10, 2, 0, { file_index: 1, user_data: 1n })),
      submit(0, { opcode: OP.FIXED_FD_INSTALL, flags: 1, user_data: 2n }),
      made('socket', 1n, 2n),
      write(ARENA.data, Uint8Array.of(10, 0, 0x1b, 0x58, 0, 0, 0, 0, ...new Uint8Array(15), 1)),
      submit(0, {
        opcode: OP.CONNECT,
        flags: 1,
        addr: BigInt(ARENA_BASE + ARENA.data),
        off: 24n,
        user_data: 3n,
      }),
      made('peer', 3n, 2n),
    ],
  ),
  example(
    'A descriptor made of one direct socket says nothing of its neighbour',
    'Who looks at the wrong slot sees another family.',
    [
      ring(0),
      register(on, 2, { nr_args: 2, bytes: new Uint8Array(8).fill(0xff) }),
      submit(0, socket(10, 2, 0, { file_index: 2, user_data: 1n })),
      submit(0, socket(2, 1, 0, { file_index: 0xffff_ffff, user_data: 2n })),
      submit(0, { opcode: OP.FIXED_FD_INSTALL, fd: 1, flags: 1, user_data: 3n }),
      made('socket', 2n, 3n),
      made('socket', 1n, 3n),
    ],
  ),
]);
