/** ringfence kernels: lists, fetches, verifies and removes the kernels that can be tested without building one. */
import { formatKernels, mebibytes } from '../../reports/text/kernels.ts';
import { counted } from '../../reports/text/style.ts';
import { cacheDir } from '../../vm/host/cache.ts';
import { FetchError } from '../../vm/kernels/apt.ts';
import { cached, inventory, removeCached, removeUnpackedFiles, unpackedFiles } from '../../vm/kernels/inventory.ts';
import { DEFAULT_RELEASE, EXIT, fetchKernel, PINNED, UsageError } from '../../vm/index.ts';
import type { PinnedKernel } from '../../vm/index.ts';
import { findPinned } from '../../vm/kernels/pinned.ts';
import { command } from './command.ts';
import { flag } from './option.ts';

/** ringfence kernels. */
export const KERNELS = command({
  name: 'kernels',
  summary: 'kernels that can be fetched: list, fetch, verify, remove',
  about: 'the kernels that can be tested without building one',
  operands: {
    usage: '[ACTION] [RELEASE...]',
    least: 0,
    most: 1000,
    help: [
      ['list', 'every kernel that can be fetched, and what the cache holds of it; this is the default'],
      ['fetch RELEASE...|all', "fetches them from Debian's archive; what is there and whole is left alone"],
      [
        'verify [RELEASE...]',
        'reads what the cache holds and compares it with the pinned SHA-256; exit code 2 when one is damaged',
      ],
      ['remove RELEASE...', 'frees their space; "all" takes all, "files" unpacked copies of kernel files of your own'],
      ['path RELEASE', 'fetches it if need be and prints where its image is, for other tools'],
      ['RELEASE', 'such as 7.3.4; several may be named, also joined by commas'],
    ],
  },
  options: { json: flag('with list: as JSON') },
  notes: `
Every kernel is pinned by content: the package as Debian signed it and the image inside it, both by SHA-256. The
mirror is the one this machine's apt uses, or RINGFENCE_MIRROR; the cache is RINGFENCE_CACHE, or ~/.cache/ringfence.
A mirror may have lost a package that its index still names (404): it is asked twice, and the others are fetched all
the same. A run without --kernel then takes the nearest release of the same series and says so. Kernels "without the
feature" show in a matrix as unsupported.`,
  examples: [
    ['npx ringfence kernels fetch 7.0.13 7.3.4', ''],
    ['npx ringfence matrix --kernels all', ''],
    ['npx ringfence run --kernel 7.3.4', ''],
  ],
  run: async ({ json }, [action = 'list', ...names]) => {
    if (json && action !== 'list') throw new UsageError('--json goes with "kernels list"');
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (act === undefined)
      throw new UsageError(`there is no "kernels ${action}"; there are list, fetch, verify, remove and path`);
    return await act(names, json);
  },
});

const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** What each action does with the words behind it; answers the exit code. */
const ACTIONS: Readonly<Record<string, (names: readonly string[], json: boolean) => Promise<number>>> = {
  list: async (names, json) => {
    if (names.length > 0) throw new UsageError('"kernels list" takes no release; it lists all');
    return await list(json);
  },
  fetch: async (names) => await fetchAll(releases('fetch', names)),
  verify: async (names) =>
    await verify(names.length === 0 ? PINNED : releases('verify', names), names.length > 0 && names[0] !== 'all'),
  remove: async (names) => await remove(names),
  path: async (names) => {
    const [kernel, more] = releases('path', names);
    if (more !== undefined) throw new UsageError('"kernels path" takes one release');
    process.stdout.write(`${(await fetchKernel(kernel!.release, { log: say })).path}\n`);
    return EXIT.ok;
  },
};

/** Releases that were named. @throws UsageError for none, or one that there is not */
function releases(action: string, names: readonly string[]): readonly PinnedKernel[] {
  const wanted = names
    .flatMap((name) => name.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (wanted.length === 0)
    throw new UsageError(`"kernels ${action}" needs a release${action === 'path' ? '' : ', or "all"'}`);
  if (wanted.includes('all') && action !== 'path') return PINNED;
  return wanted.map((name) => {
    const kernel = findPinned(name);
    if (kernel === undefined)
      throw new UsageError(
        `there is no kernel ${name} to fetch; there are ${PINNED.map(({ release }) => release).join(', ')}`,
      );
    return kernel;
  });
}

async function list(json: boolean): Promise<number> {
  const rows = (await inventory()).map(({ kernel, state, bytes, path }) => ({
    release: kernel.release,
    state,
    bytes,
    sha256: kernel.vmlinux,
    origin: `Debian ${kernel.suite} ${kernel.package} ${kernel.version}`,
    feature: kernel.feature,
    is_default: kernel.release === DEFAULT_RELEASE,
    path,
  }));
  const { count, bytes } = await unpackedFiles();
  process.stdout.write(
    json
      ? `${JSON.stringify(rows, null, 2)}\n`
      : formatKernels(rows, { dir: cacheDir(), files: count, file_bytes: bytes }),
  );
  return EXIT.ok;
}

/** One that cannot be had does not keep the others away. Without a network there is no point in going on. */
async function fetchAll(kernels: readonly PinnedKernel[]): Promise<number> {
  const failed: string[] = [];
  for (const { release } of kernels) {
    try {
      const { path, sha256 } = await fetchKernel(release, { log: say });
      process.stdout.write(`${release}: verified, ${sha256}, ${path}\n`);
    } catch (error) {
      if (!(error instanceof FetchError) || (error.kind !== 'missing' && error.kind !== 'other')) throw error;
      failed.push(release);
      say(error.message);
    }
  }
  if (failed.length === 0) return EXIT.ok;
  say(`ringfence: ${failed.length} of ${kernels.length} could not be fetched: ${failed.join(', ')}`);
  return EXIT.usage;
}

async function verify(kernels: readonly PinnedKernel[], named: boolean): Promise<number> {
  let bad = 0;
  let seen = 0;
  for (const kernel of kernels) {
    const { state, sha256, path } = await cached(kernel);
    if (state === 'absent') {
      if (named) process.stdout.write(`${kernel.release}: not fetched\n`);
      continue;
    }
    seen++;
    if (state === 'damaged') bad++;
    process.stdout.write(
      state === 'verified'
        ? `${kernel.release}: verified, ${sha256}\n`
        : `${kernel.release}: DAMAGED, ${path} has ${sha256}, expected ${kernel.vmlinux}; it will be fetched again\n`,
    );
  }
  if (seen === 0) process.stdout.write('no kernel is in the cache; "npx ringfence kernels fetch all" gets them\n');
  return bad > 0 ? EXIT.usage : EXIT.ok;
}

async function remove(names: readonly string[]): Promise<number> {
  const files = names.includes('files') || names.includes('all');
  const kernels =
    names.every((name) => name === 'files') && names.length > 0
      ? []
      : releases(
          'remove',
          names.filter((name) => name !== 'files'),
        );
  let freed = 0;
  let count = 0;
  for (const kernel of kernels) {
    const bytes = await removeCached(kernel);
    freed += bytes;
    if (bytes > 0) count++;
  }
  const { bytes } = await unpackedFiles();
  const copies = files ? await removeUnpackedFiles() : 0;
  if (files) freed += bytes;
  const unpacked = copies > 0 ? ` and ${counted(copies, 'unpacked file')}` : '';
  process.stdout.write(`removed ${counted(count, 'kernel')}${unpacked}: ${mebibytes(freed)}\n`);
  return EXIT.ok;
}
