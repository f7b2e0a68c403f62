import { describe, expect, it } from 'vitest';
import { KernelError } from '../host/errors.ts';
import { MACHINES } from '../machine/index.ts';
import { fakeBzImage, fakeElf } from '../testing/kernels.ts';
import {
  bzImageRelease,
  plainRelease,
  hasPvhEntry,
  kernelFormat,
  unpackBzImage,
  UnsupportedCompression,
} from './unpack.ts';

const ELF = fakeElf({ release: '7.0.99-elf' });

describe('kernelFormat', () => {
  it('knows kernels by their magic, and only those of its machines', () => {
    expect(kernelFormat(ELF)).toEqual({ machine: MACHINES[0], form: 'elf' });
    expect(kernelFormat(fakeBzImage(ELF))).toEqual({ machine: MACHINES[0], form: 'image' });
    expect(kernelFormat(fakeElf({ machine: 8 }))).toBeUndefined();
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('\x7fELF', 'latin1'),
      Buffer.from('#!/bin/sh\n'),
      Buffer.alloc(4096),
    ])
      expect(kernelFormat(bytes)).toBeUndefined();
  });
});

describe('unpackBzImage', () => {
  it.each(['zstd', 'gzip', 'none'] as const)('unpacks %s', (compression) => {
    expect(unpackBzImage(fakeBzImage(ELF, compression), 'x')).toEqual(ELF);
  });

  it('names a compression that it cannot undo', () => {
    expect(() => unpackBzImage(fakeBzImage(ELF, 'xz'), 'x')).toThrow(new UnsupportedCompression('xz'));
  });

  it('calls truncated and altered images damaged', () => {
    const image = fakeBzImage(ELF);
    expect(() => unpackBzImage(image.subarray(0, image.length - 80), 'x')).toThrow(/ends at byte/);
    const altered = Buffer.from(image);
    altered.fill(0xaa, 5 * 512 + 16 + 20, 5 * 512 + 16 + 40);
    expect(() => unpackBzImage(altered, 'x')).toThrow(KernelError);
    expect(() => unpackBzImage(fakeBzImage(Buffer.alloc(2000, 1)), 'x')).toThrow(/no ELF image/);
  });
});

describe('what a kernel file says of itself', () => {
  it('release', () => {
    expect(plainRelease(ELF)).toBe('7.0.99-elf');
    expect(plainRelease(Buffer.concat([fakeElf(), Buffer.from('Linux version 7.1.2-mine (me@here) #1')]))).toBe(
      '7.1.2-mine',
    );
    expect(plainRelease(fakeElf())).toBeUndefined();
    expect(bzImageRelease(fakeBzImage(ELF))).toBe('7.0.99-test');
  });

  it('PVH entry', () => {
    expect(hasPvhEntry(ELF)).toBe(true);
    expect(hasPvhEntry(fakeElf({ pvh: false, release: '7.0.1' }))).toBe(false);
  });
});
