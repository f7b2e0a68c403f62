import { Open } from '../open-answer.ts';
import { describe, expect, it } from 'vitest';
import { ARENA_END, FD, FILE_CONTENT, RING_FD } from '../scenario/layout.ts';
import { data, IOVEC, PATH, PATTERN, XATTR } from '../world/arena.ts';
import { E, FILE_INDEX_ALLOC, IOSQE, RWF } from '../uapi/constants.ts';
import { OP, opName } from './index.ts';
import { Bench } from '../testing/op-context.ts';

const AT = -100;
const text = (bytes: ReturnType<Bench['sandbox']['memory']['read']>): string =>
  bytes === 'fault' || Open.is(bytes) ? 'none' : new TextDecoder().decode(bytes);
const NONE = (1n << 64n) - 1n;
const ELSEWHERE = 0x2000_9000n;
const registered = (bench: Bench, ...fds: number[]): void => {
  bench.sandbox.common.ring(0).setFiles(
    fds.map((fd) => {
      const file = bench.sandbox.file(fd);
      return typeof file === 'string' ? undefined : file;
    }),
  );
};
const content = (bench: Bench): string => {
  const file = bench.sandbox.file(FD.file);
  return typeof file === 'object' && file.kind === 'file' ? text(file.node.content) : '';
};

