import { describe, expect, it } from 'vitest';
import { FD } from '../scenario/layout.ts';
import { OPEN_HOW, PATH, SOCKADDR } from '../world/arena.ts';
import { IORING_NOP, IOSQE, SOCK } from '../uapi/constants.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { OP, opSpecs } from './index.ts';
import { Bench } from '../testing/op-context.ts';
import type { OpContext } from './types.ts';

const AT = -100;

function words(
  bench: Bench,
  sqe: Parameters<Bench['prep']>[0],
  more: Partial<OpContext> = {},
): readonly number[] | undefined {
  const prep = bench.prep(sqe, more);
  return prep.ok === true && prep.payload ? [...prep.payload] : undefined;
}

function adds(bench: Bench, sqe: Parameters<Bench['prep']>[0]): number | undefined {
  const prep = bench.prep(sqe);
  return prep.ok === true ? prep.adds_flags : undefined;
}

/** Every line here was confirmed on 7.0.13 and 7.3.4 by a filter that allows only what the table says. */
describe('what a filter sees', () => {
  it('carries IOSQE_ASYNC for the opcodes that always go to a worker', () => {
    const always = new Set<string>();
    const sometimes = new Set<string>();
    const never = new Set<string>();
    for (const { name, forms } of opSpecs.filter(({ opcode }) => opcode < ABI_7_0.op_last)) {
      const seen = new Set<number>();
      for (const { sqe, fixtures, need_setup, linked } of forms) {
        const bench = new Bench({ fixtures, rings: [{ setup_flags: need_setup ?? 0 }, {}] });
        const prep = bench.prep(sqe, { linked: linked ?? false });
        if (prep.ok === true) seen.add(prep.adds_flags & IOSQE.ASYNC);
      }
      (seen.size === 2 ? sometimes : seen.has(IOSQE.ASYNC) ? always : never).add(name);
    }
    expect([...always]).toEqual([
      'FSYNC',
      'SYNC_FILE_RANGE',
      'FALLOCATE',
      'STATX',
      'MADVISE',
      'SPLICE',
      'TEE',
      'SHUTDOWN',
      'RENAMEAT',
      'UNLINKAT',
      'MKDIRAT',
      'SYMLINKAT',
      'LINKAT',
      'FSETXATTR',
      'SETXATTR',
      'FGETXATTR',
      'GETXATTR',
      'FTRUNCATE',
    ]);
    expect([...sometimes]).toEqual(['OPENAT', 'FADVISE', 'OPENAT2', 'BIND']);
    expect(never.size).toBe(43);
  });

  it('of a socket: family, type without flags where the kernel masks them, protocol', () => {
    const socket = { opcode: OP.SOCKET, fd: -1, off: BigInt(SOCK.STREAM | SOCK.CLOEXEC), len: 0xffff_ffff };
    expect(words(new Bench(), socket)).toEqual([0xffff_ffff, 1, 0xffff_ffff, 0, 0, 0]);
    expect(words(new Bench({ quirks: ['socket-type-flags'] }), socket)).toEqual([
      0xffff_ffff, 0x8_0001, 0xffff_ffff, 0, 0, 0,
    ]);
  });

  it('of an open: flags and mode as the kernel will use them', () => {
    const b = new Bench();
    const openat = { opcode: OP.OPENAT, fd: AT, addr: PATH.f0 };
    expect(words(b, openat)).toEqual([0x8000, 0, 0, 0, 0, 0]);
    expect(words(b, { ...openat, op_flags: 0o101, len: 0xffff_ffff })).toEqual([0x8041, 0, 0o7777, 0, 0, 0]);
    expect(words(b, { ...openat, op_flags: 2, len: 0o644 })).toEqual([0x8002, 0, 0, 0, 0, 0]);
    expect(words(b, { ...openat, op_flags: 0o12006103, len: 0o777 })).toEqual([0o12000000, 0, 0, 0, 0, 0]);
    expect(words(b, { ...openat, op_flags: 0xfb80_003c })).toEqual([0x8000, 0, 0, 0, 0, 0]);
    const openat2 = { opcode: OP.OPENAT2, fd: AT, addr: PATH.f0, len: 24 };
    expect(words(b, { ...openat2, off: OPEN_HOW.bad_flags })).toEqual([0x8000, 1 << 8, 0, 0, 0, 0]);
    expect(words(b, { ...openat2, off: OPEN_HOW.bad_resolve })).toEqual([0x8000, 0, 0, 0, 0, 0x8000_0000]);
    expect(words(b, { ...openat2, off: OPEN_HOW.path })).toEqual([0o10000000, 0, 0, 0, 0, 0]);
    expect(words(b, { ...openat2, off: OPEN_HOW.all_modes })).toEqual([0x8041, 0, 0o7777, 0, 4, 0]);
    const big = new Bench({ abi: { little_endian: false } });
    expect(words(big, { ...openat, op_flags: 0o101, len: 0o644 })).toEqual([0, 0x8041, 0, 0o644, 0, 0]);
    expect([
      adds(b, openat),
      adds(b, { ...openat, op_flags: 0o1001 }),
      adds(b, { ...openat, op_flags: 0o20200002 }),
      adds(b, { ...openat, op_flags: 0o200000 }),
    ]).toEqual([0, IOSQE.ASYNC, IOSQE.ASYNC, 0]);
  });

  it('of a connect: nothing where the kernel has no payload for it', () => {
    expect(words(new Bench(), { opcode: OP.CONNECT, fd: FD.inet, addr: SOCKADDR.inet, off: 16n })).toBeUndefined();
  });

  it('of a BIND to a path carries IOSQE_ASYNC where prep sends it to a worker', () => {
    const bind = { opcode: OP.BIND, fd: FD.stream, addr: SOCKADDR.unix_new, off: 5n };
    expect(
      [undefined, true, false].map((shown) =>
        adds(new Bench(shown === undefined ? {} : { abi: { bind_shows_async: shown } }), bind),
      ),
    ).toEqual([IOSQE.ASYNC, IOSQE.ASYNC, 0]);
  });

  it('of a NOP with a direct descriptor carries IOSQE_FIXED_FILE where the kernel takes both for the same', () => {
    const nop = { opcode: OP.NOP, op_flags: IORING_NOP.FIXED_FILE };
    expect([false, true].map((shown) => adds(new Bench({ abi: { nop_shows_fixed_file: shown } }), nop))).toEqual([
      0,
      IOSQE.FIXED_FILE,
    ]);
    const plain = { opcode: OP.NOP, op_flags: IORING_NOP.FILE, fd: FD.file, flags: IOSQE.FIXED_FILE };
    expect([false, true].map((shown) => new Bench({ abi: { nop_shows_fixed_file: shown } }).ask(plain).res)).toEqual([
      0, -9,
    ]);
    const bench = new Bench();
    const { nop_shows_fixed_file: _, ...abi } = bench.abi;
    expect(bench.prep(nop, { abi })).toMatchObject({ ok: true, adds_flags: 0, may_add: { flags: IOSQE.FIXED_FILE } });
    expect(bench.ask(plain, { abi }).fails).toBe('unknown');
  });
});
