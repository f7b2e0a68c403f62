import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ROOT } from '../../oracle/testing/needs.ts';
import { SetupError } from './errors.ts';
import { aptReason, checkRequirements, ensureRequirements, installCommand } from './requirements.ts';

let bin: string;
beforeEach(() => {
  bin = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  vi.stubEnv('PATH', bin);
  // zx starts programs through a shell
  for (const name of ['bash', 'sh', 'env']) symlinkSync(`/usr/bin/${name}`, join(bin, name));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(bin, { recursive: true, force: true });
});

function program(name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/bash\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

const goodQemu = 'echo "QEMU emulator version 10.0.2 (Debian)"';
const failure = async (promise: Promise<void>): Promise<SetupError> =>
  await promise.then(
    () => {
      throw new Error('should have failed');
    },
    (e: unknown) => e as SetupError,
  );

describe('checkRequirements', () => {
  it('is content with a new QEMU and a compiler that works', async () => {
    program('qemu-system-x86_64', goodQemu);
    program('gcc', 'echo "gcc 14"');
    const [qemu, gcc] = await checkRequirements();
    expect(qemu).toMatchObject({ version: '10.0.2 (Debian)' });
    expect([qemu?.problem, gcc?.problem]).toEqual([undefined, undefined]);
  });

  it('names what is wrong: missing, too old, not able to link', async () => {
    expect((await checkRequirements()).map((r) => r.problem)).toEqual([
      'qemu-system-x86_64 is not on the PATH',
      expect.stringMatching(/gcc is not on the PATH/),
    ]);
  });

  it('refuses an old QEMU and a compiler without a linker', async () => {
    program('qemu-system-x86_64', 'echo "QEMU emulator version 6.2.0"');
    program(
      'gcc',
      'case "$*" in *--version*) echo gcc;; *) echo "collect2: fatal error: cannot find ld" >&2; exit 1;; esac',
    );
    expect((await checkRequirements()).map((r) => r.problem)).toEqual([
      'version 6.2.0 is too old; 7.0 or newer is needed',
      expect.stringMatching(/cannot find ld/),
    ]);
  });
});

describe('ensureRequirements', () => {
  it('does nothing when nothing is missing', async () => {
    program('qemu-system-x86_64', goodQemu);
    program('gcc', 'exit 0');
    program('apt-get', `touch ${bin}/called`);
    await ensureRequirements();
    expect(() => readFileSync(join(bin, 'called'))).toThrow();
  });

  it('says what to install where there is no apt-get', async () => {
    const error = await failure(ensureRequirements());
    expect(error).toBeInstanceOf(SetupError);
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(/qemu-system-x86_64 is not[^]*gcc[^]*your system's package manager/);
  });

  it('carries the exact command when it may not install', async () => {
    program('apt-get', 'exit 1');
    const error = await failure(ensureRequirements({ install: false }));
    expect(error.message).toContain(installCommand(['qemu-system-x86', 'gcc']));
  });

  it.skipIf(ROOT.missing)(ROOT.of('as root updates, installs what is missing, and looks again'), async () => {
    program(
      'apt-get',
      [
        `echo "$*" >> ${bin}/log`,
        `case "$*" in *install*) printf '#!/bin/bash\\n%s\\n' '${goodQemu}' > ${bin}/qemu-system-x86_64`,
        `printf '#!/bin/bash\\n' > ${bin}/gcc; /usr/bin/chmod 755 ${bin}/gcc ${bin}/qemu-system-x86_64;; esac`,
      ].join('\n'),
    );
    const lines: string[] = [];
    await ensureRequirements({ log: (l) => lines.push(l) });
    const log = readFileSync(join(bin, 'log'), 'utf8').trim().split('\n');
    expect(log).toHaveLength(2);
    expect(log[0]).toMatch(/ update$/);
    expect(log[1]).toMatch(/DPkg::Lock::Timeout=300.* install -y --no-install-recommends qemu-system-x86 gcc$/);
    expect(lines).toEqual(['installing qemu-system-x86, gcc']);
  });

  it.skipIf(ROOT.missing)(ROOT.of('says why installing failed, with the command'), async () => {
    program('apt-get', 'echo "E: Failed to fetch x  Temporary failure resolving \'m.example\'" >&2; exit 100');
    const error = await failure(ensureRequirements());
    expect(error.message).toMatch(/network or the package mirror cannot be reached/);
    expect(error.message).toContain(installCommand(['qemu-system-x86', 'gcc']));
  });

  it.skipIf(ROOT.missing)(ROOT.of('says so when everything installed and nothing is there'), async () => {
    program('apt-get', 'exit 0');
    expect((await failure(ensureRequirements())).message).toMatch(/After installing[^]*qemu-system-x86_64 is not/);
  });
});

it('writes the command for root and for others', () => {
  expect(installCommand(['a', 'b'], true)).toBe('apt-get update && apt-get install --no-install-recommends a b');
  expect(installCommand(['a'], false)).toBe('sudo apt-get update && sudo apt-get install --no-install-recommends a');
});

it.each([
  ['E: Could not get lock /var/lib/dpkg/lock', /lock/],
  ['E: Unable to locate package qemu-system-x86', /sources do not have/],
  ['E: Write error - write (28: No space left on device)', /disk is full/],
  ['', /no reason/],
])('aptReason: %s', (text, reason) => expect(aptReason(text)).toMatch(reason));