describe('the directory', () => {
  it('follows requests', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.MKDIRAT, fd: AT, addr: PATH.n0, len: 0o755 })).toBe(0);
    expect(b.run({ opcode: OP.MKDIRAT, fd: AT, addr: PATH.n0, len: 0o755 })).toBe(-E.EXIST);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.in_dir, op_flags: 0o101, len: 0o600 })).toEqual({
      at_least: 0,
    });
    expect(b.run({ opcode: OP.UNLINKAT, fd: AT, addr: PATH.d0, op_flags: 0x200 })).toBe(-E.NOTEMPTY);
    expect(b.run({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.d0, off: PATH.n1, len: AT >>> 0 })).toBe('any');
    expect(b.sandbox.probePath('d0')).toMatchObject({ values: 'any' });
    expect(b.run({ opcode: OP.UNLINKAT, fd: AT, addr: PATH.n0, op_flags: 0x200 })).toBe(0);
    expect(b.sandbox.probePath('n0')).toBe(-E.NOENT);
  });
  it('resolves symbolic links for opens and probes', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.SYMLINKAT, fd: AT, addr: PATH.f0, off: PATH.n5 })).toBe(0);
    expect(b.sandbox.probePath('n5')).toBe(0);
    expect(b.ask({ opcode: OP.OPENAT, fd: AT, addr: PATH.n5 }).res).toEqual({ at_least: 0 });
    expect(b.ask({ opcode: OP.STATX, fd: AT, addr: PATH.n5, off: data(0) }).res).toBe('any');
    expect(b.ask({ opcode: OP.GETXATTR, addr: XATTR.user, addr3: PATH.n5 }).res).toBe('any');
    expect(b.run({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.f0, off: PATH.n1, len: AT >>> 0 })).toBe(0);
    expect(b.sandbox.probePath('n5')).toBe(-E.NOENT);
    expect(b.run({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.n1, off: PATH.sock, len: AT >>> 0, op_flags: 2 })).toBe(0);
    expect(b.run({ opcode: OP.UNLINKAT, fd: AT, addr: PATH.n1 })).toBe(0);
  });
  it('links one file under two names', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.LINKAT, fd: AT, addr: PATH.f0, off: PATH.n7, len: AT >>> 0 })).toBe(0);
    expect(b.run({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.f0, off: PATH.n7, len: AT >>> 0 })).toBe(0);
    expect(b.ask({ opcode: OP.LINKAT, fd: AT, addr: PATH.f0, off: PATH.n7, len: AT >>> 0, op_flags: 0x400 }).res).toBe(
      'any',
    );
    expect(b.ask({ opcode: OP.LINKAT, fd: AT, addr: PATH.f0, off: PATH.missing_dir, len: AT >>> 0 }).res).toBe(
      -E.NOENT,
    );
    expect(b.ask({ opcode: OP.LINKAT, fd: FD.closed, addr: PATH.f0, off: PATH.missing_dir, len: AT >>> 0 }).res).toBe(
      'any',
    );
  });
  it('opens no directory past the cache', () => {
    const b = new Bench({ fixtures: ['dir'] });
    expect(b.ask({ opcode: OP.OPENAT, fd: AT, addr: PATH.d0, op_flags: 0o40000 }).res).toBe(-E.INVAL);
    expect(b.ask({ opcode: OP.OPENAT, fd: AT, addr: PATH.d0, op_flags: 0o40002 }).res).toBe(-E.ISDIR);
  });
  it('does not model other requests on absolute paths, other directories and the directory itself', () => {
    const b = new Bench();
    for (const addr of [PATH.dot]) {
      expect(b.ask({ opcode: OP.MKDIRAT, fd: AT, addr }).res).toBe('any');
      expect(b.ask({ opcode: OP.UNLINKAT, fd: AT, addr }).res).toBe('any');
      expect(b.ask({ opcode: OP.SYMLINKAT, fd: AT, addr: PATH.f0, off: addr }).res).toBe('any');
      expect(b.ask({ opcode: OP.STATX, fd: AT, addr, off: data(0) }).res).toBe('any');
      expect(b.ask({ opcode: OP.GETXATTR, addr: XATTR.user, addr3: addr }).res).toBe('any');
      expect(b.ask({ opcode: OP.OPENAT, fd: AT, addr }).res).toEqual({ at_least: 0 });
    }
    expect(b.ask({ opcode: OP.MKDIRAT, fd: -1, addr: PATH.n0 }).res).toBe(-E.BADF);
    expect(b.ask({ opcode: OP.MKDIRAT, fd: 5, addr: PATH.n0 }).res).toBe('any');
    expect(b.ask({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.f0, off: PATH.n0, len: AT >>> 0, op_flags: 4 }).res).toBe(
      'any',
    );
    expect(b.ask({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.f0, off: PATH.n0, len: FD.closed }).res).toBe(-E.BADF);
    expect(b.ask({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.d0, off: PATH.f0, len: AT >>> 0, op_flags: 2 }).res).toBe(
      'any',
    );
  });
  it('cannot tell paths it cannot read', () => {
    const b = new Bench();
    for (const opcode of [OP.MKDIRAT, OP.UNLINKAT, OP.RENAMEAT, OP.SYMLINKAT, OP.LINKAT, OP.STATX, OP.OPENAT]) {
      expect([opcode, b.prep({ opcode, fd: AT, addr: ELSEWHERE }).ok]).toEqual([opcode, 'unknown']);
      expect([opcode, b.ask({ opcode, fd: AT, addr: ELSEWHERE }).res]).toEqual([opcode, 'any']);
    }
    expect(b.ask({ opcode: OP.GETXATTR, addr: XATTR.user, addr3: ELSEWHERE }).res).toBe('any');
  });
});

