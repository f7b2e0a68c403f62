/**
 * Files, pipes, paths and time where a request stands at the edge of what is described: the error the manual pages
 * name, or nothing claimed.
 */
import { describe, expect, it } from 'vitest';
import { ARENA_BASE, FD, FILE_CONTENT } from '../scenario/layout.ts';
import { data, FUTEX, PATH, PATTERN, TIMESPEC, XATTR } from '../world/arena.ts';
import { CQE_F, E, IORING_NOP, IORING_SETUP, IOSQE, POLL, RWF, SPLICE_F } from '../uapi/constants.ts';
import { OP, opName } from './index.ts';
import { Bench } from '../testing/op-context.ts';

const AT = -100;
const NONE = (1n << 64n) - 1n;
const SIGN = 1n << 63n;
const ELSEWHERE = 0x2000_9000n;
const fixed = { flags: IOSQE.FIXED_FILE };
type Request = Parameters<Bench['ask']>[0];

/** Writes u64 words at an offset of the data area; returns where they are. */
function store(b: Bench, offset: number, ...words: readonly (bigint | number)[]): bigint {
  b.sandbox.memory.write(data(offset), new Uint8Array(BigUint64Array.from(words, (word) => BigInt(word)).buffer));
  return data(offset);
}

describe('iovecs', () => {
  it('of impossible lengths or addresses are refused by prep, with and without a selected buffer', () => {
    const b = new Bench();
    // readv(2): EINVAL for a length that overflows an ssize_t, EFAULT for an address outside user space.
    for (const [addr, len, prep] of [
      [data(0), SIGN, { ok: false, errno: E.INVAL }],
      [SIGN, 8n, { ok: false, errno: E.FAULT }],
      [data(0), 0x1_0001n, { ok: 'unknown' }],
    ] as const) {
      const read = { opcode: OP.READV, fd: FD.file, addr: store(b, 0x100, addr, len), len: 1 };
      expect(b.prep(read)).toMatchObject(prep);
      expect(b.prep({ ...read, flags: IOSQE.BUFFER_SELECT })).toMatchObject(prep);
    }
    expect(b.prep({ opcode: OP.READ_MULTISHOT, fd: FD.file, flags: IOSQE.BUFFER_SELECT, ioprio: 1 })).toEqual({
      ok: false,
      errno: E.INVAL,
    });
    expect(b.prep({ opcode: OP.READ_MULTISHOT, fd: FD.file, flags: IOSQE.BUFFER_SELECT }).ok).toBe(true);
  });
});

describe('positions and flags', () => {
  it('read(2): behind the end there is nothing; pwrite(2): a negative position is refused', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.READ, fd: FD.file, addr: data(0), len: 8, off: 1n << 40n })).toBe(0);
    expect(b.run({ opcode: OP.WRITE, fd: FD.file, addr: PATTERN, len: 8, off: SIGN })).toBe(-E.INVAL);
    expect(b.run({ opcode: OP.READ, fd: FD.file, addr: data(0), len: 64 })).toBe(64);
    expect(new TextDecoder().decode(b.sandbox.memory.read(data(0), 64) as Uint8Array)).toBe(FILE_CONTENT);
    expect(b.run({ opcode: OP.WRITE, fd: FD.file, addr: PATTERN, len: 8, op_flags: RWF.DSYNC })).toBe('any');
  });
  it('of memory outside of the arena are not known, whatever is written to', () => {
    const b = new Bench();
    for (const fd of [FD.file, FD.pipe_write, FD.eventfd])
      expect(b.ask({ opcode: OP.WRITE, fd, addr: 0xd5_0000n, len: 8 }).res).toBe('any');
  });
  it('of reads from a directory are not modelled; without any it is -EISDIR', () => {
    const b = new Bench();
    b.sandbox.common.ring(0).setFiles([undefined]);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.d0, file_index: 1 })).toBe(0);
    expect(b.run({ opcode: OP.READ, fd: 0, addr: data(0), len: 8, ...fixed })).toBe(-E.ISDIR);
    expect(b.ask({ opcode: OP.READ, fd: 0, addr: data(0), len: 8, op_flags: RWF.NOWAIT, ...fixed }).res).toBe('any');
    expect(b.ask({ opcode: OP.READ, fd: 0, addr: data(0), len: 8, off: SIGN, ...fixed }).res).toBe('any');
  });
  it('fallocate(2): EBADF where nothing can be written, ESPIPE for a pipe, ENODEV for what is no file', () => {
    const b = new Bench();
    const answers = [FD.pipe_read, FD.pipe_write, FD.eventfd, FD.stream].map((fd) =>
      b.run({ opcode: OP.FALLOCATE, fd, addr: 8n }),
    );
    expect(answers).toEqual([-E.BADF, -E.SPIPE, -E.NODEV, -E.NODEV]);
  });
});

