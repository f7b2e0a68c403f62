import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { run, runSync, start } from './processes.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-processes-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const ENV = { PATH: process.env['PATH'] };
/** A zombie that nobody has waited for yet is gone, too. */
const alive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

describe.each([
  ['run', run],
  ['runSync', async (...args: Parameters<typeof runSync>) => Promise.resolve(runSync(...args))],
] as const)('%s', (_, either) => {
  it('gives output and exit code, whatever is in the arguments', async () => {
    expect(await either(['printf', '%s|', 'a b', "'$HOME'", '\n', ''])).toEqual({
      ok: true,
      code: 0,
      stdout: "a b|'$HOME'|\n||",
      stderr: '',
    });
    expect(await either(['sh', '-c', 'echo no >&2; exit 3'])).toMatchObject({ ok: false, code: 3, stderr: 'no\n' });
  });

  it('speaks English, in / or where it is told to', async () => {
    vi.stubEnv('LC_ALL', 'de_DE.UTF-8');
    expect((await either(['sh', '-c', 'echo $LC_ALL $X; pwd'], { env: { X: 'y' } })).stdout).toBe('C y\n/\n');
    expect((await either(['pwd'], { cwd: dir })).stdout).toBe(`${dir}\n`);
    vi.unstubAllEnvs();
  });

  it('a program that is missing is one that failed', async () => {
    const result = await either(['ringfence-is-no-program']);
    expect(result).toMatchObject({ ok: false, code: 127 });
    expect(result.stderr).toMatch(/ringfence-is-no-program/);
  });

  it('ends what takes too long', async () => {
    const begun = performance.now();
    expect((await either(['sleep', '20'], { timeoutMs: 100 })).ok).toBe(false);
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it('takes a lot of output', async () => {
    expect((await either(['head', '-c', '3000000', '/dev/zero'])).stdout).toHaveLength(3_000_000);
  });
});

describe('start', () => {
  it('gives the descriptors asked for, and the end after the last byte of all', async () => {
    const program = start(['sh', '-c', 'cat <&4 >&4; echo said; exit 7'], {
      env: ENV,
      stdio: ['ignore', 'pipe', 'pipe', 'ignore', 'pipe'],
    });
    const both = program.stdio[4] as Readable & Writable;
    both.end('to and fro');
    const said = text(program.stdio[1] as Readable);
    expect(await text(both)).toBe('to and fro');
    expect(await said).toBe('said\n');
    expect(await program.ended).toEqual({ code: 7, signal: null });
    program.kill();
  });

  it('has exactly the environment given', async () => {
    const program = start(['sh', '-c', 'echo $RINGFENCE_TEST$LANG.'], { env: ENV, stdio: ['ignore', 'pipe', 'pipe'] });
    vi.stubEnv('RINGFENCE_TEST', 'leaks');
    expect(await text(program.stdio[1] as Readable)).toBe('.\n');
    vi.unstubAllEnvs();
  });

  it('the number is that of the program, and kill takes all that it started along', async () => {
    const program = start(['sh', '-c', 'sleep 50 & echo $$ $!; wait'], { env: ENV, stdio: ['ignore', 'pipe', 'pipe'] });
    const line = await new Promise<string>((resolve) => {
      program.stdio[1]?.once('data', (chunk: Buffer) => resolve(chunk.toString()));
    });
    const [own, child] = line.trim().split(' ').map(Number);
    expect(own).toBe(program.pid);
    program.kill();
    expect(await program.ended).toEqual({ code: null, signal: 'SIGKILL' });
    await vi.waitFor(() => expect([alive(own!), alive(child!)]).toEqual([false, false]));
  });

  it.each(['SIGINT', 'SIGTERM', 'exit'])('nothing is left after %s', async (how) => {
    const script = `
      const { start } = await import(${JSON.stringify(join(import.meta.dirname, 'processes.ts'))});
      const { pid } = start(['sleep', '50'], { env: process.env, stdio: ['ignore', 'pipe', 'pipe'] });
      console.log(pid);
      ${how === 'exit' ? 'process.exit(5)' : ''}
    `;
    const host = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      host.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
    });
    const end = new Promise((resolve) => host.once('exit', (code, signal) => resolve(signal ?? code)));
    if (how !== 'exit') host.kill(how as 'SIGINT');
    expect(await end).toBe(how === 'exit' ? 5 : how);
    await vi.waitFor(() => expect(alive(pid)).toBe(false));
  });
});
