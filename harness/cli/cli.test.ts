/** The command line as a user meets it: a process of its own, its exit code, and what it says. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mounting } from '../../oracle/testing/needs.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { toJson } from '../../oracle/case/json.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { FeatureMissing, probeAbi } from '../../oracle/probe/probe.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/ringfence.js', import.meta.url));
const CASE: Scenario = {
  version: 1,
  fixtures: [],
  jit: true,
  steps: [
    { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 },
    { task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 0, user_data: 1n }] },
  ],
};
const WHOLE = JSON.stringify({ ringfence: 1, scenario: toJson(CASE) }, null, 2);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-cli-'));
  writeFileSync(join(dir, 'case.json'), WHOLE);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function ringfence(args: readonly string[], env: Readonly<Record<string, string>> = {}): Said {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 120_000,
  });
  return { code: status, out: stdout, err: stderr };
}

/** Processes whose parent has gone or is `pid`, and that run QEMU for this test's directory. */
function children(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => {
      try {
        return (
          Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${one}/stat`, 'utf8'))?.[1]) === pid &&
          !readFileSync(`/proc/${one}/stat`, 'utf8').includes(') Z ')
        );
      } catch {
        return false;
      }
    });
}

const alive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

describe('usage', () => {
  test.each<readonly [string, string[], RegExp]>([
    ['an unknown command', ['nope'], /there is no command "nope"; commands are run, fuzz/],
    ['a member of every object', ['constructor'], /there is no command "constructor"/],
    ['an unknown option', ['run', '--nope'], /Unknown option '--nope'/],
    ['an unknown suite', ['run', '--suite', 'links,nope'], /there is no suite "nope"; suites are validator, /],
    ['a bad number', ['run', '--cases', '1e3'], /--cases takes a whole number from 1 to \d+, not "1e3"/],
    ['a number out of range', ['run', '--jobs', '0'], /--jobs takes a whole number from 1 to 64, not "0"/],
    ['an option without its value', ['run', '--cases'], /argument missing/],
    ['an unknown accelerator', ['run', '--accel', 'xen'], /--accel is auto, kvm or tcg/],
    ['an argument too many', ['run', 'links'], /Unexpected argument 'links'/],
    ['no case', ['replay'], /replay needs at least one case file/],
    ['no file', ['explain'], /explain needs a file/],
    ['an unknown rule', ['rules', 'zzz'], /no rule's id contains "zzz"/],
    ['mutants of no tree', ['sensitivity'], /sensitivity needs a source tree: add --linux DIR/],
    [
      'an unknown mutant',
      ['sensitivity', '--linux', '.', '--only', 'ctx-user-data-bit-62'],
      /there is no mutant "ctx-user-data-bit-62"; did you mean ctx-user-data-bit-63\?/,
    ],
    [
      'no mutant at all',
      ['sensitivity', '--linux', '.', '--only', 'ctx-user-data-bit-63', '--class', 'crash'],
      /no mutant is left to be tried/,
    ],
    ['an unknown finding', ['finding', 'exec-drop-rules'], /no finding.*did you mean exec-drops-rules\?/],
    [
      'an unknown class',
      ['sensitivity', '--linux', '.', '--class', 'zzz'],
      /there is no class "zzz"; classes are rare/,
    ],
    ['cases of two kinds', ['sensitivity', '--linux', '.', '--quick', '-n', '9'], /--quick and --cases exclude/],
    ['an unknown topic', ['help', 'zzz'], /there is no command "zzz"/],
  ])('%s', (_, args, message) => {
    const { code, out, err } = ringfence(args);
    expect(err).toMatch(message);
    expect(err).toMatch(/npx ringfence help/);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });

  test.each([
    ['help'],
    ['--help'],
    ['help', 'run'],
    ['fuzz', '--help'],
    ['rules', 'bpf.alu'],
    ['explain', 'case.json'],
    ['help', 'sensitivity'],
    ['help', 'coverage'],
    ['finding'],
  ])('%s %s', (...args) => {
    const { code, out, err } = ringfence(args.filter((word) => word !== undefined));
    expect(out.length).toBeGreaterThan(100);
    expect({ code, err }).toEqual({ code: 0, err: '' });
  });
});

test('a finding and a note, each as a mail; the list has both', () => {
  const list = ringfence(['finding']).out;
  for (const [id, head] of [
    ['exec-drops-rules', /^Subject: io_uring: exec-drops-rules\n[^]*promised: [^]*answered: /],
    ['unix-raw-is-datagram', /^Subject: io_uring \(note\): unix-raw-is-datagram\n[^]*no promise is broken/],
  ] as const) {
    expect(ringfence(['finding', id])).toMatchObject({ code: 0, err: '', out: expect.stringMatching(head) });
    expect(list).toMatch(new RegExp(`^  ${id} `, 'm'));
  }
});

describe('case files', () => {
  const finding = (more: object = {}): string =>
    JSON.stringify({ id: 'x', rule: 'op.nop', title: 't', ...more, affected: {}, scenario: toJson(CASE) });
  test.each<readonly [string, () => string, RegExp]>([
    ['corrupt', () => WHOLE.replace(':', ' '), /is not a case file: line 2, column \d+: this is not JSON/],
    ['truncated', () => WHOLE.slice(0, 60), /is not a case file: line \d+, column \d+: the JSON text ends too early/],
    ['empty', () => '', /is not a case file: the file is empty/],
    [
      'of another form',
      () => '{"ringfence": 1, "scenario": {"version": 1, "fixtures": [], "jit": true, "steps": [{"do": "fly"}]}}',
      /scenario\.steps\[0\]\.do: expected one of no_new_privs/,
    ],
    ['a damaged finding', () => finding().replace('"steps"', '"stops"'), /is not a case file: scenario/],
  ])('%s', (name, text, message) => {
    writeFileSync(join(dir, 'bad.json'), text());
    const { code, err } = ringfence(['replay', 'bad.json']);
    expect(err).toMatch(message);
    expect({ name, code }).toEqual({ name, code: 2 });
  });
  test('absent', () =>
    expect(ringfence(['replay', 'absent.json'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('absent.json cannot be read'),
    }));
  test.each([[{}], [{ model: 'm' }]])('a finding is a case, also with the model that earlier ones name: %j', (more) => {
    writeFileSync(join(dir, 'finding.json'), finding(more));
    expect(ringfence(['explain', 'finding.json'])).toEqual(ringfence(['explain', 'case.json']));
  });
});

describe('set-up', () => {
  test('a package that an update brought is not installed', () => {
    const clone = join(dir, 'clone');
    mkdirSync(join(clone, 'harness', 'bin'), { recursive: true });
    copyFileSync(LAUNCHER, join(clone, 'harness', 'bin', 'ringfence.js'));
    const manifest = { type: 'module', dependencies: { 'not-to-be-had': '1.0.0' } };
    writeFileSync(join(clone, 'package.json'), JSON.stringify(manifest));
    const { status, stderr } = spawnSync(process.execPath, [join(clone, 'harness', 'bin', 'ringfence.js')], {
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'ringfence: the packages of this project are not installed.\nType: npm ci\n',
    });
  });
  test('a kernel file that is not a kernel', () => {
    expect(ringfence(['run', '--kernel', 'case.json'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/case\.json is not a kernel[^]*Give arch\/x86\/boot\/bzImage/),
    });
  });
  test('a kernel that cannot be fetched by that name', () => {
    expect(ringfence(['run', '--kernel', '5.4.1'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/Choose one of .*7\.0\.4, /),
    });
  });
  test('QEMU is missing and nothing can install it', () => {
    const bin = join(dir, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    expect(ringfence(['run', '--cases', '1'], { PATH: bin })).toMatchObject({
      code: 2,
      err: expect.stringMatching(/qemu-system-x86_64 is not on the PATH[^]*(?:apt-get install|package manager)/),
    });
  });
  test('no network at the first run', () => {
    const { code, err } = ringfence(['run', '--cases', '1'], {
      RINGFENCE_CACHE: join(dir, 'cache'),
      RINGFENCE_MIRROR: 'http://127.0.0.1:9/',
    });
    expect(err).toMatch(/cannot be reached[^]*RINGFENCE_MIRROR/);
    expect(code).toBe(2);
  });
  test.each(['case.json', '/proc/none', 'case.json/below'])('results cannot go to %s', (out) => {
    expect(ringfence(['run', '--cases', '1', '--out', out])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/cannot be used for the results[^]*--out/),
    });
  });
  test('a kernel that panics at boot', () => {
    const { code, err } = ringfence([
      'run',
      '--cases',
      '1',
      '--accel',
      'tcg',
      '--append',
      'rdinit=/nonexistent init=/nonexistent',
    ]);
    expect(err).toMatch(/panicked while it booted[^]*Kernel panic[^]*--append/);
    expect(code).toBe(125);
  });
  test('a kernel without the feature', async () => {
    const about = { ...ABI_7_0, release: '6.12.0' };
    const observe =
      (registers: number) =>
      async ({ steps }: Scenario) => ({
        steps: steps.map((_, i) => ({ reached: true, returns: [i === 0 ? 0 : registers], cqes: [] })),
      });
    await expect(probeAbi(observe(-22), about)).rejects.toThrow(FeatureMissing);
    await expect(probeAbi(observe(-22), about)).rejects.toThrow(/answers -22: this kernel has no io_uring BPF filters/);
    expect(ABI_7_0.op_last).toBe(65);
  });
});

describe('output', () => {
  test('a reader that goes away is no error', () => {
    const status = `$\{PIPESTATUS[0]}`;
    const said = execFileSync(
      'bash',
      ['-c', `"$0" "$1" rules | head -n 1; echo "${status}"`, process.execPath, LAUNCHER],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    expect(said).toMatch(/\n0\n$/);
  });
  test('a full disk behind stdout is one', () => {
    const said = execFileSync(
      'bash',
      ['-c', '"$0" "$1" rules 2>&1 > /dev/full; echo "$?"', process.execPath, LAUNCHER],
      { encoding: 'utf8' },
    );
    expect(said).toMatch(/could not be written: ENOSPC[^]*\n2\n$/);
  });
  const MOUNT = mounting();
  test.skipIf(MOUNT.missing)(MOUNT.of('a full disk for --out: the verdict is told all the same'), () => {
    const small = join(dir, 'small');
    mkdirSync(small);
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]);
    try {
      spawnSync('dd', ['if=/dev/zero', `of=${join(small, 'ballast')}`, 'bs=1k', 'count=60']);
      const { code, out, err } = ringfence(['replay', 'case.json', '--accel', 'tcg', '--out', join(small, 'out')]);
      expect(out).toMatch(/^CONFORMANT/);
      expect(err).toMatch(
        /could not be written: the disk is full\. Free some space there or choose another place with --out/,
      );
      expect(code).toBe(2);
    } finally {
      spawnSync('umount', [small]);
    }
  });
});

/** Starts a run without end and resolves once answers come. */
async function fuzz(out: string): Promise<{
  readonly pid: number;
  readonly guests: () => number[];
  readonly text: () => string;
  readonly end: Promise<number | NodeJS.Signals | null>;
}> {
  const child = spawn(
    process.execPath,
    [LAUNCHER, 'fuzz', '--suite', 'validator', '--jobs', '1', '--accel', 'tcg', '--out', out],
    { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let text = '';
  const end = new Promise<number | NodeJS.Signals | null>((resolve) =>
    child.once('exit', (code, signal) => resolve(signal ?? code)),
  );
  const running = new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (/ scenarios? /.test(text)) resolve();
      });
  });
  await Promise.race([running, end]);
  return { pid: child.pid!, guests: () => children(child.pid!), text: () => text, end };
}

const read = (path: string): RunResult => JSON.parse(readFileSync(join(dir, path, 'result.json'), 'utf8')) as RunResult;

describe('while it runs', () => {
  test('Ctrl-C: what was found is on disk, exit code 130, no guest is left', async () => {
    const run = await fuzz('once');
    const guests = run.guests();
    expect(guests.length).toBeGreaterThan(0);
    process.kill(run.pid, 'SIGINT');
    // A wrapper may pass on the same Ctrl-C: it still counts as one.
    process.kill(run.pid, 'SIGINT');
    expect(await run.end).toBe(130);
    const result = read('once');
    expect(['interrupted', 'divergent']).toContain(result.verdict);
    expect(result.scenarios).toBeGreaterThan(0);
    expect(run.text()).toMatch(/once more: at once[^]*details: once\/result\.json/);
    expect(guests.filter(alive)).toEqual([]);
  });

  test('Ctrl-C twice: at once, no guest is left, what was found is on disk', async () => {
    const run = await fuzz('twice');
    const guests = run.guests();
    process.kill(run.pid, 'SIGINT');
    const again = setTimeout(() => process.kill(run.pid, 'SIGINT'), 350);
    expect(await run.end).toBe(130);
    clearTimeout(again);
    expect(read('twice').scenarios).toBeGreaterThan(0);
    await expect.poll(() => guests.filter(alive), { timeout: 5000 }).toEqual([]);
  });

  test('QEMU killed: another guest goes on, and it is no crash', async () => {
    const run = await fuzz('killed');
    const [guest] = run.guests();
    expect(realpathSync(readlinkSync(`/proc/${guest}/exe`))).toMatch(/qemu/);
    process.kill(guest!, 'SIGKILL');
    await expect.poll(() => run.guests().find((pid) => pid !== guest), { timeout: 30_000 }).toBeDefined();
    const before = run.text().length;
    await expect.poll(() => / scenarios? /.test(run.text().slice(before)), { timeout: 30_000 }).toBe(true);
    process.kill(run.pid, 'SIGINT');
    expect(await run.end).toBe(130);
    expect(read('killed')).toMatchObject({ crashes: [], hangs: [], runner_errors: [], times: { reboots: 1 } });
  });
});