describe('paths', () => {
  it('below a symbolic link are not followed', () => {
    const b = new Bench({ fixtures: ['file'] });
    expect(b.run({ opcode: OP.SYMLINKAT, fd: AT, addr: PATH.f0, off: PATH.d0 })).toBe(0);
    expect(b.ask({ opcode: OP.MKDIRAT, fd: AT, addr: PATH.in_dir }).res).toBe('any');
    expect(b.ask({ opcode: OP.OPENAT, fd: AT, addr: PATH.in_dir }).res).toBe('any');
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.below_file })).toBe(-E.NOTDIR);
  });
  it('rename(2): the error of the path that has one; two different errors leave it open', () => {
    const rename = (addr: bigint, off: bigint): unknown =>
      new Bench().run({ opcode: OP.RENAMEAT, fd: AT, addr, off, len: AT >>> 0 });
    expect(rename(PATH.missing_dir, PATH.n0)).toBe(-E.NOENT);
    expect(rename(PATH.f0, PATH.missing_dir)).toBe(-E.NOENT);
    expect(rename(PATH.below_file, PATH.below_file)).toBe(-E.NOTDIR);
    expect(rename(PATH.below_file, PATH.missing_dir)).toBe('any');
    expect(rename(PATH.d0, PATH.f0)).toBe(-E.NOTDIR);
    const b = new Bench();
    expect(b.run({ opcode: OP.MKDIRAT, fd: AT, addr: PATH.n0 })).toBe(0);
    expect(b.run({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.d0, off: PATH.n0, len: AT >>> 0 })).toBe('any');
  });
  it('open(2): O_TMPFILE wants to write into a directory; openat2(2): O_PATH suffers nothing beside it', () => {
    const b = new Bench();
    const how = (flags: number): Request => ({
      opcode: OP.OPENAT2,
      fd: AT,
      addr: PATH.d0,
      off: store(b, 0x100, flags, 0, 0),
      len: 24,
    });
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.d0, op_flags: 0o20200000 })).toBe(-E.INVAL);
    expect([b.run(how(0o20200000)), b.run(how(0o20000002)), b.ask(how(0o20200002)).res]).toEqual([
      -E.INVAL,
      -E.INVAL,
      { at_least: 0 },
    ]);
    expect([b.run(how(0o10000002)), b.run(how(0o10200000))]).toEqual([-E.INVAL, { at_least: 0 }]);
    // A flag that newer kernels have: openat2 says no or does something new, openat drops what it does not know.
    expect(b.run(how(0x400_0000))).toBe('any');
  });
  it('open(2): a socket in the file system can be named with O_PATH alone', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.sock })).toBe(-E.NXIO);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.sock, op_flags: 0o10000000 })).toEqual({ at_least: 0 });
    // O_PATH ignores O_TRUNC and O_DIRECT: the file is as it was.
    b.sandbox.common.ring(0).setFiles([undefined]);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, op_flags: 0o10041001, file_index: 1 })).toBe(0);
    expect(b.run({ opcode: OP.READ, fd: 0, addr: data(0), len: 8, ...fixed })).toBe(-E.BADF);
    expect(b.run({ opcode: OP.READ, fd: FD.file, addr: data(0), len: 64 })).toBe(64);
  });
  it('of extended attributes cannot be told where the name cannot be read', () => {
    for (const opcode of [OP.FSETXATTR, OP.FGETXATTR])
      expect([opName(opcode), new Bench().ask({ opcode, fd: FD.file, addr: ELSEWHERE }).res]).toEqual([
        opName(opcode),
        'any',
      ]);
    expect(new Bench().run({ opcode: OP.FSETXATTR, fd: FD.file, addr: XATTR.user })).toBe(0);
  });
});

