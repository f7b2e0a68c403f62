/** Sockets where a request stands at the edge of what is described. */
import { describe, expect, it } from 'vitest';
import { ARENA_BASE, ARENA_END, FD } from '../scenario/layout.ts';
import { data, PATH, PATTERN, SOCKADDR } from '../world/arena.ts';
import { AF, E, IOSQE, MSG, SOCK, SOCKET_URING_OP } from '../uapi/constants.ts';
import { OP } from './index.ts';
import { Bench } from '../testing/op-context.ts';

const AT = -100;
const ELSEWHERE = 0x2000_9000n;
const dontwait = { op_flags: MSG.DONTWAIT };
const fixed = { flags: IOSQE.FIXED_FILE };

/** Stores bytes in the data area; the fields of a request that names them as an address. */
function address(b: Bench, bytes: readonly number[]): { readonly addr: bigint; readonly off: bigint } {
  b.sandbox.memory.write(data(0x100), Uint8Array.from(bytes));
  return { addr: data(0x100), off: BigInt(bytes.length) };
}
const unix = (b: Bench, path: string) => address(b, [AF.UNIX, 0, ...new TextEncoder().encode(path), 0]);
const inet = (b: Bench, ...ip: readonly number[]) =>
  address(b, [AF.INET, 0, 7000 >> 8, 7000 & 0xff, ...ip, 0, 0, 0, 0, 0, 0, 0, 0]);

/** A bench whose first direct descriptors are sockets made by requests. */
function withSockets(count: number, family: number, type: number): Bench {
  const b = new Bench();
  b.sandbox.common.ring(0).setFiles(Array.from({ length: count }, () => undefined));
  for (let slot = 0; slot < count; slot++)
    expect(b.run({ opcode: OP.SOCKET, fd: family, off: BigInt(type), file_index: slot + 1 })).toBe(0);
  return b;
}

describe('connect(2) to a local socket', () => {
  const connect = { opcode: OP.CONNECT, fd: FD.stream };
  it('is open for abstract names and names in other directories', () => {
    const b = new Bench();
    for (const path of ['\0name', '/sock', 'd0/sock']) {
      expect(b.ask({ ...connect, ...unix(b, path) }).res).toBe('any');
      expect(b.ask({ opcode: OP.BIND, fd: FD.stream, ...unix(b, path) }).res).toBe('any');
    }
    expect(b.run({ ...connect, ...unix(b, 'sock') })).toBe(0);
  });
  it('ECONNREFUSED where the path is no socket; a symbolic link is not followed', () => {
    const file = new Bench({ fixtures: ['file', 'stream'] });
    expect(file.run({ opcode: OP.RENAMEAT, fd: AT, addr: PATH.f0, off: PATH.sock, len: AT >>> 0 })).toBe(0);
    expect(file.run({ ...connect, addr: SOCKADDR.unix, off: 7n })).toBe(-E.CONNREFUSED);
    const link = new Bench({ fixtures: ['file', 'stream'] });
    expect(link.run({ opcode: OP.SYMLINKAT, fd: AT, addr: PATH.f0, off: PATH.sock })).toBe(0);
    expect(link.run({ ...connect, addr: SOCKADDR.unix, off: 7n })).toBe('any');
  });
  it('is open where nobody listens, and where the queue may be full', () => {
    const b = withSockets(5, AF.UNIX, SOCK.STREAM);
    expect(b.run({ opcode: OP.BIND, fd: FD.stream, addr: SOCKADDR.unix_new, off: 5n })).toBe(0);
    expect(b.ask({ opcode: OP.CONNECT, fd: 0, addr: SOCKADDR.unix_new, off: 5n, ...fixed }).res).toBe('any');
    const connected = [0, 1, 2, 3, 4].map((fd) =>
      b.run({ opcode: OP.CONNECT, fd, addr: SOCKADDR.unix, off: 7n, ...fixed }),
    );
    expect(connected).toEqual([0, 0, 0, 0, 'any']);
  });
  it('and bind(2) say nothing where the address cannot be read', () => {
    for (const opcode of [OP.CONNECT, OP.BIND])
      expect(new Bench().ask({ opcode, fd: FD.stream, addr: ELSEWHERE, off: 5n }).res).toBe('any');
  });
  it('bind(2): a socket that has a name already', () => {
    const b = new Bench();
    expect(b.run({ opcode: OP.BIND, fd: FD.stream, addr: SOCKADDR.unix, off: 7n })).toBe(-E.ADDRINUSE);
    expect(b.run({ opcode: OP.BIND, fd: FD.stream, addr: SOCKADDR.unix_new, off: 5n })).toBe(0);
    expect(b.run({ opcode: OP.BIND, fd: FD.stream, addr: SOCKADDR.unix, off: 7n })).toBe('any');
  });
});

