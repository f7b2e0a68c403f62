import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SetupError } from '../host/errors.ts';
import { withLock } from './lock.ts';

let dir: string;
let file: string;
const others: ChildProcess[] = [];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-lock-'));
  file = join(dir, 'deeper', 'lock');
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const other of others.splice(0)) other.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true });
});

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Another process that holds the lock until it is killed. */
async function holder(): Promise<ChildProcess> {
  const script = `
    const { withLock } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))});
    await withLock(${JSON.stringify(file)}, () => {}, undefined, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    });
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  others.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

describe('withLock', () => {
  it('many waiters of a lock that a dead process left: never two at once, and all get their turn', async () => {
    await withLock(
      file,
      () => {},
      undefined,
      () => Promise.resolve(),
    );
    writeFileSync(file, '4194303\n');
    let inside = 0;
    let most = 0;
    let told = 0;
    const turns = Array.from({ length: 8 }, () =>
      withLock(
        file,
        () => told++,
        undefined,
        async () => {
          most = Math.max(most, ++inside);
          await pause(20);
          inside--;
        },
      ),
    );
    await Promise.all(turns);
    expect([most, inside, told]).toEqual([1, 0, 7]);
  });

  it('the lock of a killed process is free at once; until then its number is told', async () => {
    const other = await holder();
    const waiting = vi.fn<(pid: number | undefined) => void>();
    let got = false;
    const turn = withLock(file, waiting, undefined, () => {
      got = true;
      return Promise.resolve('mine');
    });
    await pause(300);
    expect([got, waiting.mock.calls]).toEqual([false, [[other.pid]]]);
    const begun = performance.now();
    other.kill('SIGKILL');
    expect(await turn).toBe('mine');
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it('waiting can be given up', async () => {
    await holder();
    const controller = new AbortController();
    const turn = withLock(
      file,
      () => controller.abort(new Error('enough')),
      controller.signal,
      () => Promise.resolve(),
    );
    await expect(turn).rejects.toThrow('enough');
  });

  it('is free again after a job that failed', async () => {
    const failing = withLock(
      file,
      () => {},
      undefined,
      () => Promise.reject(new Error('job')),
    );
    await expect(failing).rejects.toThrow('job');
    expect(
      await withLock(
        file,
        () => {},
        undefined,
        () => Promise.resolve(1),
      ),
    ).toBe(1);
  });

  it('says so where there is no flock', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    await expect(
      withLock(
        file,
        () => {},
        undefined,
        () => Promise.resolve(),
      ),
    ).rejects.toBeInstanceOf(SetupError);
  });
});
