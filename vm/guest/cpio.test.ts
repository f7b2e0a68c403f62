import { describe, expect, it } from 'vitest';
import { cpio } from './cpio.ts';

/** Reads an archive back: the format's own rules, written a second time. */
function read(bytes: Buffer): { name: string; mode: number; data: Buffer; rdev: [number, number] }[] {
  const entries = [];
  for (let at = 0; at < bytes.length; ) {
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701');
    const field = (i: number): number => parseInt(bytes.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16);
    const name = bytes.toString('latin1', at + 110, at + 110 + field(11) - 1);
    const start = (at + 110 + field(11) + 3) & ~3;
    const end = start + field(6);
    entries.push({
      name,
      mode: field(1),
      data: bytes.subarray(start, end),
      rdev: [field(9), field(10)] as [number, number],
    });
    at = (end + 3) & ~3;
  }
  return entries;
}

describe('cpio', () => {
  it('writes what can be read back', () => {
    for (const size of [0, 1, 2, 3, 4, 5, 1000]) {
      const data = Buffer.alloc(size, 9);
      const entries = read(
        cpio([
          { name: 'dev', mode: 0o040755 },
          { name: 'dev/console', mode: 0o020600, rdev: { major: 5, minor: 1 } },
          { name: 'init'.padEnd(4 + (size % 4), 'x'), mode: 0o100755, data },
        ]),
      );
      expect(entries.map((e) => [e.mode, e.rdev])).toEqual([
        [0o040755, [0, 0]],
        [0o020600, [5, 1]],
        [0o100755, [0, 0]],
        [0, [0, 0]],
      ]);
      expect(entries[2]?.data).toEqual(data);
      expect(entries.at(-1)?.name).toBe('TRAILER!!!');
    }
  });

  it('depends on nothing but its entries', () => {
    expect(cpio([{ name: 'a', mode: 0o100644, data: Buffer.from('x') }])).toEqual(
      cpio([{ name: 'a', mode: 0o100644, data: Buffer.from('x') }]),
    );
  });
});
