import { Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { describe, expect, it } from 'vitest';
import { ARENA_END, FD, FILE_CONTENT } from '../scenario/layout.ts';
import { data, FUTEX, IOVEC, PATH, TIMESPEC } from '../world/arena.ts';
import { CQE_F, E, FILE_INDEX_ALLOC, IORING_NOP, IORING_SETUP, IOSQE, RWF } from '../uapi/constants.ts';
import { initCheck, initCheckFlags, initCheckRest, OP, opName, opSpec } from './index.ts';
import { Bench } from '../testing/op-context.ts';

const AT = -100;
const text = (bytes: ReturnType<Bench['sandbox']['memory']['read']>): string =>
  bytes === 'fault' || Open.is(bytes) ? 'none' : new TextDecoder().decode(bytes);
const ELSEWHERE = 0x2000_9000n;
const registered = (bench: Bench, ...fds: number[]): void => {
  bench.sandbox.common.ring(0).setFiles(
    fds.map((fd) => {
      const file = bench.sandbox.file(fd);
      return typeof file === 'string' ? undefined : file;
    }),
  );
};

describe('the end of a pipe', () => {
  const read = { opcode: OP.READ, fd: FD.pipe_read, addr: data(0), len: 8 };
  const close = { opcode: OP.CLOSE, fd: FD.pipe_write };

  it('is read when nobody can write any more, and waited for otherwise', () => {
    const b = new Bench();
    expect(b.ask(read).res).toBe('any');
    b.run(close);
    expect(b.ask(read)).toMatchObject({ res: 0, fails: true });
    expect(b.ask({ ...read, op_flags: RWF.NOWAIT }).res).toBe('any');
  });
  it('is kept by direct descriptors, children and descriptors whose number nobody knows', () => {
    const direct = new Bench();
    registered(direct, FD.pipe_write);
    direct.run(close);
    expect(direct.ask(read).res).toBe('any');
    direct.run({ opcode: OP.CLOSE, file_index: 1 });
    expect(direct.ask(read).res).toBe(0);
    const parent = new Bench();
    parent.sandbox.fork();
    parent.run(close);
    expect(parent.ask(read).res).toBe('any');
    const installed = new Bench();
    registered(installed, FD.pipe_write);
    installed.run({ opcode: OP.FIXED_FD_INSTALL, flags: IOSQE.FIXED_FILE });
    installed.run(close);
    installed.run({ opcode: OP.CLOSE, file_index: 1 });
    expect(installed.ask(read).res).toBe('any');
  });
  it('is not known while a request may keep it', () => {
    const b = new Bench();
    b.run(close);
    b.sandbox.common.unfinished = true;
    expect(b.ask(read).res).toBe('any');
  });
});

describe('direct descriptors and buffers', () => {
  it('are updated by requests', () => {
    const b = new Bench();
    registered(b, FD.file, FD.file);
    b.sandbox.memory.write(data(0), new Uint8Array(Int32Array.of(FD.pipe_read, -2, 7).buffer));
    const update = { opcode: OP.FILES_UPDATE, addr: data(0) };
    expect(b.run({ ...update, len: 2 })).toBe(2);
    expect(b.sandbox.common.ring(0).files?.map((file) => file?.kind)).toEqual(['pipe', 'file']);
    expect(b.run({ ...update, len: 3 })).toBe(-E.INVAL);
    expect(b.run({ ...update, addr: BigInt(ARENA_END), len: 1 })).toBe(-E.FAULT);
    expect(b.run({ ...update, addr: data(8), len: 1 })).toBe('any');
    expect(b.run({ ...update, len: 1 })).toBe('any');
    const other = new Bench();
    registered(other, FD.file);
    expect(other.run({ ...update, len: 1, off: BigInt(FILE_INDEX_ALLOC) })).toBe('any');
    expect(other.run({ opcode: OP.CLOSE, file_index: 1 })).toBe('any');
    const third = new Bench();
    registered(third, FD.file);
    expect(third.run({ ...update, addr: ELSEWHERE, len: 1 })).toBe('any');
    expect(third.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, file_index: 1 })).toBe('any');
  });
  it('serve fixed reads and writes inside the buffer only', () => {
    const b = new Bench();
    b.sandbox.common.ring(0).buffers = [{ addr: data(0), len: 0x1000, memory: b.sandbox.memory }];
    expect(b.run({ opcode: OP.READ_FIXED, fd: FD.file, addr: data(8), len: 8 })).toBe(8);
    expect(text(b.sandbox.memory.read(data(8), 8))).toBe(FILE_CONTENT.slice(0, 8));
    expect(b.run({ opcode: OP.WRITE_FIXED, fd: FD.file, addr: data(8), len: 8, off: 8n })).toBe(8);
    expect(b.run({ opcode: OP.READV_FIXED, fd: FD.file, addr: IOVEC.two, len: 2 })).toBe(16);
    expect(b.run({ opcode: OP.WRITEV_FIXED, fd: FD.file, addr: IOVEC.two, len: 2 })).toBe(16);
    expect(b.run({ opcode: OP.READ_FIXED, fd: FD.file, addr: data(0xffc), len: 8 })).toBe(-E.FAULT);
    expect(b.run({ opcode: OP.NOP, op_flags: IORING_NOP.FIXED_BUFFER })).toBe(0);
    const child = b.sandbox.fork();
    expect(child.over(b.sandbox.memory).memory).toBe(b.sandbox.memory);
    b.sandbox.common.ring(0).unknown = WORLD['resources.lost'];
    expect(b.run({ opcode: OP.READ_FIXED, fd: FD.file, addr: data(8), len: 8 })).toBe('any');
    expect(b.ask({ opcode: OP.NOP, op_flags: IORING_NOP.FIXED_BUFFER }).res).toEqual([0, -E.FAULT]);
  });
  it('are picked from groups in order', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.PROVIDE_BUFFERS, fd: 2, addr: data(0x800), len: 16, off: 5n, buf_index: 1 })).toBe(0);
    const read = { opcode: OP.READ, fd: FD.file, len: 64, flags: IOSQE.BUFFER_SELECT, buf_index: 1 };
    expect(b.ask(read).cflags).toBe(CQE_F.BUFFER | (5 << 16));
    expect([b.run(read), b.ask(read).cflags]).toEqual([16, CQE_F.BUFFER | (6 << 16)]);
    expect([b.run({ ...read, len: 0 }), b.run(read)]).toEqual([16, -E.NOBUFS]);
    expect(b.run({ opcode: OP.PROVIDE_BUFFERS, fd: 3, addr: data(0x800), len: 16, buf_index: 1 })).toBe(0);
    expect(b.run({ opcode: OP.REMOVE_BUFFERS, fd: 2, buf_index: 1 })).toBe(2);
    expect(b.run({ ...read, off: 4096n })).toBe('any');
    expect(b.run({ opcode: OP.PROVIDE_BUFFERS, fd: 100, addr: data(0), len: 1, buf_index: 1 })).toBe('any');
    expect(b.run({ opcode: OP.RECV, fd: FD.socketpair_a, flags: IOSQE.BUFFER_SELECT, buf_index: 1 })).toBe('any');
    expect(b.run({ opcode: OP.SEND, fd: FD.socketpair_a, flags: IOSQE.BUFFER_SELECT, buf_index: 1 })).toBe('any');
    const ring = new Bench();
    ring.sandbox.common.ring(0).groups.set(1, { kind: 'ring', entries: 8 });
    expect(ring.run(read)).toBe('any');
    expect(ring.prep({ opcode: OP.PROVIDE_BUFFERS, fd: 1, addr: 1n << 47n, len: 1 }).ok).toBe('unknown');
  });
  it('hand out free slots from where the last one was', () => {
    const ring = new Bench().sandbox.common.ring(0);
    const other = { kind: 'other' } as const;
    expect([ring.install(other, FILE_INDEX_ALLOC), ring.install(other, 1), ring.remove(0)]).toEqual([
      -E.NFILE,
      -E.NXIO,
      -E.NXIO,
    ]);
    ring.setFiles([undefined, undefined, undefined]);
    expect([
      ring.install(other, FILE_INDEX_ALLOC),
      ring.install(other, FILE_INDEX_ALLOC),
      ring.remove(0),
      ring.install(other, 3),
    ]).toEqual([0, 1, 0, 0]);
    expect([ring.install(other, FILE_INDEX_ALLOC), ring.install(other, FILE_INDEX_ALLOC)]).toEqual([0, -E.NFILE]);
    expect([ring.install({ kind: 'ring', slot: 1 }, 1), ring.remove(7), ring.install(other, 9)]).toEqual([
      -E.BADF,
      -E.INVAL,
      -E.INVAL,
    ]);
    ring.alloc_start = 2;
    ring.remove(2);
    ring.alloc_hint = 0;
    expect(ring.install(other, FILE_INDEX_ALLOC)).toBe(2);
  });
});

