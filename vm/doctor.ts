/** Data for `ringfence doctor`: what is installed, which accelerator works, what is in the cache. */
import { existsSync } from 'node:fs';
import { access, constants, mkdir, readdir, stat, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import { chooseAccel } from './guest/accel.ts';
import { cacheDir } from './host/cache.ts';
import { RingfenceError } from './host/errors.ts';
import { canFetchKernels, checkRequirements, installCommand } from './host/requirements.ts';
import { buildImage } from './guest/image.ts';
import { fetchKernel, pinnedPath } from './kernels/fetch.ts';
import { DEFAULT_RELEASE, findPinned, PINNED } from './kernels/pinned.ts';
import { kvmAccessible, kvmDevice, privileges } from './guest/qemu.ts';
import { toolVersion } from './host/tools.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `ok`; `warning`: a run works without it; `missing`: a run cannot start. */
  readonly status: 'ok' | 'warning' | 'missing';
  /** What was found. */
  readonly detail: string;
  /** What to do, where there is something to do. */
  readonly advice?: string;
}

/** Everything; `ok` when a run can start. */
export interface Diagnosis {
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const MIN_FREE_MIB = 300;

/**
 * Looks at everything and installs nothing. Tries KVM by a boot when the kernel is already in the cache. Never throws.
 */
export async function doctor(): Promise<Diagnosis> {
  const requirements = await checkRequirements();
  const checks: Check[] = [
    { name: 'Node', status: 'ok', detail: process.version },
    ...requirements.map(
      (r): Check =>
        r.problem === undefined
          ? { name: r.name, status: 'ok', detail: r.version ?? 'found' }
          : {
              name: r.name,
              status: 'missing',
              detail: r.problem,
              advice: `a run installs it when it may, or type: ${installCommand(r.packages)}`,
            },
    ),
  ];
  const runnable = requirements.every((r) => r.problem === undefined);
  checks.push(
    await kernelCheck(),
    await cacheCheck(),
    memoryCheck(),
    await rightsCheck(runnable),
    await accelCheck(runnable),
  );
  return { ok: checks.every((c) => c.status !== 'missing'), checks };
}

async function kernelCheck(): Promise<Check> {
  const name = `kernel ${DEFAULT_RELEASE}`;
  const path = pinnedPath(findPinned(DEFAULT_RELEASE)!);
  if (existsSync(path)) return { name, status: 'ok', detail: `in the cache: ${path}` };
  if (canFetchKernels())
    return { name, status: 'ok', detail: "not in the cache; the first run fetches it from Debian's archive (13 MB)" };
  return {
    name,
    status: 'missing',
    detail: 'not in the cache, and it cannot be fetched: apt-get, dpkg-deb or debian-archive-keyring is missing',
    advice: 'give a kernel with --kernel PATH, or install what is missing',
  };
}

async function cacheCheck(): Promise<Check> {
  const name = 'cache';
  const dir = cacheDir();
  try {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.W_OK);
    const { bavail, bsize } = await statfs(dir);
    const free = Math.floor((bavail * bsize) / 2 ** 20);
    const cached = PINNED.filter((k) => existsSync(pinnedPath(k))).length;
    const detail = `${dir}: ${cached} of ${PINNED.length} kernels, ${await sizeMiB(dir)} MiB used, ${free} MiB free`;
    return free < MIN_FREE_MIB
      ? {
          name,
          status: 'warning',
          detail,
          advice: `free ${MIN_FREE_MIB} MiB there, or set RINGFENCE_CACHE to another directory`,
        }
      : { name, status: 'ok', detail };
  } catch (error) {
    return {
      name,
      status: 'missing',
      detail: `${dir} cannot be used: ${error instanceof Error ? error.message : String(error)}`,
      advice: 'set RINGFENCE_CACHE to a directory that you may write to',
    };
  }
}

async function sizeMiB(dir: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name)).catch(() => ({ size: 0 }))).size;
  }
  return Math.round(bytes / 2 ** 20);
}

function memoryCheck(): Check {
  const free = Math.floor(freemem() / 2 ** 20);
  return free < 1024
    ? {
        name: 'memory',
        status: 'warning',
        detail: `${free} MiB free; two guests take about 800`,
        advice: 'use --jobs 1',
      }
    : { name: 'memory', status: 'ok', detail: `${free} MiB free` };
}

async function rightsCheck(runnable: boolean): Promise<Check> {
  const name = 'rights of QEMU';
  if (!runnable) return { name, status: 'warning', detail: 'unknown until QEMU is there' };
  const { summary } = await privileges('tcg');
  const root = /as root/.test(summary);
  return {
    name,
    status: root ? 'warning' : 'ok',
    detail: `${summary}, without network, with its sandbox (${toolVersion('setpriv').replace(/^setpriv from /, '')})`,
  };
}

async function accelCheck(runnable: boolean): Promise<Check> {
  const name = 'accelerator';
  const device =
    kvmDevice() === undefined
      ? 'there is no /dev/kvm'
      : kvmAccessible()
        ? '/dev/kvm can be opened'
        : '/dev/kvm may not be opened';
  if (!runnable || !existsSync(pinnedPath(findPinned(DEFAULT_RELEASE)!))) {
    return {
      name,
      status: 'ok',
      detail: `${device}; the first run finds out whether it works, and uses TCG otherwise`,
    };
  }
  try {
    const choice = await chooseAccel('auto', { kernel: await fetchKernel(), image: await buildImage() });
    return choice.accel === 'kvm'
      ? { name, status: 'ok', detail: choice.reason }
      : { name, status: 'warning', detail: choice.reason, advice: 'TCG gives the same answers, several times slower' };
  } catch (error) {
    return { name, status: 'warning', detail: error instanceof RingfenceError ? error.message : String(error) };
  }
}