describe('pipes', () => {
  const into = { fd: FD.pipe_write, len: 4, addr: NONE, off: NONE };
  it('that hold a page or more take an unknown number of further bytes', () => {
    const requests: readonly Request[] = [
      { opcode: OP.TEE, ...into, addr: 0n, off: 0n, file_index: FD.pipe2_read },
      { opcode: OP.SPLICE, ...into, file_index: FD.pipe2_read },
      { opcode: OP.SPLICE, ...into, file_index: FD.file },
    ];
    const full = new Bench();
    expect(full.run({ opcode: OP.WRITE, fd: FD.pipe_write, addr: BigInt(ARENA_BASE), len: 0x1400 })).toBe(0x1400);
    for (const request of requests)
      expect([opName(request.opcode), full.ask(request).res, new Bench().run(request)]).toEqual([
        opName(request.opcode),
        'any',
        4,
      ]);
    const poll = { opcode: OP.POLL_ADD, fd: FD.pipe_write, op_flags: POLL.OUT };
    expect([full.ask(poll).res, new Bench().run(poll)]).toEqual(['any', POLL.OUT]);
  });
  it('splice(2): EAGAIN where SPLICE_F_NONBLOCK finds nothing to move', () => {
    const out = { opcode: OP.SPLICE, fd: FD.file, file_index: FD.pipe_read, len: 4, addr: NONE, off: NONE };
    expect(new Bench().run({ ...out, op_flags: SPLICE_F.NONBLOCK })).toBe(-E.AGAIN);
    expect(new Bench().run(out)).toBe('any');
  });
});

describe('waiting', () => {
  it('io_uring_prep_timeout(3): a multishot timeout announces all completions but the last with CQE_F_MORE', () => {
    const shots = (off: bigint) => {
      const { res, cflags, extra } = new Bench().ask({
        opcode: OP.TIMEOUT,
        addr: TIMESPEC.tiny,
        len: 1,
        off,
        op_flags: 0x40,
      });
      return [[res, cflags], ...(extra ?? []).map((more) => [more.res, more.cflags])];
    };
    expect(shots(1n)).toEqual([[-E.TIME, 0]]);
    expect(shots(3n)).toEqual([
      [-E.TIME, CQE_F.MORE],
      [-E.TIME, CQE_F.MORE],
      [-E.TIME, 0],
    ]);
  });
  it('for several futexes: entries are checked by prep, the words when it runs', () => {
    const b = new Bench();
    /** struct futex_waitv: val, uaddr, flags and __reserved. */
    const wait = (value: bigint, addr: bigint, flags = 2): Request => ({
      opcode: OP.FUTEX_WAITV,
      addr: store(b, 0x100, value, addr, flags),
      len: 1,
    });
    expect(b.prep(wait(8n, FUTEX.seven, 0))).toEqual({ ok: false, errno: E.INVAL });
    expect(b.prep(wait(1n << 32n, FUTEX.seven))).toEqual({ ok: false, errno: E.INVAL });
    expect(b.prep(wait(8n, FUTEX.seven, 2 | 4)).ok).toBe('unknown');
    expect(b.prep(wait(8n, FUTEX.seven, 2 | 128)).ok).toBe(true);
    // futex(2): EAGAIN where the word holds another value, EINVAL where it is not aligned, EFAULT where there is none.
    expect(b.run(wait(8n, FUTEX.seven))).toBe(-E.AGAIN);
    expect(b.run(wait(8n, FUTEX.seven + 1n))).toBe(-E.INVAL);
    expect(b.run(wait(8n, 0n))).toBe(-E.FAULT);
    expect(b.ask(wait(8n, ELSEWHERE)).res).toBe('any');
    expect(b.ask(wait(7n, FUTEX.seven)).res).toBe('any');
  });
});

describe('what a ring adds', () => {
  it('io_uring_setup(2): with CQE_MIXED a 32-byte completion carries IORING_CQE_F_32, with CQE32 none does', () => {
    const flags = (setup: number): unknown =>
      new Bench({ rings: [{ setup_flags: setup }] }).ask({ opcode: OP.NOP, op_flags: IORING_NOP.CQE32 }).cflags;
    expect([flags(IORING_SETUP.CQE_MIXED), flags(IORING_SETUP.CQE32)]).toEqual([CQE_F.F_32, 0]);
  });
  it('leaves descriptors above those of rings open', () => {
    const b = new Bench();
    b.sandbox.common.ring(0).setFiles([undefined]);
    b.sandbox.memory.write(data(0), new Uint8Array(Int32Array.of(115).buffer));
    expect(b.run({ opcode: OP.FILES_UPDATE, addr: data(0), len: 1 })).toBe(-E.BADF);
    b.sandbox.memory.write(data(0), new Uint8Array(Int32Array.of(116).buffer));
    expect(b.run({ opcode: OP.FILES_UPDATE, addr: data(0), len: 1 })).toBe('any');
  });
});
