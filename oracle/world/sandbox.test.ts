import { Open } from '../open-answer.ts';
import { WORLD } from './open.ts';
import { describe, expect, it } from 'vitest';
import { ARENA, ARENA_BASE, ARENA_END, FD } from '../scenario/layout.ts';
import { arenaOffset, data, PATH, PATTERN, TIMESPEC } from './arena.ts';
import { E, SOCK } from '../uapi/constants.ts';
import { objectName } from './files.ts';
import { OP, opName } from '../opcodes/index.ts';
import { Memory, memoryNames } from './memory.ts';
import { Bench } from '../testing/op-context.ts';

const AT = -100;
const RACED = WORLD['resources.lost'];
const registered = (bench: Bench, ...fds: number[]): void => {
  bench.sandbox.common.ring(0).setFiles(
    fds.map((fd) => {
      const file = bench.sandbox.file(fd);
      return typeof file === 'string' ? undefined : file;
    }),
  );
};

describe('memory', () => {
  it('is the image, the data area, and what is not mapped', () => {
    const memory = new Memory(true);
    expect(memory.read(PATH.f0, 3)).toEqual(Uint8Array.of(0x66, 0x30, 0));
    expect(memory.read(data(0), 0)).toEqual(new Uint8Array(0));
    expect(memory.read(BigInt(ARENA_BASE + ARENA.args), 1)).toSatisfy((bytes) => Open.is(bytes));
    expect(memory.read(8n, 1)).toBe('fault');
    expect(memory.read(BigInt(ARENA_END) - 1n, 2)).toBe('fault');
    expect(memory.read(1n << 40n, 1)).toSatisfy((bytes) => Open.is(bytes));
    expect(memory.mapped(1n, 0)).toBe(true);
    memory.write(data(0xffe), Uint8Array.of(1, 2, 3));
    memory.write(1n << 40n, Uint8Array.of(1));
    expect(memory.read(data(0xffe), 2)).toEqual(Uint8Array.of(1, 2));
    memory.forget(data(0), 1);
    expect(memory.read(data(0), 2)).toSatisfy((bytes) => Open.is(bytes));
    expect(memory.copy(true).read(data(0xffe), 1)).toEqual(Uint8Array.of(1));
    memory.write(data(0x10), new Uint8Array(0x100).fill(0x41));
    expect(memory.text(data(0x20))).toMatchObject({ text: 'A'.repeat(0xf0) });
    memory.forgetAll();
    expect(memory.text(data(0x20))).toSatisfy((bytes) => Open.is(bytes));
    expect([memoryNames(data(0x3f), 2), memoryNames(0n, 4), memoryNames(data(0), 0)]).toEqual([
      ['mem:0', 'mem:64'],
      [],
      [],
    ]);
    expect(arenaOffset(data(4))).toBe(0x3004);
    expect(opName(99)).toBe('OP_99');
  });
  it('of a text without an end is not known', () => {
    const memory = new Memory(true);
    memory.write(data(0), new Uint8Array(0x1000).fill(0x41));
    expect(memory.text(data(0))).toSatisfy((bytes) => Open.is(bytes));
  });
  it('differs for a guest of the other byte order', () => {
    expect(new Memory(false).read(TIMESPEC.tiny, 16)).not.toEqual(new Memory(true).read(TIMESPEC.tiny, 16));
  });
});

describe('the sandbox', () => {
  it('gives a child descriptors and memory of its own', () => {
    const b = new Bench();
    const child = b.sandbox.fork();
    const sharing = b.sandbox.fork(true);
    b.run({ opcode: OP.CLOSE, fd: FD.file });
    b.run({ opcode: OP.READ, fd: FD.eventfd, addr: data(0), len: 8 });
    expect([b.sandbox.probeFd(FD.file), child.probeFd(FD.file), child.probeFd(4)]).toEqual([
      -E.BADF,
      0,
      WORLD['descriptor.not-ours'].any,
    ]);
    expect(child.memory.read(data(0), 1)).toEqual(Uint8Array.of(0));
    expect(sharing.memory.read(data(0), 1)).toEqual(Uint8Array.of(1));
    const eventfd = child.file(FD.eventfd);
    expect(typeof eventfd === 'object' && eventfd.kind === 'eventfd' && eventfd.counter).toBe(0n);
  });
  it('forgets what requests raced over', () => {
    const b = new Bench();
    b.sandbox.taint('path:f0', RACED);
    b.sandbox.taint('fd:60', RACED);
    b.sandbox.taint('mem:0', RACED);
    expect([b.sandbox.probePath('f0'), b.sandbox.probeFd(60), b.sandbox.memory.read(data(0), 1)]).toEqual([
      RACED.any,
      RACED.any,
      WORLD['memory.written-late'],
    ]);
    expect(b.run({ opcode: OP.UNLINKAT, fd: AT, addr: PATH.f0 })).toBe('any');
    b.sandbox.taint('socketpair', RACED);
    expect(b.ask({ opcode: OP.SEND_ZC, fd: FD.socketpair_a, addr: PATTERN, len: 1 }).extra).toHaveLength(1);
  });
  it('names every kind of object', () => {
    const b = new Bench();
    const names = [...b.sandbox.fds.values()].map(objectName);
    expect(new Set(names)).toEqual(
      new Set([
        'node:f0',
        'pipe',
        'socketpair',
        'eventfd',
        'epoll',
        'listener',
        'datagram',
        'stream',
        'pipe2',
        'inet_listener',
        'inet',
      ]),
    );
    const node = b.sandbox.common.paths.get('f0');
    const sock = b.sandbox.common.paths.get('sock');
    if (node === undefined || sock === undefined) throw new Error('fixtures are missing');
    expect([
      objectName({ kind: 'path', node }),
      objectName({ kind: 'path', node: sock }),
      objectName({ kind: 'other' }),
      objectName({ kind: 'ring', slot: 3 }),
    ]).toEqual(['node:f0', 'path-only', 'other', 'ring:3']);
  });
});

describe('errors that do not fail the request', () => {
  it('are marked', () => {
    const b = new Bench();
    const quiet = (sqe: Parameters<Bench['ask']>[0]): boolean => b.ask(sqe).quiet === true;
    expect(quiet({ opcode: OP.MKDIRAT, fd: AT, addr: PATH.d0 })).toBe(true);
    expect(quiet({ opcode: OP.FSYNC, fd: FD.pipe_read })).toBe(true);
    expect(quiet({ opcode: OP.FSYNC, fd: FD.closed })).toBe(false);
    expect(quiet({ opcode: OP.SHUTDOWN, fd: FD.file })).toBe(false);
    expect(quiet({ opcode: OP.SHUTDOWN, fd: FD.socketpair_a, len: 7 })).toBe(true);
    expect(quiet({ opcode: OP.SOCKET, fd: 1, off: 1n, file_index: 1 })).toBe(true);
    expect(quiet({ opcode: OP.SOCKET, fd: 1, off: 9n, file_index: 1 })).toBe(false);
    expect(quiet({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, file_index: 1 })).toBe(false);
    expect(quiet({ opcode: OP.FSYNC, fd: FD.file })).toBe(false);
    registered(b, FD.file);
    expect(quiet({ opcode: OP.SOCKET, fd: 1, off: BigInt(SOCK.STREAM), file_index: 5 })).toBe(true);
  });
});