describe('internet sockets', () => {
  it('reach 127.0.0.1 alone', () => {
    const b = new Bench();
    expect(b.ask({ opcode: OP.CONNECT, fd: FD.inet, ...inet(b, 10, 0, 0, 1) }).res).toBe('any');
    expect(b.ask({ opcode: OP.CONNECT, fd: FD.inet, ...inet(b, 127, 0, 0, 1) }).res).toEqual([
      0,
      -E.INPROGRESS,
      -E.ALREADY,
      -E.ISCONN,
    ]);
  });
  it('of datagrams take an address, and are not modelled beyond that', () => {
    const b = withSockets(1, AF.INET, SOCK.DGRAM);
    const to = (addr: bigint, off: bigint) => b.ask({ opcode: OP.CONNECT, fd: 0, addr, off, ...fixed }).res;
    expect([to(SOCKADDR.inet, 16n), to(SOCKADDR.inet, 8n), to(SOCKADDR.inet, 1n)]).toEqual([0, -E.INVAL, -E.INVAL]);
    expect([to(SOCKADDR.unspec, 16n), to(SOCKADDR.inet6, 28n)]).toEqual([0, -E.AFNOSUPPORT]);
    const local = new Bench();
    const name = { opcode: OP.CONNECT, fd: FD.datagram, addr: SOCKADDR.unix, off: 7n };
    expect(local.ask(name).res).toBe(-E.PROTOTYPE);
    expect(local.ask({ ...name, addr: SOCKADDR.unspec }).res).toBe(0);
    expect(local.ask({ ...name, addr: SOCKADDR.unix_missing, off: 10n }).res).toBe(-E.NOENT);
    expect(b.ask({ opcode: OP.RECV, fd: 0, addr: data(0), len: 8, ...dontwait, ...fixed }).res).toBe('any');
    expect(b.ask({ opcode: OP.URING_CMD, fd: 0, off: BigInt(SOCKET_URING_OP.SIOCINQ), ...fixed }).res).toBe('any');
  });
  it('tcp(7): SIOCINQ is refused while listening, 0 before a connection, and open afterwards', () => {
    const b = new Bench();
    const inq = (fd: number) => b.ask({ opcode: OP.URING_CMD, fd, off: BigInt(SOCKET_URING_OP.SIOCINQ) }).res;
    expect([inq(FD.inet_listener), inq(FD.inet)]).toEqual([-E.INVAL, 0]);
    b.run({ opcode: OP.CONNECT, fd: FD.inet, addr: SOCKADDR.inet, off: 16n });
    expect(inq(FD.inet)).toBe('any');
  });
  it('that listen are not read from, and what shutting them down answers is open', () => {
    const b = new Bench();
    expect(b.ask({ opcode: OP.RECV, fd: FD.inet_listener, addr: data(0), len: 8, ...dontwait }).res).toBe('any');
    expect(b.run({ opcode: OP.ACCEPT, fd: FD.inet })).toBe(-E.INVAL);
    expect(b.ask({ opcode: OP.SHUTDOWN, fd: FD.inet_listener, len: 2 }).res).toBe('any');
  });
  it('socket(2): protocols that depend on what the kernel was built with are open', () => {
    const create = (type: number, len: number) =>
      new Bench().ask({ opcode: OP.SOCKET, fd: AF.INET, off: BigInt(type), len }).res;
    expect([create(SOCK.STREAM, 6), create(SOCK.STREAM, 17), create(SOCK.STREAM, 132)]).toEqual([
      { at_least: 0 },
      -E.PROTONOSUPPORT,
      'any',
    ]);
    expect([create(SOCK.DGRAM, 17), create(SOCK.DGRAM, 6), create(SOCK.DGRAM, 132)]).toEqual([
      { at_least: 0 },
      -E.PROTONOSUPPORT,
      'any',
    ]);
  });
});

