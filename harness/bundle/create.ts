/** Makes the evidence bundle of a run. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { formatJson } from '../../oracle/case/json.ts';
import { CASE_VERSION, toJson } from '../../oracle/case/json.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { outputFiles } from '../output/write.ts';
import { buildImage, SetupError } from '../../vm/index.ts';
import type { Kernel } from '../../vm/index.ts';
import { findPinned } from '../../vm/kernels/pinned.ts';
import type { RunOptions } from '../run/options.ts';
import { kernelConfig } from './config.ts';
import { BUNDLE_VERSION, packBundle, sha } from './format.ts';
import type { Manifest } from './format.ts';
import { commit, sourceDigest } from './source.ts';
import type { TarFile } from './tar.ts';

export interface BundleParts {
  /** Where the bundle goes. */
  readonly file: string;
  /** Output directory of the run, as it was named. */
  readonly out: string;
  readonly options: RunOptions;
  readonly result: RunResult;
  readonly kernel: Kernel;
  /** The kernel checks itself (KASAN, lockdep). */
  readonly slow: boolean;
  /** Text of cases.txt; undefined when there are too many. */
  readonly cases: string | undefined;
  /** Consoles that this run wrote. */
  readonly consoles: readonly string[];
}

/** What is in every bundle's name for a file of the user's. */
function plain(n: number, path: string): string {
  return `${String(n + 1).padStart(3, '0')}-${basename(path)
    .replace(/[^\w.-]/g, '_')
    .slice(-60)}`;
}

/** Writes it; returns its SHA-256, hex. @throws SetupError when it cannot be written */
export async function createBundle(parts: BundleParts, log: (line: string) => void): Promise<string> {
  const { options, result, kernel, out } = parts;
  const files: TarFile[] = [];
  const add = (path: string, data: Uint8Array | string): string => {
    files.push({ path, data: typeof data === 'string' ? Buffer.from(data) : data });
    return path;
  };
  for (const [name, text] of outputFiles(result, out)) add(name, text);
  for (const path of parts.consoles) if (existsSync(path)) add(basename(path), readFileSync(path));
  if (parts.cases !== undefined) add('cases.txt', parts.cases);
  const config = await kernelConfig(kernel, log);
  if (config.text === undefined) log(`the kernel's configuration is ${config.source}`);
  else add('kernel/config', config.text);
  const pinned = kernel.source === 'pinned' ? findPinned(kernel.release) : undefined;
  const image = await buildImage();
  if (options.tree !== undefined) {
    for (const [n, path] of (options.tree.patches ?? []).entries())
      add(`kernel/patches/${plain(n, path)}`, readFileSync(path));
    if (existsSync(options.tree.logFile)) add('kernel/build.log', readFileSync(options.tree.logFile));
  }
  const head = await commit();
  const manifest: Omit<Manifest, 'files'> = {
    ringfence_bundle: BUNDLE_VERSION,
    command: result.command,
    seed: result.seed,
    plan: result.plan,
    ...(result.shard === undefined ? {} : { shard: result.shard }),
    ringfence: {
      version: result.versions['ringfence'] ?? 'unknown',
      source_sha256: sourceDigest(),
      ...(head === undefined ? {} : { commit: head }),
    },
    kernel: {
      release: result.kernel.release,
      machine: result.kernel.machine,
      sha256: kernel.sha256,
      append: result.kernel.append,
      ...(pinned === undefined
        ? { file: add(`kernel/${kernel.format === 'elf' ? 'vmlinux' : 'bzImage'}`, readFileSync(kernel.path)) }
        : { pinned: pinned.release, package: `${pinned.package} ${pinned.version}` }),
      config: config.source,
    },
    image: { sha256: image.sha256, runner_sha256: image.runner },
    timeout: options.timeout,
    slow: parts.slow,
    strict: options.strict === true,
    ...(options.expect === undefined
      ? {}
      : { expect: options.expect.files.map(({ file, text }, n) => add(`expect/${plain(n, file)}`, text)) }),
    ...(options.scenarios === undefined
      ? {}
      : {
          cases: options.scenarios.map((scenario, n) =>
            add(
              `cases/${String(n + 1).padStart(3, '0')}.json`,
              `${formatJson({ ringfence: CASE_VERSION, scenario: toJson(scenario) })}\n`,
            ),
          ),
        }),
  };
  if (pinned === undefined && sha(files.find(({ path }) => path === manifest.kernel.file)!.data) !== kernel.sha256)
    throw new SetupError(
      `${kernel.path} is not the kernel any more that was tested.`,
      'It was built again while the run went on; run again.',
    );
  const bytes = packBundle(manifest, files);
  write(parts.file, bytes);
  return sha(bytes);
}

/** Beside its place and then moved there: it is whole or it is not there. */
function write(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const fd = openSync(temporary, 'w');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw unwritable(file, error as Error);
  }
}

function unwritable(file: string, error: Error): SetupError {
  return new SetupError(
    `The bundle ${file} cannot be written: ${error.message}`,
    'Choose another place with --bundle.',
  );
}

/** Finds out before the run whether the bundle can be written after it. @throws SetupError */
export function checkBundlePlace(file: string): void {
  const probe = join(dirname(resolve(file)), `.${basename(file)}.${process.pid}.tmp`);
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    closeSync(openSync(probe, 'w'));
    rmSync(probe);
  } catch (error) {
    throw unwritable(file, error as Error);
  }
}
