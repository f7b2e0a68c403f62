import { Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { describe, expect, it } from 'vitest';
import { FD, RING_FD } from '../scenario/layout.ts';
import { DATA, data, MSGHDR, PATTERN, SOCKADDR } from '../world/arena.ts';
import { CQE_F, E, FILE_INDEX_ALLOC, IORING_SETUP } from '../uapi/constants.ts';
import { OP, opName, opSpec } from './index.ts';
import { connectPayload } from './sockaddr.ts';
import { Bench } from '../testing/op-context.ts';

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

describe('sockets', () => {
  const dontwait = { op_flags: 0x40 };
  it('carry bytes both ways until they are shut down', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.SEND, fd: FD.socketpair_a, addr: PATTERN, len: 16, ...dontwait })).toBe(16);
    expect(b.run({ opcode: OP.SENDMSG, fd: FD.socketpair_a, addr: MSGHDR.one, len: 1, ...dontwait })).toBe(16);
    expect(b.run({ opcode: OP.RECV, fd: FD.socketpair_b, addr: data(0), len: 10, ...dontwait })).toBe(10);
    expect(b.run({ opcode: OP.RECVMSG, fd: FD.socketpair_b, addr: MSGHDR.one, len: 1, ...dontwait })).toBe(16);
    expect(text(b.sandbox.memory.read(data(DATA.vector_a), 6))).toBe('abcdef');
    expect(b.run({ opcode: OP.SHUTDOWN, fd: FD.socketpair_a, len: 1 })).toBe(0);
    expect(b.run({ opcode: OP.SEND, fd: FD.socketpair_a, addr: PATTERN, len: 1, ...dontwait })).toBe(-E.PIPE);
    expect(b.run({ opcode: OP.RECV, fd: FD.socketpair_b, addr: data(0), len: 64, ...dontwait })).toBe(6);
    expect(b.run({ opcode: OP.RECV, fd: FD.socketpair_b, addr: data(0), len: 64, ...dontwait })).toBe(0);
    expect(b.run({ opcode: OP.SHUTDOWN, fd: FD.socketpair_a, len: 0 })).toBe(0);
    expect(b.run({ opcode: OP.SEND, fd: FD.socketpair_b, addr: PATTERN, len: 1, ...dontwait })).toBe(-E.PIPE);
  });
  it('connect, wait in the backlog and are accepted', () => {
    const b = new Bench();
    const connect = { opcode: OP.CONNECT, fd: FD.stream, addr: SOCKADDR.unix, off: 7n };
    expect(b.run(connect)).toBe(0);
    expect(b.run(connect)).toBe(-E.ISCONN);
    const accept = { opcode: OP.ACCEPT, fd: FD.listener, ioprio: 2 };
    expect(b.run(accept)).toEqual({ at_least: 0 });
    expect(b.run(accept)).toBe('any');
    expect(b.run({ ...accept, ioprio: 0 })).toBe('any');
    expect(b.run({ opcode: OP.BIND, fd: FD.stream, addr: SOCKADDR.unix_new, off: 5n })).toBe('any');
    expect(b.run({ opcode: OP.CONNECT, fd: FD.datagram, addr: SOCKADDR.unix, off: 7n })).toBe('any');
  });
  it('bind and listen', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.BIND, fd: FD.stream, addr: SOCKADDR.unix_new, off: 5n })).toBe(0);
    expect(b.sandbox.probePath('n6')).toBe(0);
    expect(b.run({ opcode: OP.LISTEN, fd: FD.stream, len: 3 })).toBe(0);
    expect(b.run({ opcode: OP.CONNECT, fd: FD.stream, addr: SOCKADDR.unix, off: 7n })).toBe(-E.INVAL);
    expect(b.run({ opcode: OP.SEND, fd: FD.stream, addr: PATTERN, len: 1 })).toBe('any');
    expect(b.run({ opcode: OP.LISTEN, fd: FD.inet, len: 3 })).toBe('any');
    expect(b.run({ opcode: OP.SEND, fd: FD.inet, addr: PATTERN, len: 1 })).toBe('any');
    expect(b.run({ opcode: OP.ACCEPT, fd: FD.inet, ioprio: 2 })).toBe('any');
    expect(b.run({ opcode: OP.LISTEN, fd: FD.inet, len: 3 })).toBe('any');
    expect(b.run({ opcode: OP.BIND, fd: FD.inet, addr: SOCKADDR.inet, off: 16n })).toBe('any');
    expect(b.run({ opcode: OP.BIND, fd: FD.datagram, addr: SOCKADDR.unix_new, off: 5n })).toBe(-E.ADDRINUSE);
    expect(b.run({ opcode: OP.BIND, fd: FD.datagram, addr: SOCKADDR.unix_new, off: 2n })).toBe('any');
    expect(b.run({ opcode: OP.SHUTDOWN, fd: FD.inet, len: 0 })).toBe('any');
    expect(b.run({ opcode: OP.CONNECT, fd: FD.inet, addr: SOCKADDR.inet, off: 16n })).toBe('any');
  });
  it('of the internet family answer in one of several ways while connecting', () => {
    const b = new Bench();
    const connect = { opcode: OP.CONNECT, fd: FD.inet, addr: SOCKADDR.inet, off: 16n };
    expect(b.ask(connect).fails).toBe('unknown');
    expect(new Bench({ fixtures: ['inet'] }).ask(connect).res).toBe('any');
    expect(b.run(connect)).toEqual([0, -E.INPROGRESS, -E.ALREADY, -E.ISCONN]);
    expect(b.run(connect)).toBe('any');
    expect(b.run({ opcode: OP.RECV, fd: FD.inet, addr: data(0), len: 1, ...dontwait })).toBe('any');
    const shut = new Bench();
    expect(shut.run({ opcode: OP.SHUTDOWN, fd: FD.inet, len: 2 })).toBe(-E.NOTCONN);
    expect(shut.run({ opcode: OP.RECV, fd: FD.inet, addr: data(0), len: 1, ...dontwait })).toBe(0);
    expect(shut.run({ opcode: OP.CONNECT, fd: FD.inet_listener, addr: SOCKADDR.inet, off: 16n })).toBe('any');
    expect(shut.run({ opcode: OP.CONNECT, fd: FD.inet_listener, addr: SOCKADDR.unspec, off: 16n })).toBe('any');
  });
  it('are left open in odd cases', () => {
    const open: readonly Parameters<Bench['ask']>[0][] = [
      { opcode: OP.SEND, fd: FD.socketpair_a, addr: PATTERN, len: 1, op_flags: 1 },
      { opcode: OP.SEND, fd: FD.socketpair_a, addr: PATTERN, len: 1, off: SOCKADDR.unix, file_index: 7 },
      { opcode: OP.SEND, fd: FD.socketpair_a, addr: PATTERN, len: 0x2000 },
      { opcode: OP.SENDMSG, fd: FD.socketpair_a, addr: ELSEWHERE },
      { opcode: OP.RECV, fd: FD.socketpair_a, addr: data(0), len: 1 },
      { opcode: OP.RECV, fd: FD.socketpair_a, addr: data(0), len: 0, op_flags: 0x40 },
      { opcode: OP.RECVMSG, fd: FD.socketpair_a, addr: ELSEWHERE, op_flags: 0x40 },
      { opcode: OP.SEND_ZC, fd: FD.inet_listener, addr: PATTERN, len: 1 },
      { opcode: OP.URING_CMD, fd: RING_FD },
      { opcode: OP.URING_CMD, fd: FD.inet, off: 2n, addr: 1n },
      { opcode: OP.URING_CMD, fd: FD.inet, off: 3n, addr: 6n, file_index: 4 },
      { opcode: OP.URING_CMD, fd: FD.inet, off: 5n },
      { opcode: OP.URING_CMD, fd: FD.inet, off: 3n, addr: 0x2_0000_0001n, file_index: 4, addr3: ELSEWHERE },
      { opcode: OP.SOCKET, fd: 17, off: 3n },
      { opcode: OP.SOCKET, fd: 2, off: 3n, len: 1 },
      { opcode: OP.SOCKET, fd: 16, off: 3n, len: 5 },
      { opcode: OP.SOCKET, fd: 2, off: 5n, len: 132 },
    ];
    for (const sqe of open)
      expect([opName(sqe.opcode), sqe.fd, sqe.off, new Bench().ask(sqe).res]).toEqual([
        opName(sqe.opcode),
        sqe.fd,
        sqe.off,
        'any',
      ]);
    const b = new Bench();
    expect([
      b.ask({ opcode: OP.SOCKET, fd: 2, off: 2n, len: 6 }).res,
      b.ask({ opcode: OP.SOCKET, fd: 16, off: 2n, len: 40 }).res,
    ]).toEqual([-E.PROTONOSUPPORT, -E.PROTONOSUPPORT]);
    expect(b.prep({ opcode: OP.SEND, fd: 0, ioprio: 1 }).ok).toBe('unknown');
    expect(b.prep({ opcode: OP.SEND_ZC, fd: 0, addr3: 1n }).ok).toBe('unknown');
    expect(b.prep({ opcode: OP.SENDMSG_ZC, fd: 0, addr: 0n })).toMatchObject({
      ok: false,
      errno: E.FAULT,
      refused: { extra: [{ cflags: CQE_F.NOTIF }] },
    });
    expect(b.prep({ opcode: OP.SENDMSG_ZC, fd: 0, off: 1n })).toMatchObject({ ok: false, errno: E.INVAL });
    expect(b.prep({ opcode: OP.CONNECT, addr: ELSEWHERE, off: 16n }).ok).toBe('unknown');
    expect(b.prep({ opcode: OP.ACCEPT, ioprio: 1, file_index: FILE_INDEX_ALLOC }).ok).toBe(true);
    expect(opSpec(OP.SEND_ZC)?.refused?.(b.context({ opcode: OP.SEND_ZC }))).toMatchObject({
      cflags: CQE_F.MORE,
      extra: [{ res: 0, cflags: CQE_F.NOTIF }],
    });
  });
  it('show a filter where they connect to', () => {
    const b = new Bench({ abi: { pdu_size: Array.from({ length: 65 }, () => 24) } });
    const payload = (addr: bigint, off: bigint): number[] => {
      const prep = b.prep({ opcode: OP.CONNECT, addr, off });
      return prep.ok === true ? [...(prep.payload ?? [])] : [];
    };
    // 127.0.0.1:7000 in network order, read by a little-endian machine.
    expect(payload(SOCKADDR.inet, 16n)).toEqual([2, 0x581b, 0x0100007f, 0, 0, 0]);
    expect(payload(SOCKADDR.inet, 15n)).toEqual([2, 0, 0, 0, 0, 0]);
    expect(payload(SOCKADDR.inet, 1n)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(payload(SOCKADDR.inet, 0n)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(payload(SOCKADDR.inet6, 24n)).toEqual([10, 0x581b, 0, 0, 0, 0x0100_0000]);
    expect(payload(SOCKADDR.inet6, 23n)).toEqual([10, 0, 0, 0, 0, 0]);
    expect(payload(SOCKADDR.unix, 7n)).toEqual([1, 0, 0, 0, 0, 0]);
    const short = Uint8Array.from({ length: 24 }, (_, i) =>
      i === 0 ? 10 : i === 2 ? 0x1b : i === 3 ? 0x58 : i === 23 ? 1 : 0,
    );
    expect([...connectPayload(short, true, 24)]).toEqual([10, 0x581b, 0, 0, 0, 0x0100_0000]);
    // As the model of a faulty kernel has it.
    expect([...connectPayload(short, true, 28)]).toEqual([10, 0, 0, 0, 0, 0]);
    expect([
      ...connectPayload(Uint8Array.of(0, 2, 0x1b, 0x58, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0), false, 24),
    ]).toEqual([2, 0x1b58_0000, 0x7f00_0001, 0, 0, 0]);
  });
});