describe('waiting', () => {
  it('is never modelled', () => {
    const open: readonly Parameters<Bench['ask']>[0][] = [
      { opcode: OP.TIMEOUT, addr: TIMESPEC.hour, len: 1 },
      { opcode: OP.TIMEOUT, addr: TIMESPEC.tiny, len: 1, op_flags: 1 },
      { opcode: OP.TIMEOUT, addr: TIMESPEC.tiny, len: 1, op_flags: 0x40 },
      { opcode: OP.TIMEOUT, addr: 0n, len: 1 },
      { opcode: OP.LINK_TIMEOUT, addr: TIMESPEC.tiny, len: 1 },
      { opcode: OP.TIMEOUT_REMOVE, addr: 5n },
      { opcode: OP.POLL_REMOVE, addr: 5n },
      { opcode: OP.ASYNC_CANCEL, addr: 5n },
      { opcode: OP.ASYNC_CANCEL, op_flags: 4 },
      { opcode: OP.ASYNC_CANCEL, op_flags: 2, fd: FD.file },
      { opcode: OP.POLL_ADD, fd: FD.pipe_read, op_flags: 1 },
      { opcode: OP.POLL_ADD, fd: FD.stream, op_flags: 1 },
      { opcode: OP.POLL_ADD, fd: 5, op_flags: 1 },
      { opcode: OP.POLL_ADD, fd: FD.file, op_flags: 1, len: 1 },
      { opcode: OP.FUTEX_WAIT, addr: FUTEX.seven, off: 7n, addr3: 1n, fd: 2 },
      { opcode: OP.FUTEX_WAIT, addr: ELSEWHERE, off: 7n, addr3: 1n, fd: 2 },
      { opcode: OP.FUTEX_WAKE, addr: ELSEWHERE, off: 7n, addr3: 1n, fd: 2 },
      { opcode: OP.FUTEX_WAKE, addr: 0n, off: 7n, addr3: 1n, fd: 2 },
      { opcode: OP.FUTEX_WAITV, addr: ELSEWHERE, len: 1 },
      { opcode: OP.WAITID, fd: 1, len: 1, file_index: 4 },
      { opcode: OP.WAITID, fd: 1, len: 0, file_index: 4 },
      { opcode: OP.EPOLL_WAIT, fd: FD.epoll, len: 1, addr: data(0) },
      { opcode: OP.NOP, op_flags: IORING_NOP.FILE, fd: 5 },
      { opcode: OP.CLOSE, fd: 5 },
    ];
    for (const sqe of open) {
      const { res, fails } = new Bench().ask(sqe);
      expect([opName(sqe.opcode), res === 'any' || fails === 'unknown']).toEqual([opName(sqe.opcode), true]);
    }
    const b = new Bench();
    expect(b.ask({ opcode: OP.TIMEOUT, addr: TIMESPEC.tiny, len: 1, off: 1n }).res).toEqual([0, -E.TIME]);
    expect(b.ask({ opcode: OP.TIMEOUT, addr: TIMESPEC.tiny, len: 1, off: 1n, op_flags: 0x40 }).cflags).toBe(0);
    expect(b.run({ opcode: OP.POLL_ADD, fd: FD.pipe2_read, op_flags: 1 })).toBe(1);
    for (const sqe of [
      { opcode: OP.TIMEOUT, addr: TIMESPEC.tiny, len: 1, pad2: 1n },
      { opcode: OP.TIMEOUT, addr: TIMESPEC.tiny, len: 1, op_flags: 0x80 },
      { opcode: OP.TIMEOUT, addr: ELSEWHERE, len: 1 },
      { opcode: OP.TIMEOUT_REMOVE, addr3: 1n },
      { opcode: OP.TIMEOUT_REMOVE, op_flags: 0x82 },
      { opcode: OP.POLL_ADD, len: 8 },
      { opcode: OP.ASYNC_CANCEL, op_flags: 0x20, len: 99 },
      { opcode: OP.FUTEX_WAIT, fd: 6 },
      { opcode: OP.FUTEX_WAITV, addr: ELSEWHERE, len: 1 },
      { opcode: OP.FSYNC, off: 1n << 63n },
      { opcode: OP.STATX, op_flags: 0x1000 },
      { opcode: OP.EPOLL_CTL, len: 1, addr: ELSEWHERE },
      { opcode: OP.OPENAT, addr: PATH.f0, op_flags: 0x400_0000 },
      { opcode: OP.READ, ioprio: 0x2000 },
      { opcode: OP.READ, ioprio: 8 },
      { opcode: OP.READ, pad2: 1n, addr3: data(0) },
    ])
      expect([opName(sqe.opcode), b.prep(sqe).ok]).toEqual([opName(sqe.opcode), 'unknown']);
    expect(b.prep({ opcode: OP.TIMEOUT_REMOVE, op_flags: 0x42 })).toEqual({ ok: false, errno: E.INVAL });
    expect(b.prep({ opcode: OP.READ, ioprio: 0x4000 }).ok).toBe(true);
    expect(b.prep({ opcode: OP.LINK_TIMEOUT, addr: TIMESPEC.hour, len: 1 })).toEqual({ ok: false, errno: E.INVAL });
    expect(b.prep({ opcode: OP.POLL_ADD, len: 1, flags: IOSQE.CQE_SKIP_SUCCESS })).toEqual({
      ok: false,
      errno: E.INVAL,
    });
  });
  it('on epoll sets follows what is in them', () => {
    const b = new Bench();
    const ctl = (len: number) =>
      b.run({ opcode: OP.EPOLL_CTL, fd: FD.epoll, off: BigInt(FD.eventfd), len, addr: data(0) });
    expect([ctl(3), ctl(2), ctl(1), ctl(1), ctl(3), ctl(2), ctl(2)]).toEqual([
      -E.NOENT,
      -E.NOENT,
      0,
      -E.EXIST,
      0,
      0,
      -E.NOENT,
    ]);
  });
});