describe('sends and receives', () => {
  /** struct msghdr at an address of its own. */
  function msghdr(b: Bench, { name = 0n, iov = 0n, iovlen = 0n, control = 0n }): bigint {
    b.sandbox.memory.write(
      data(0x200),
      new Uint8Array(BigUint64Array.of(name, 0n, iov, iovlen, control, 0n, 0n).buffer),
    );
    return data(0x200);
  }
  /** Two segments: the first good, the second beyond the arena. */
  function half(b: Bench): bigint {
    b.sandbox.memory.write(data(0x300), new Uint8Array(BigUint64Array.of(data(0), 4n, BigInt(ARENA_END), 4n).buffer));
    return msghdr(b, { iov: data(0x300), iovlen: 2n });
  }
  it('stop being counted when much is under way', () => {
    const b = new Bench();
    const send = { opcode: OP.SEND, fd: FD.socketpair_a, addr: BigInt(ARENA_BASE), len: 0x1000, ...dontwait };
    expect([b.run(send), b.run(send), b.run(send), b.run(send)]).toEqual([0x1000, 0x1000, 0x1000, 'any']);
  });
  it('may move a part where a later segment is bad', () => {
    const b = new Bench();
    expect(b.ask({ opcode: OP.SENDMSG, fd: FD.socketpair_a, addr: half(b), ...dontwait }).res).toBe('any');
    expect(b.run({ opcode: OP.SEND, fd: FD.socketpair_a, addr: 0n, len: 4, ...dontwait })).toBe(-E.FAULT);
    expect(b.run({ opcode: OP.SEND, fd: FD.socketpair_a, addr: PATTERN, len: 8, ...dontwait })).toBe(8);
    expect(b.ask({ opcode: OP.RECVMSG, fd: FD.socketpair_b, addr: half(b), ...dontwait }).res).toBe('any');
    expect(b.run({ opcode: OP.RECV, fd: FD.socketpair_b, addr: data(0), len: 16, ...dontwait })).toBe(8);
  });
  it('recv(2): EAGAIN without a datagram; a socket that was shut down is not followed', () => {
    const b = new Bench();
    const receive = { opcode: OP.RECV, fd: FD.datagram, addr: data(0), len: 8, ...dontwait };
    expect(b.run(receive)).toBe(-E.AGAIN);
    expect(b.run({ opcode: OP.SHUTDOWN, fd: FD.datagram, len: 0 })).toBe(0);
    expect(b.run(receive)).toBe('any');
  });
  it('prep takes an address that can be read, and refuses one that cannot', () => {
    const b = new Bench();
    const send = { opcode: OP.SEND, fd: FD.inet, addr: PATTERN, len: 8 };
    expect(b.prep({ ...send, off: SOCKADDR.inet, file_index: 16 })).toEqual({ ok: true, adds_flags: 0 });
    expect(b.prep({ ...send, off: 1n, file_index: 16 })).toEqual({ ok: false, errno: E.FAULT });
    expect(b.prep({ opcode: OP.RECV, fd: FD.inet, addr: data(0), len: 8, file_index: 1 })).toEqual({
      ok: false,
      errno: E.INVAL,
    });
    // linux/io_uring.h: addr_len is the first of two u16 at offset 44, whatever the byte order.
    const big = new Bench({ abi: { little_endian: false } });
    expect(big.prep({ ...send, off: SOCKADDR.inet, file_index: 16 << 16 })).toEqual({ ok: true, adds_flags: 0 });
    expect(big.prep({ ...send, off: SOCKADDR.inet, file_index: 16 })).toEqual({ ok: false, errno: E.INVAL });
  });
  it('of messages with names, control data or very many segments are not modelled', () => {
    const b = new Bench();
    const prep = (opcode: number, fields: Parameters<typeof msghdr>[1], flags = 0) =>
      b.prep({ opcode, fd: FD.socketpair_a, addr: msghdr(b, fields), flags }).ok;
    for (const opcode of [OP.SENDMSG, OP.RECVMSG]) {
      expect([
        prep(opcode, { name: data(0) }),
        prep(opcode, { control: data(0) }),
        prep(opcode, { iovlen: 1025n }),
        prep(opcode, {}),
      ]).toEqual(['unknown', 'unknown', 'unknown', true]);
    }
    expect([
      prep(OP.RECVMSG, {}, IOSQE.BUFFER_SELECT),
      prep(OP.RECVMSG, { iov: data(0), iovlen: 1n }, IOSQE.BUFFER_SELECT),
      prep(OP.RECVMSG, { iov: data(0), iovlen: 2n }, IOSQE.BUFFER_SELECT),
    ]).toEqual([true, true, false]);
  });
  it('without copying: what is not known of the arguments is not known of the request', () => {
    const b = new Bench();
    expect(b.prep({ opcode: OP.SEND_ZC, fd: FD.inet, ioprio: 1 }).ok).toBe('unknown');
    expect(b.prep({ opcode: OP.SENDMSG_ZC, fd: FD.inet, addr: ELSEWHERE }).ok).toBe('unknown');
    expect(b.prep({ opcode: OP.SENDMSG_ZC, fd: FD.inet, addr: msghdr(b, {}) }).ok).toBe(true);
  });
  it('io_uring_prep_msg_ring(3): EBADFD where the target is no ring, and a direct descriptor never is', () => {
    const b = withSockets(1, AF.UNIX, SOCK.STREAM);
    expect([b.run({ opcode: OP.MSG_RING, fd: FD.file }), b.run({ opcode: OP.MSG_RING, fd: 0, ...fixed })]).toEqual([
      -E.BADFD,
      -E.BADFD,
    ]);
  });
});
