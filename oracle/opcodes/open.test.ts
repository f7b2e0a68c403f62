/** Opens by path, flags and directory, as open(2) and openat2(2) say; each row was also tried on tmpfs. */
import { describe, expect, it } from 'vitest';
import { FD } from '../scenario/layout.ts';
import { Bench } from '../testing/op-context.ts';
import { E, RESOLVE } from '../uapi/constants.ts';
import { ARENA, ARENA_END } from '../scenario/layout.ts';
import { data, OPEN_HOW, PATH } from '../world/arena.ts';
import { OP } from './index.ts';

const AT = -100;
const [CREAT, EXCL, WRONLY, TRUNC] = [0o100, 0o200, 1, 0o1000];
const [DIRECT, DIRECTORY, NOFOLLOW, O_PATH, TMPFILE] = [0o40000, 0o200000, 0o400000, 0o10000000, 0o20200000];
const OPENS = { at_least: 0 };

/** "n5" leads to "f0", "n6" to "n7", which is not there, "n4" to "d0", "n3" to itself. */
function linked(): Bench {
  const b = new Bench();
  for (const [to, at] of [
    [PATH.f0, PATH.n5],
    [PATH.n7, PATH.n6],
    [PATH.d0, PATH.n4],
    [PATH.n3, PATH.n3],
  ] as const)
    expect(b.run({ opcode: OP.SYMLINKAT, fd: AT, addr: to, off: at })).toBe(0);
  return b;
}

const openat = (b: Bench, addr: bigint, opFlags: number, fd = AT) =>
  b.ask({ opcode: OP.OPENAT, fd, addr, op_flags: opFlags }).res;

describe('directories', () => {
  it.each([PATH.dot, PATH.d0])('open for reading alone (%#)', (addr) => {
    const b = new Bench();
    const rows: readonly (readonly [flags: number, answer: unknown])[] = [
      [0, OPENS],
      [CREAT, -E.ISDIR],
      [CREAT | EXCL, -E.EXIST],
      [WRONLY, -E.ISDIR],
      [TRUNC, -E.ISDIR],
      [3, -E.ISDIR],
      [DIRECT, -E.INVAL],
      [DIRECTORY, OPENS],
      [O_PATH, OPENS],
      [TMPFILE | WRONLY, OPENS],
      [TMPFILE | 2 | EXCL, OPENS],
    ];
    for (const [flags, answer] of rows) expect([flags, openat(b, addr, flags)]).toEqual([flags, answer]);
  });
  it('other than the working directory must be directories', () => {
    const b = new Bench();
    expect([FD.closed, -1, FD.file, FD.pipe_read, FD.epoll, 100].map((fd) => openat(b, PATH.f0, 0, fd))).toEqual([
      -E.BADF,
      -E.BADF,
      -E.NOTDIR,
      -E.NOTDIR,
      -E.NOTDIR,
      -E.NOTDIR,
    ]);
    expect(openat(b, PATH.f0, 0, 5)).toBe('any');
  });
});

describe('files', () => {
  it('take access mode 3 and O_DIRECT, and no O_TMPFILE', () => {
    const b = new Bench();
    expect([3, 3 | TRUNC, DIRECT, EXCL, TMPFILE | WRONLY].map((flags) => openat(b, PATH.f0, flags))).toEqual([
      OPENS,
      OPENS,
      OPENS,
      OPENS,
      -E.NOTDIR,
    ]);
    expect(openat(b, PATH.missing, TMPFILE | WRONLY)).toBe(-E.NOENT);
    // Access mode 3 gives neither.
    b.sandbox.common.ring(0).setFiles([undefined]);
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.f0, op_flags: 3, file_index: 1 })).toBe(0);
    const fixed = { fd: 0, flags: 1, addr: data(0), len: 1 };
    expect([b.run({ opcode: OP.READ, ...fixed }), b.run({ opcode: OP.WRITE, ...fixed })]).toEqual([-E.BADF, -E.BADF]);
  });
});

