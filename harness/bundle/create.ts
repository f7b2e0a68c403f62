/** Makes the evidence bundle of a run. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CASE_VERSION, formatJson, toJson } from '../../oracle/case/json.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { sha256File } from '../../vm/host/cache.ts';
import { makeDirectory, writeFileWhole } from '../../vm/host/files.ts';
import { buildImage, SetupError } from '../../vm/index.ts';
import type { Kernel } from '../../vm/index.ts';
import { findPinned } from '../../vm/kernels/pinned.ts';
import { outputFiles } from '../output/write.ts';
import type { RunOptions } from '../run/options.ts';
import { kernelConfig } from './config.ts';
import { packBundle } from './format.ts';
import type { BundleFile } from './format.ts';
import { BUNDLE_VERSION } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { commit, sourceDigest } from './source.ts';

/** What a bundle is made from. */
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

/** A name in the bundle for the n-th (from 0) file of the user's. */
function plain(n: number, path: string): string {
  const name = basename(path).replace(/[^\w.-]/g, '_');
  return `${String(n + 1).padStart(3, '0')}-${name.slice(-60)}`;
}

/** What has been put into the bundle so far. */
class Contents {
  readonly files: BundleFile[] = [];

  /** Content that is at hand; answers its name. */
  add(path: string, data: Uint8Array | string): string {
    this.files.push({ path, data: typeof data === 'string' ? Buffer.from(data) : data });
    return path;
  }

  /** A file on disk; answers its name. */
  take(path: string, from: string): string {
    this.files.push({ path, from });
    return path;
  }
}

/** Writes it; returns its SHA-256, hex. @throws SetupError when it cannot be written */
export async function createBundle(parts: BundleParts, log: (line: string) => void): Promise<string> {
  const contents = new Contents();
  addResult(contents, parts);
  addTree(contents, parts.options.tree);
  const manifest = await manifestOf(contents, parts, log);
  const hash = createHash('sha256');
  try {
    const bytes = await packBundle(manifest, contents.files);
    const hashed = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        hash.update(chunk);
        yield chunk;
      }
    };
    await writeFileWhole(parts.file, async (file) => await file.writeFile(hashed()));
  } catch (error) {
    throw error instanceof SetupError ? error : unwritable(parts.file, error as Error);
  }
  return hash.digest('hex');
}

function addResult(contents: Contents, { result, out, consoles, cases }: BundleParts): void {
  for (const [name, text] of outputFiles(result, out)) contents.add(name, text);
  for (const path of consoles) if (existsSync(path)) contents.take(basename(path), path);
  if (cases !== undefined) contents.add('cases.txt', cases);
}

/** What a kernel was built with that its tree does not say. */
function addTree(contents: Contents, tree: RunOptions['tree']): void {
  if (tree === undefined) return;
  for (const [n, path] of (tree.patches ?? []).entries())
    contents.add(`kernel/patches/${plain(n, path)}`, readFileSync(path));
  if (existsSync(tree.logFile)) contents.take('kernel/build.log', tree.logFile);
}

async function manifestOf(
  contents: Contents,
  { options, result, kernel, slow }: BundleParts,
  log: (line: string) => void,
): Promise<Omit<Manifest, 'files'>> {
  const config = await kernelConfig(kernel, log);
  if (config.text === undefined) log(`the kernel's configuration is ${config.source}`);
  else contents.add('kernel/config', config.text);
  const image = await buildImage();
  const head = await commit();
  const { command, seed, plan, shard, versions } = result;
  const { release, machine, append } = result.kernel;
  return {
    ringfence_bundle: BUNDLE_VERSION,
    command,
    seed,
    plan,
    ...(shard === undefined ? {} : { shard }),
    ringfence: {
      version: versions['ringfence'] ?? 'unknown',
      source_sha256: sourceDigest(),
      ...(head === undefined ? {} : { commit: head }),
    },
    kernel: {
      release,
      machine,
      sha256: kernel.sha256,
      append,
      ...(await imageOf(contents, kernel)),
      config: config.source,
    },
    image: { sha256: image.sha256, runner_sha256: image.runner },
    timeout: options.timeout,
    slow,
    strict: options.strict === true,
    ...given(contents, options),
  };
}

/** The kernel itself, or how it is fetched. @throws SetupError when it is not the one any more that was tested */
async function imageOf(
  contents: Contents,
  kernel: Kernel,
): Promise<Pick<Manifest['kernel'], 'file' | 'pinned' | 'package'>> {
  const pinned = kernel.source === 'pinned' ? findPinned(kernel.release) : undefined;
  if (pinned !== undefined) return { pinned: pinned.release, package: `${pinned.package} ${pinned.version}` };
  if ((await sha256File(kernel.path)) !== kernel.sha256)
    throw new SetupError(
      `${kernel.path} is not the kernel any more that was tested.`,
      'It was built again while the run went on; run again.',
    );
  return { file: contents.take(`kernel/${kernel.format === 'elf' ? 'vmlinux' : 'image'}`, kernel.path) };
}

/** Expectation files and cases that the run was given. */
function given(contents: Contents, { expect, scenarios }: RunOptions): Pick<Manifest, 'expect' | 'cases'> {
  const files = expect?.files.map(({ file, text }, n) => contents.add(`expect/${plain(n, file)}`, text));
  const cases = scenarios?.map((scenario, n) =>
    contents.add(
      `cases/${String(n + 1).padStart(3, '0')}.json`,
      `${formatJson({ ringfence: CASE_VERSION, scenario: toJson(scenario) })}\n`,
    ),
  );
  return { ...(files === undefined ? {} : { expect: files }), ...(cases === undefined ? {} : { cases }) };
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
    makeDirectory(dirname(resolve(file)));
    closeSync(openSync(probe, 'w'));
    rmSync(probe);
  } catch (error) {
    throw unwritable(file, error as Error);
  }
}
