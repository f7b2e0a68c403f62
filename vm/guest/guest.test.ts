import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { scanConsole } from '../console/console.ts';
import { cpio } from './cpio.ts';
import { BootError, GuestGoneError, SetupError } from '../host/errors.ts';
import { fakeElf } from '../testing/kernels.ts';
import type { BootOptions, Guest } from './guest.ts';
import { bootGuest } from './guest.ts';
import type { GuestImage } from './image.ts';
import { buildImage } from './image.ts';
import type { Kernel } from '../kernels/kernel.ts';
import { fetchKernel } from '../kernels/fetch.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
let dir: string;
let kernel: Kernel;
let image: GuestImage;
const options = (more: Partial<BootOptions> = {}): BootOptions => ({
  kernel,
  image,
  accel: 'tcg',
  memoryMiB: 256,
  ...more,
});

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  kernel = await fetchKernel();
  image = await buildImage({ sources: join(HERE, '../testing') });
}, 300_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Waits until that many bytes came, or a text. */
function collect(guest: Guest): { until(done: (all: Buffer) => boolean): Promise<Buffer> } {
  let all = Buffer.alloc(0);
  let wake = (): void => {};
  guest.onData((chunk) => {
    all = Buffer.concat([all, chunk]);
    wake();
  });
  return {
    async until(done) {
      while (!done(all))
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      const result = all;
      all = Buffer.alloc(0);
      return result;
    },
  };
}

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