describe('symbolic links', () => {
  it.each<[string, bigint, number, unknown]>([
    ['to a file', PATH.n5, 0, OPENS],
    ['to a file, not followed', PATH.n5, NOFOLLOW, -E.LOOP],
    ['to a file, for itself', PATH.n5, NOFOLLOW | O_PATH, OPENS],
    ['to a file, made anew', PATH.n5, CREAT | EXCL, -E.EXIST],
    ['to a file, made, not followed', PATH.n5, CREAT | NOFOLLOW, -E.LOOP],
    ['to a file, as a directory, not followed', PATH.n5, DIRECTORY | NOFOLLOW, -E.NOTDIR],
    ['to a file, as a directory', PATH.n5, DIRECTORY, -E.NOTDIR],
    ['to a file, O_TMPFILE', PATH.n5, TMPFILE | WRONLY, -E.NOTDIR],
    ['to a directory', PATH.n4, DIRECTORY, OPENS],
    ['to a directory, not followed', PATH.n4, DIRECTORY | NOFOLLOW, -E.NOTDIR],
    ['to a directory, O_TMPFILE', PATH.n4, TMPFILE | WRONLY, OPENS],
    ['to nothing', PATH.n6, 0, -E.NOENT],
    ['to nothing, made anew', PATH.n6, CREAT | EXCL, -E.EXIST],
    ['to nothing, not followed', PATH.n6, NOFOLLOW, -E.LOOP],
    ['to nothing, for its path', PATH.n6, O_PATH, -E.NOENT],
    ['to itself', PATH.n3, 0, -E.LOOP],
    ['to itself, for its path', PATH.n3, O_PATH, -E.LOOP],
  ])('%s', (_, addr, flags, answer) => {
    expect(openat(linked(), addr, flags)).toEqual(answer);
  });
  it('to nothing: what they name is made', () => {
    const b = linked();
    expect(b.run({ opcode: OP.OPENAT, fd: AT, addr: PATH.n6, op_flags: CREAT | WRONLY })).toEqual(OPENS);
    expect([b.sandbox.probePath('n7'), b.sandbox.probePath('n6')]).toEqual([0, 0]);
  });
  it('openat2(2): RESOLVE_NO_SYMLINKS is -ELOOP, RESOLVE_CACHED may give up', () => {
    const b = linked();
    const how = (resolve: number): bigint => {
      const at = data(0x100);
      const bytes = new Uint8Array(24);
      new DataView(bytes.buffer).setBigUint64(16, BigInt(resolve), true);
      b.sandbox.memory.write(at, bytes);
      return at;
    };
    const ask = (addr: bigint, resolve: number) =>
      b.ask({ opcode: OP.OPENAT2, fd: AT, addr, off: how(resolve), len: 24 }).res;
    expect([ask(PATH.n5, RESOLVE.NO_SYMLINKS), ask(PATH.f0, RESOLVE.NO_SYMLINKS)]).toEqual([-E.LOOP, OPENS]);
    expect([ask(PATH.n5, RESOLVE.BENEATH), ask(PATH.f0, RESOLVE.CACHED)]).toEqual([OPENS, 'any']);
  });
});

describe('struct open_how', () => {
  const prep = (b: Bench, off: bigint, len: number) => b.prep({ opcode: OP.OPENAT2, fd: AT, addr: PATH.f0, off, len });
  it('may be longer where the rest is zero, whatever its size', () => {
    const b = new Bench();
    b.sandbox.memory.write(data(0), new Uint8Array(ARENA.data_size));
    expect([prep(b, OPEN_HOW.long_zero, 32).ok, prep(b, data(0), 100).ok]).toEqual([true, true]);
    expect(prep(b, OPEN_HOW.long_set, 32)).toMatchObject({ ok: false, errno: E['2BIG'] });
    expect(prep(b, OPEN_HOW.rdonly, 5000)).toMatchObject({ ok: false, errno: E['2BIG'] });
    expect(prep(b, BigInt(ARENA_END) - 8n, 24)).toMatchObject({ ok: false, errno: E.FAULT });
  });
});