describe('the checks before prep', () => {
  const b = new Bench();
  const check = (sqe: Parameters<Bench['context']>[0], more: Parameters<Bench['context']>[1] = {}, state = {}) =>
    initCheck(b.context(sqe, more), state);
  it('come in the order of the kernel', () => {
    expect(check({ opcode: 65, flags: 0x80 })).toMatchObject({ errno: E.INVAL, rule: 'init.opcode' });
    expect(check({ opcode: OP.NOP128, flags: 0x80 })).toMatchObject({
      rule: 'init.big-sqe',
      stage: 'before-restrictions',
    });
    expect(check({ opcode: OP.NOP, flags: 0x80 | IOSQE.BUFFER_SELECT })).toMatchObject({ rule: 'init.sqe-flags' });
    expect(
      check({ opcode: OP.NOP, flags: IOSQE.BUFFER_SELECT | IOSQE.IO_DRAIN | IOSQE.CQE_SKIP_SUCCESS }),
    ).toMatchObject({ errno: E.OPNOTSUPP, rule: 'init.buffer-select' });
    expect(check({ opcode: OP.NOP, flags: IOSQE.IO_DRAIN | IOSQE.CQE_SKIP_SUCCESS, ioprio: 1 })).toMatchObject({
      rule: 'init.drain-skip',
    });
    expect(check({ opcode: OP.NOP, flags: IOSQE.IO_DRAIN }, {}, { drain_disabled: true })).toMatchObject({
      rule: 'init.drain-skip',
    });
    expect(check({ opcode: OP.FSYNC, ioprio: 1, personality: 1 }, { setup_flags: IORING_SETUP.IOPOLL })).toMatchObject({
      rule: 'init.ioprio',
      stage: 'after-restrictions',
    });
    expect(check({ opcode: OP.FSYNC, personality: 1 }, { setup_flags: IORING_SETUP.IOPOLL })).toMatchObject({
      rule: 'init.iopoll',
    });
    expect(check({ opcode: OP.NOP, personality: 1 })).toMatchObject({ errno: E.INVAL, rule: 'init.personality' });
    b.sandbox.common.ring(0).personalities.set(1, undefined);
    expect(check({ opcode: OP.NOP, personality: 1, flags: IOSQE.IO_DRAIN })).toEqual({ ok: true });
    expect(b.prep({ opcode: OP.FIXED_FD_INSTALL, flags: IOSQE.FIXED_FILE, personality: 1 })).toEqual({
      ok: false,
      errno: E.PERM,
    });
  });
  it('give a big request on a mixed ring the room it needs', () => {
    const mixed = { setup_flags: IORING_SETUP.SQE_MIXED };
    expect(check({ opcode: OP.NOP128 }, mixed, { left: 2 })).toEqual({ ok: true });
    expect(check({ opcode: OP.NOP128 }, mixed, { left: 2, last_slot: true })).toMatchObject({ rule: 'init.big-sqe' });
    expect(check({ opcode: OP.NOP128 }, mixed)).toMatchObject({ rule: 'init.big-sqe' });
    expect(check({ opcode: OP.NOP128 }, { setup_flags: IORING_SETUP.SQE128 })).toEqual({ ok: true });
    expect([opSpec(OP.NOP128)?.takesTwoSlots, opSpec(OP.NOP)?.takesTwoSlots]).toEqual([true, false]);
    expect([opSpec(OP.READ)?.selectsBuffer, opSpec(OP.WRITE)?.selectsBuffer]).toEqual([true, false]);
    expect([initCheckFlags(b.context({ opcode: 0 })), initCheckRest(b.context({ opcode: 0 }))]).toEqual([
      { ok: true },
      { ok: true },
    ]);
  });
});
