import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SetupError } from '../host/errors.ts';
import { buildImage } from './image.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  vi.stubEnv('RINGFENCE_CACHE', join(dir, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

describe('buildImage', () => {
  it('builds the runner, a second time out of the cache', async () => {
    const lines: string[] = [];
    const log = (l: string) => lines.push(l);
    const image = await buildImage({ log });
    expect(await buildImage({ log })).toEqual(image);
    expect(lines).toHaveLength(1);
    expect(readFileSync(image.path).includes('\x7fELF')).toBe(true);
  });

  it('builds anew when a source changes', async () => {
    const source = (n: number) =>
      writeFileSync(join(dir, 'a.c'), `void _start(void) { for (volatile int i = ${n};; i++); }\n`);
    source(1);
    const one = await buildImage({ sources: dir });
    source(2);
    const two = await buildImage({ sources: dir });
    expect(two.runner).not.toBe(one.runner);
    expect(two.sha256).not.toBe(one.sha256);
  });

  it('shows what the compiler says', async () => {
    writeFileSync(join(dir, 'a.c'), 'void _start(void) { return wrong; }\n');
    await expect(buildImage({ sources: dir })).rejects.toThrow(/could not build[^]*a\.c:1[^]*wrong/);
    writeFileSync(join(dir, 'a.c'), '#include <no/such.h>\n');
    await expect(buildImage({ sources: dir })).rejects.toThrow(/header is missing[^]*apt-get install/);
  });

  it('says that there is no compiler, no source', async () => {
    await expect(buildImage({ sources: join(dir, 'none') })).rejects.toThrow(SetupError);
    vi.stubEnv('PATH', '/nonexistent');
    await expect(buildImage()).rejects.toThrow(/gcc is missing[^]*apt-get install/);
  });
});