describe('files', () => {
  it('are read and written where the position says', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.WRITE, fd: FD.file, addr: PATTERN, len: 4, off: NONE })).toBe(4);
    expect(b.run({ opcode: OP.READ, fd: FD.file, addr: data(0), len: 8, off: NONE })).toBe(8);
    expect(text(b.sandbox.memory.read(data(0), 8))).toBe(FILE_CONTENT.slice(4, 12));
    expect(b.run({ opcode: OP.WRITE, fd: FD.file, addr: PATTERN, len: 2, off: 70n })).toBe(2);
    expect(content(b).length).toBe(72);
    expect(b.run({ opcode: OP.FTRUNCATE, fd: FD.file, off: 3n })).toBe(0);
    expect(content(b)).toBe('012');
    expect(b.run({ opcode: OP.FALLOCATE, fd: FD.file, addr: 8n, len: 1 })).toBe(0);
    expect(content(b).length).toBe(3);
    expect(b.run({ opcode: OP.FALLOCATE, fd: FD.file, addr: 8n })).toBe(0);
    expect(content(b).length).toBe(8);
    expect(b.run({ opcode: OP.READV, fd: FD.file, addr: IOVEC.two, len: 2 })).toBe(8);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, op_flags: 0o1001 })).toEqual({ at_least: 0 });
    expect(content(b)).toBe('');
  });
  it('opened as direct descriptors keep their access mode', () => {
    const b = new Bench();
    registered(b);
    b.sandbox.common.ring(0).setFiles([undefined, undefined, undefined, undefined]);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, file_index: 1 })).toBe(0);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, op_flags: 0o2001, file_index: FILE_INDEX_ALLOC })).toBe(1);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.d0, file_index: 3 })).toBe(0);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, op_flags: 0o10000000, file_index: 4 })).toBe(0);
    const fixed = { flags: IOSQE.FIXED_FILE };
    expect(b.run({ opcode: OP.WRITE, fd: 0, addr: PATTERN, len: 1, ...fixed })).toBe(-E.BADF);
    expect(b.run({ opcode: OP.READ, fd: 1, addr: data(0), len: 1, ...fixed })).toBe(-E.BADF);
    expect(b.run({ opcode: OP.WRITE, fd: 1, addr: PATTERN, len: 3, ...fixed })).toBe(3);
    expect(content(b).endsWith('012')).toBe(true);
    expect(b.run({ opcode: OP.READ, fd: 2, addr: data(0), len: 1, ...fixed })).toBe(-E.ISDIR);
    expect(b.run({ opcode: OP.WRITE, fd: 2, addr: PATTERN, len: 1, ...fixed })).toBe(-E.BADF);
    expect(b.run({ opcode: OP.READ, fd: 3, addr: data(0), len: 1, ...fixed })).toBe(-E.BADF);
    expect(b.run({ opcode: OP.FTRUNCATE, fd: 0, ...fixed })).toBe(-E.INVAL);
    expect(b.run({ opcode: OP.FALLOCATE, fd: 0, addr: 1n, ...fixed })).toBe(-E.BADF);
    expect(b.run({ opcode: OP.FIXED_FD_INSTALL, fd: 0, ...fixed })).toEqual({ at_least: 0 });
    expect(b.run({ opcode: OP.CLOSE, file_index: 1 })).toBe(0);
    expect(b.run({ opcode: OP.CLOSE, file_index: 1 })).toBe(-E.BADF);
    expect(b.run({ opcode: OP.CLOSE, file_index: 9 })).toBe(-E.INVAL);
    for (const opcode of [OP.FSYNC, OP.SYNC_FILE_RANGE, OP.FALLOCATE, OP.FADVISE, OP.FTRUNCATE])
      expect(b.ask({ opcode, fd: 2, addr: 1n, ...fixed }).res).toBe('any');
    expect(b.ask({ opcode: OP.FGETXATTR, fd: 2, addr: XATTR.user, ...fixed }).res).toBe(-E.NODATA);
    expect(
      b.run({ opcode: OP.SPLICE, fd: 2, file_index: FD.pipe2_read, len: 1, addr: NONE, off: NONE, ...fixed }),
    ).toBe(-E.BADF);
    expect(
      b.ask({ opcode: OP.SPLICE, fd: 1, file_index: FD.pipe2_read, len: 1, addr: NONE, off: NONE, ...fixed }).res,
    ).toBe('any');
  });
  it('keep attributes', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.FSETXATTR, fd: FD.file, addr: XATTR.user, off: XATTR.value, len: 5 })).toBe(0);
    expect(
      b.run({ opcode: OP.SETXATTR, addr3: PATH.f0, addr: XATTR.user, off: XATTR.value, len: 5, op_flags: 1 }),
    ).toBe(-E.EXIST);
    expect(b.run({ opcode: OP.GETXATTR, addr3: PATH.f0, addr: XATTR.user, off: data(0), len: 5 })).toBe(5);
    expect(text(b.sandbox.memory.read(data(0), 5))).toBe('value');
    expect(b.run({ opcode: OP.FGETXATTR, fd: FD.file, addr: XATTR.user })).toBe(5);
    expect(b.run({ opcode: OP.FGETXATTR, fd: FD.file, addr: XATTR.user, len: 2, off: data(0) })).toBe(-E.RANGE);
    expect(b.run({ opcode: OP.FGETXATTR, fd: FD.file, addr: XATTR.user, len: 9, off: 0n })).toBe(-E.FAULT);
    expect(b.ask({ opcode: OP.FGETXATTR, fd: FD.file, addr: XATTR.user, len: 9, off: 0x7000_0000_0000n }).res).toBe(
      'any',
    );
    expect(b.ask({ opcode: OP.FGETXATTR, fd: FD.file, addr: PATH.f0, len: 9, off: data(0) }).res).toBe('any');
    expect(b.ask({ opcode: OP.FSETXATTR, fd: FD.file, addr: PATH.f0, len: 1, off: data(0) }).res).toBe('any');
    expect(b.ask({ opcode: OP.FSETXATTR, fd: FD.pipe_read, addr: XATTR.user, len: 1, off: data(0) }).res).toBe('any');
    expect(b.prep({ opcode: OP.FSETXATTR, fd: FD.file, addr: ELSEWHERE }).ok).toBe('unknown');
    expect(b.prep({ opcode: OP.FSETXATTR, fd: FD.file, addr: XATTR.user, off: ELSEWHERE, len: 1 }).ok).toBe('unknown');
    expect(b.ask({ opcode: OP.SETXATTR, addr: XATTR.user, addr3: PATH.sock }).res).toBe('any');
    expect(b.ask({ opcode: OP.SETXATTR, addr: XATTR.user, addr3: PATH.below_file }).res).toBe(-E.NOTDIR);
  });
  it('are left open in odd cases', () => {
    const b = new Bench();
    const open: readonly Parameters<Bench['ask']>[0][] = [
      { opcode: OP.WRITE, fd: FD.file, addr: PATTERN, len: 16, off: 1n << 40n },
      { opcode: OP.READ, fd: FD.file, addr: data(0), len: 8, op_flags: RWF.DSYNC },
      { opcode: OP.READ, fd: FD.epoll, addr: data(0), len: 8 },
      { opcode: OP.READ, fd: RING_FD, addr: data(0), len: 8 },
      { opcode: OP.READ, fd: FD.stream, addr: data(0), len: 8 },
      { opcode: OP.WRITE, fd: FD.stream, addr: data(0), len: 8 },
      { opcode: OP.READ, fd: FD.file, addr: 0x7000_0000_0000n, len: 8 },
      { opcode: OP.READ, fd: FD.file, addr: BigInt(ARENA_END) - 4n, len: 8 },
      { opcode: OP.READ, fd: FD.pipe2_read, addr: BigInt(ARENA_END) - 4n, len: 8 },
      { opcode: OP.READ, fd: FD.eventfd, addr: 0n, len: 8 },
      { opcode: OP.READ, fd: FD.pipe_read, addr: data(0), len: 8 },
      { opcode: OP.WRITE, fd: FD.eventfd, addr: PATTERN, len: 16 },
      { opcode: OP.WRITE, fd: FD.file, addr: BigInt(ARENA_END) - 4n, len: 8 },
      { opcode: OP.WRITE, fd: FD.pipe_write, addr: PATTERN, len: 0x8000 },
      { opcode: OP.FTRUNCATE, fd: FD.file, off: 1n << 33n },
      { opcode: OP.FALLOCATE, fd: FD.file, addr: 1n << 33n },
      { opcode: OP.FALLOCATE, fd: FD.file, addr: 8n, len: 3 },
      { opcode: OP.FALLOCATE, fd: FD.epoll, addr: 8n },
      { opcode: OP.FADVISE, fd: FD.eventfd },
      { opcode: OP.MADVISE, addr: data(0), len: 1, op_flags: 4 },
      { opcode: OP.MADVISE, addr: 0x7000_0000_0000n, len: 1 },
      { opcode: OP.MADVISE, addr: data(0), off: 1n << 63n },
      { opcode: OP.STATX, fd: AT, addr: PATH.f0, off: 0x7000_0000_0000n },
      { opcode: OP.OPENAT2, fd: AT, addr: PATH.f0, off: ELSEWHERE, len: 24 },
      { opcode: OP.READV, fd: FD.file, addr: ELSEWHERE, len: 1 },
      { opcode: OP.READV, fd: FD.file, addr: ELSEWHERE, len: 1, flags: IOSQE.BUFFER_SELECT },
      { opcode: OP.WRITEV, fd: FD.file, addr: ELSEWHERE, len: 1 },
      { opcode: OP.READV_FIXED, fd: FD.file, addr: ELSEWHERE, len: 1 },
      { opcode: OP.FSYNC, fd: RING_FD },
      { opcode: OP.READ_MULTISHOT, fd: RING_FD, flags: IOSQE.BUFFER_SELECT, buf_index: 9 },
    ];
    for (const sqe of open)
      expect([opName(sqe.opcode), sqe.op_flags, new Bench().ask(sqe).res]).toEqual([
        opName(sqe.opcode),
        sqe.op_flags,
        'any',
      ]);
    expect(b.run({ opcode: OP.READ, fd: FD.pipe2_read, addr: 0n, len: 8 })).toBe(-E.FAULT);
    expect(b.run({ opcode: OP.READ, fd: FD.pipe2_read, addr: data(0), len: 0 })).toBe(0);
    expect(b.run({ opcode: OP.WRITE, fd: FD.pipe_write, addr: PATTERN, len: 0 })).toBe(0);
    expect(b.run({ opcode: OP.WRITE, fd: FD.pipe_write, addr: 0n, len: 8 })).toBe(-E.FAULT);
    expect(b.run({ opcode: OP.FADVISE, fd: FD.file, addr: 1n << 63n })).toBe(-E.INVAL);
  });
  it('lose their content, to the model, when unknown bytes are written', () => {
    const b = new Bench();
    b.sandbox.memory.forget(data(0), 4);
    expect(b.run({ opcode: OP.WRITE, fd: FD.file, addr: data(0), len: 8 })).toBe(8);
    expect(b.run({ opcode: OP.READ, fd: FD.file, addr: data(8), len: 8 })).toBe('any');
    expect(b.run({ opcode: OP.SEND, fd: FD.socketpair_a, addr: data(0), len: 8 })).toBe(8);
    expect(b.run({ opcode: OP.RECV, fd: FD.socketpair_b, addr: data(0), len: 8, op_flags: 0x40 })).toBe('any');
    const fresh = new Bench();
    fresh.sandbox.memory.forget(data(0), 4);
    expect(fresh.run({ opcode: OP.WRITE, fd: FD.pipe_write, addr: data(0), len: 8 })).toBe(8);
    expect(fresh.run({ opcode: OP.READ, fd: FD.pipe_read, addr: data(8), len: 8 })).toBe('any');
  });
});