async function gone(pid: number): Promise<boolean> {
  for (let i = 0; i < 200 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  return !alive(pid);
}

const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.then(
    () => {
      throw new Error('should have failed');
    },
    (error: unknown) => error,
  );

describe('a guest', () => {
  it('talks, carries megabytes both ways, and powers off', async () => {
    const file = join(dir, 'console.txt');
    const guest = await bootGuest(options({ consoleFile: file }));
    const input = collect(guest);
    expect((await input.until((b) => b.length >= 5)).toString()).toBe('ready');
    expect(guest.bootMs).toBeGreaterThan(100);

    const status = readFileSync(`/proc/${guest.pid}/status`, 'utf8');
    expect(status).toMatch(/^NoNewPrivs:\s1$/m);
    expect(status).toMatch(/^Seccomp:\s2$/m);
    expect(status).toMatch(/^CapEff:\s0+$/m);
    if (process.getuid?.() === 0) expect(status).not.toMatch(/^Uid:\s0/m);

    await guest.send(Buffer.from('z'));
    const many = await input.until((b) => b.length >= 8 << 20);
    expect(many.equals(Buffer.alloc(8 << 20, 'z'))).toBe(true);

    // One letter in each read decides what the guest does, so all of them are 'e'.
    const out = Buffer.alloc(4 << 20, 'e');
    const echo = input.until((b) => b.length >= out.length);
    for (let at = 0; at < out.length; at += 1 << 18) await guest.send(out.subarray(at, at + (1 << 18)));
    expect((await echo).equals(out)).toBe(true);

    const heard: string[] = [];
    guest.onConsole((text) => heard.push(text));
    await guest.send(Buffer.from('k'));
    await input.until((b) => b.toString().includes('said'));
    await guest.send(Buffer.from('q'));
    expect(await guest.exited).toEqual({ code: 0, signal: null, stderr: '' });
    expect(scanConsole(guest.console).map((r) => r.title)).toEqual(['BUG: told to say so']);
    expect(heard.join('')).toMatch(/told to say so/);
    expect(readFileSync(file, 'utf8')).toBe(guest.console);
    expect(await failure(guest.send(Buffer.from('e')))).toBeInstanceOf(GuestGoneError);
    await guest.kill();
  }, 60_000);

  it('that panics ends, and its console says so', async () => {
    const guest = await bootGuest(options());
    await guest.send(Buffer.from('p'));
    expect(await guest.exited).toMatchObject({ code: 0, signal: null });
    expect(scanConsole(guest.console).map((r) => r.kind)).toContain('panic');
  }, 60_000);

  it('that is killed from outside, or falls silent and is killed by us, leaves no process', async () => {
    const [one, two] = await Promise.all([bootGuest(options()), bootGuest(options())]);
    process.kill(one.pid, 'SIGKILL');
    expect(await one.exited).toMatchObject({ code: null, signal: 'SIGKILL' });

    await two.send(Buffer.from('x'));
    // The guest no longer reads: sending must come to wait, and must end when the guest does.
    let waiting = 0;
    const stuck = (async () => {
      for (;;) {
        waiting++;
        await two.send(Buffer.alloc(1 << 20));
      }
    })();
    stuck.catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = waiting;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(waiting).toBe(before);
    await Promise.all([two.kill(), two.kill()]);
    expect(await failure(stuck)).toBeInstanceOf(GuestGoneError);
    expect([alive(one.pid), alive(two.pid)]).toEqual([false, false]);
  }, 60_000);
});

describe('a boot that fails', () => {
  it('a kernel that panics: exit code 125, the console, and what to do', async () => {
    const path = join(dir, 'empty.cpio');
    writeFileSync(path, cpio([]));
    const error = await failure(bootGuest(options({ image: { path } })));
    expect(error).toBeInstanceOf(BootError);
    expect(error).toMatchObject({ exitCode: 125, reason: 'exit' });
    expect((error as BootError).message).toMatch(/panicked while it booted[^]*Kernel panic - not syncing/);
    expect((error as BootError).advice).toMatch(/--append/);
  }, 60_000);

  it('a kernel that does not arrive in time', async () => {
    const error = await failure(bootGuest(options({ bootDeadlineMs: 400 })));
    expect(error).toMatchObject({ name: 'BootError', exitCode: 125, reason: 'deadline' });
    expect((error as BootError).message).toMatch(/within 0\.4 s under TCG/);
  }, 30_000);

  it('an image that is no kernel at all', async () => {
    const path = join(dir, 'garbage');
    writeFileSync(path, 'this is not a kernel\n'.repeat(1000));
    const error = await failure(bootGuest(options({ kernel: { path, release: 'garbage' }, bootDeadlineMs: 4000 })));
    expect((error as Error).message).toMatch(/qemu-system|did not reach/);
    const elf = join(dir, 'elf');
    writeFileSync(elf, fakeElf());
    expect(
      await failure(bootGuest(options({ kernel: { path: elf, release: 'fake' }, bootDeadlineMs: 3000 }))),
    ).toBeInstanceOf(Error);
  }, 30_000);

  it('a file that is gone', async () => {
    expect(await failure(bootGuest(options({ kernel: { path: join(dir, 'absent'), release: 'x' } })))).toBeInstanceOf(
      SetupError,
    );
  });

  it('QEMU is missing', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    const error = await failure(bootGuest(options()));
    vi.unstubAllEnvs();
    expect(error).toBeInstanceOf(SetupError);
    expect((error as SetupError).message).toMatch(/qemu-system-x86_64 is not on the PATH[^]*apt-get install/);
  });

  it('an aborted boot leaves no process', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    await expect(bootGuest(options({ signal: controller.signal }))).rejects.toThrow(/abort/i);
  }, 30_000);
});

describe('no orphan', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
    'after %s to the process that booted it',
    async (signal) => {
      const script = join(dir, `${signal}.ts`);
      writeFileSync(
        script,
        `
      import { bootGuest } from ${JSON.stringify(join(HERE, 'guest.ts'))}
      const guest = await bootGuest(${JSON.stringify({ kernel, image, accel: 'tcg', memoryMiB: 256 })})
      console.log(guest.pid)
    `,
      );
      const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
      const pid = await new Promise<number>((resolve) =>
        child.stdout.once('data', (d: Buffer) => resolve(Number(d.toString()))),
      );
      expect(alive(pid)).toBe(true);
      const end = new Promise((resolve) => child.once('exit', (code, by) => resolve(by ?? code)));
      child.kill(signal);
      expect(await end).toBe(signal);
      expect(await gone(pid)).toBe(true);
    },
    60_000,
  );
});