describe('messages to rings', () => {
  it('install files on the other ring', () => {
    const b = new Bench();
    registered(b, FD.file);
    b.sandbox.common.ring(1).setFiles([undefined]);
    const send = { opcode: OP.MSG_RING, fd: RING_FD + 1, addr: 1n, off: 9n };
    expect(b.ask({ ...send, file_index: FILE_INDEX_ALLOC }).posts).toEqual({
      ring: 1,
      user_data: 9n,
      res: 0,
      cflags: 0,
    });
    expect(b.run({ ...send, file_index: 1, op_flags: 1 })).toBe(0);
    expect(b.sandbox.common.ring(1).files?.[0]?.kind).toBe('file');
    expect(b.run({ ...send, file_index: 5 })).toBe(-E.INVAL);
    expect(b.run({ ...send, file_index: FILE_INDEX_ALLOC })).toBe(-E.NFILE);
    b.sandbox.common.ring(1).unknown = WORLD['resources.lost'];
    expect(b.run({ ...send, file_index: 1 })).toBe('any');
  });
  it('depend on the target', () => {
    const b = new Bench({ rings: [{}, { disabled: true }, { setup_flags: IORING_SETUP.DEFER_TASKRUN }] });
    registered(b, FD.file);
    expect(b.run({ opcode: OP.MSG_RING, fd: RING_FD + 1, len: 1 })).toBe(-E.BADFD);
    expect(b.run({ opcode: OP.MSG_RING, fd: RING_FD + 1, addr: 1n })).toBe(-E.BADFD);
    expect(b.run({ opcode: OP.MSG_RING, fd: RING_FD + 2, addr: 1n })).toBe('any');
    expect(b.ask({ opcode: OP.MSG_RING, fd: RING_FD + 2, op_flags: 2, file_index: CQE_F.F_32 }).res).toBe('any');
    expect(b.ask({ opcode: OP.MSG_RING, fd: RING_FD + 7 }).res).toBe(-E.BADF);
  });
  it('are not seen on a mixed queue when they ask to be skipped', () => {
    const b = new Bench({ rings: [{}, {}, { setup_flags: IORING_SETUP.CQE_MIXED }] });
    const pass = { opcode: OP.MSG_RING, off: 9n, op_flags: 2, file_index: CQE_F.SKIP | CQE_F.MORE };
    expect(b.ask({ ...pass, fd: RING_FD + 2 })).toMatchObject({ res: 0 });
    expect(b.ask({ ...pass, fd: RING_FD + 2 }).posts).toBeUndefined();
    expect(b.ask({ ...pass, fd: RING_FD + 1 }).posts).toMatchObject({ user_data: 9n, cflags: pass.file_index });
    expect(b.ask({ ...pass, fd: RING_FD + 2, file_index: CQE_F.MORE }).posts).toMatchObject({ cflags: CQE_F.MORE });
  });
});