describe('pipes and eventfds', () => {
  it('carry bytes through splice and tee', () => {
    const b = new Bench();
    const ends = { fd: FD.pipe_write, file_index: FD.pipe2_read };
    expect(b.run({ opcode: OP.TEE, ...ends, len: 9 })).toBe(9);
    expect(b.run({ opcode: OP.SPLICE, ...ends, len: 100, addr: NONE, off: NONE })).toBe(64);
    expect(b.run({ opcode: OP.READ, fd: FD.pipe_read, addr: data(0), len: 64 })).toBe(64);
    expect(text(b.sandbox.memory.read(data(0), 64))).toBe(FILE_CONTENT.slice(0, 9) + FILE_CONTENT.slice(0, 55));
    expect(b.run({ opcode: OP.SPLICE, fd: FD.file, file_index: FD.pipe_read, len: 4, addr: NONE, off: NONE })).toBe(4);
    expect(b.run({ opcode: OP.SPLICE, fd: FD.pipe_write, file_index: FD.file, len: 4, addr: NONE, off: NONE })).toBe(4);
    expect(b.run({ opcode: OP.SPLICE, fd: FD.pipe_write, file_index: FD.file, len: 4, addr: 0n, off: 0n })).toBe(
      -E.SPIPE,
    );
    expect(b.run({ opcode: OP.SPLICE, fd: FD.file, file_index: FD.pipe_read, len: 4, addr: 0n, off: 0n })).toBe(
      -E.SPIPE,
    );
    expect(b.run({ opcode: OP.TEE, fd: FD.pipe_read, file_index: FD.pipe2_read, len: 1 })).toBe(-E.BADF);
    const open: readonly Parameters<Bench['ask']>[0][] = [
      { opcode: OP.SPLICE, ...ends, len: 1, addr: NONE, off: NONE },
      { opcode: OP.TEE, ...ends, len: 1 },
      { opcode: OP.SPLICE, fd: FD.eventfd, file_index: FD.pipe_read, len: 1, addr: NONE, off: NONE },
      { opcode: OP.SPLICE, fd: FD.pipe_write, file_index: FD.eventfd, len: 1, addr: NONE, off: NONE },
      { opcode: OP.SPLICE, fd: FD.file, file_index: FD.pipe_read, len: 1, addr: NONE, off: 1n << 40n },
      { opcode: OP.SPLICE, fd: FD.pipe_write, file_index: FD.file, len: 1, addr: 1n << 40n, off: NONE },
      { opcode: OP.SPLICE, fd: FD.file, file_index: FD.pipe2_read, len: 1, addr: NONE, off: NONE },
    ];
    for (const sqe of open) expect(b.ask(sqe).res).toBe('any');
  });
  it('count', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.READ, fd: FD.eventfd, addr: data(0), len: 8 })).toBe(8);
    expect(b.run({ opcode: OP.READ, fd: FD.eventfd, addr: data(0), len: 8, op_flags: RWF.NOWAIT })).toBe(-E.AGAIN);
    expect(b.ask({ opcode: OP.READ, fd: FD.eventfd, addr: data(0), len: 8 }).may_wait).toBe(true);
    expect(b.ask({ opcode: OP.POLL_ADD, fd: FD.eventfd, op_flags: 1 }).res).toBe('any');
    b.sandbox.memory.write(data(0), new Uint8Array(8).fill(255));
    expect(b.run({ opcode: OP.WRITE, fd: FD.eventfd, addr: data(0), len: 8 })).toBe(-E.INVAL);
    b.sandbox.memory.write(data(0), Uint8Array.of(254));
    expect(b.run({ opcode: OP.WRITE, fd: FD.eventfd, addr: data(0), len: 8 })).toBe(8);
    expect(b.ask({ opcode: OP.WRITE, fd: FD.eventfd, addr: data(0), len: 8 }).res).toBe('any');
  });
  it('are made by PIPE', () => {
    const b = new Bench();
    b.sandbox.common.ring(0).setFiles([undefined, undefined, undefined]);
    expect(b.run({ opcode: OP.PIPE, addr: data(0), file_index: 2, op_flags: 0o4000 })).toBe(0);
    expect(b.sandbox.memory.read(data(0), 8)).toEqual(Uint8Array.of(1, 0, 0, 0, 2, 0, 0, 0));
    expect(b.run({ opcode: OP.WRITE, fd: 2, flags: IOSQE.FIXED_FILE, addr: PATTERN, len: 3 })).toBe(3);
    expect(b.run({ opcode: OP.READ, fd: 1, flags: IOSQE.FIXED_FILE, addr: data(0), len: 3 })).toBe(3);
    expect(b.run({ opcode: OP.TEE, fd: FD.pipe_write, file_index: 1, op_flags: 0x8000_0000, len: 2 })).toBe(-E.AGAIN);
    expect(b.ask({ opcode: OP.PIPE, addr: data(0), op_flags: 0o200 }).res).toBe('any');
    expect(b.ask({ opcode: OP.PIPE, addr: 0x7000_0000_0000n }).res).toBe('any');
    expect(b.prep({ opcode: OP.PIPE, addr: data(0), op_flags: 0o40000 }).ok).toBe('unknown');
    expect(b.run({ opcode: OP.PIPE, addr: data(0), file_index: FILE_INDEX_ALLOC })).toBe('any');
    expect(b.run({ opcode: OP.PIPE, addr: data(0), file_index: 1 })).toBe('any');
    expect(b.run({ opcode: OP.READ, fd: 0, flags: IOSQE.FIXED_FILE, addr: data(0), len: 1 })).toBe('any');
    expect(b.sandbox.tainted(['node:f0'])).toBeDefined();
  });
});
