/**
 * Downloads one package through apt with lists, cache and sources of its own, so that the machine's
 * apt set-up is neither used up nor changed, while apt still checks the archive's signature.
 */
import { chmod, chown, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { anyOf } from '../host/any-of.ts';
import { hasCode, SetupError, temporarySpace } from '../host/errors.ts';
import { uidOf } from '../host/accounts.ts';
import type { ToolResult } from '../host/processes.ts';
import { run } from '../host/processes.ts';
import { which } from '../host/tools.ts';
import type { PinnedKernel } from './pinned.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DEBIAN_RELEASES = anyOf(
  /^(?:oldoldstable|oldstable|stable|testing|unstable|experimental)(?:-updates|-backports|-proposed-updates)?\/?$/,
  /^(?:sid|buster|bullseye|bookworm|trixie|forky|duke)(?:-updates|-backports|-proposed-updates)?\/?$/,
);
const UNREACHABLE = anyOf(
  /Could not resolve|Temporary failure resolving|Could not connect|Connection (?:failed|timed out|refused)/i,
  /Unable to connect|Network is unreachable|connection timed out|502 |503 |504 |407 /i,
);
const GONE = anyOf(
  /404 |Unable to locate package|was not found|does not have a Release file|no longer has a Release file/i,
  /Unable to find|Can't find a source/i,
);

/** Milliseconds between a 404 and the second try. */
const AGAIN_MS = 3000;

/** Why a download failed, as far as one can tell. */
export type FetchFailure = 'network' | 'missing' | 'signature' | 'other';

/** A download that failed; `kind` tells whether trying another kernel can help (`missing`). */
export class FetchError extends SetupError {
  readonly kind: FetchFailure;
  constructor(kind: FetchFailure, what: string, advice: string) {
    super(what, advice);
    this.kind = kind;
  }
}

/**
 * Addresses of Debian mirrors: `RINGFENCE_MIRROR` alone when it is set, otherwise those that this machine's own apt
 * uses for Debian's main archive, in apt's order.
 * @throws SetupError when there is none
 */
export async function debianMirrors(env: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const given = env['RINGFENCE_MIRROR'];
  if (given) return [given.replace(/\/+$/, '')];
  const advice =
    'Set RINGFENCE_MIRROR to the address of a Debian mirror (the directory that holds dists/ and pool/), ' +
    'or give a kernel of your own with --kernel PATH.';
  if (!which('apt-get', env))
    throw new SetupError("Kernels are fetched from Debian's archive with apt-get, and this machine has none.", advice);
  const targets = await run([
    'apt-get',
    'indextargets',
    '--format',
    '$(SITE)\t$(RELEASE)\t$(COMPONENT)',
    'Created-By: Packages',
  ]);
  const sites = mirrorsOf(targets.stdout);
  if (sites.length === 0) throw new SetupError("apt on this machine knows no mirror of Debian's main archive.", advice);
  return sites;
}

/** The mirrors in the output of `apt-get indextargets` (site, release, component per line). Pure. */
export function mirrorsOf(indextargets: string): string[] {
  const sites = new Set<string>();
  for (const line of indextargets.split('\n')) {
    const [site, release, component] = line.split('\t');
    if (!site || !release || component !== 'main') continue;
    if (!DEBIAN_RELEASES.test(release) || site.startsWith('cdrom:') || /debian-(?:security|debug|ports)/.test(site))
      continue;
    sites.add(site.replace(/\/+$/, ''));
  }
  return [...sites];
}

/** Sorts a failed apt run by its messages. Pure. */
export function failureKind(text: string): FetchFailure {
  if (/No space left on device|don't have enough free space/i.test(text)) return 'other';
  if (/NO_PUBKEY|is not signed|invalid signature|EXPKEYSIG|BADSIG|REVKEYSIG|Hash Sum mismatch/i.test(text))
    return 'signature';
  if (UNREACHABLE.test(text)) return 'network';
  if (GONE.test(text)) return 'missing';
  return 'other';
}

/**
 * Downloads the package of a pinned kernel and hands its bytes to `use`, then forgets it.
 * @throws FetchError when no mirror gives it, SetupError when there is no mirror or no space
 */
export async function withDeb<T>(
  kernel: PinnedKernel,
  log: (line: string) => void,
  use: (deb: string) => Promise<T>,
): Promise<T> {
  const mirrors = await debianMirrors();
  if (!existsSync(KEYRING)) {
    throw new SetupError(
      `${KEYRING} is missing, so Debian's signature cannot be checked.`,
      'Install it: apt-get install debian-archive-keyring',
    );
  }
  const root = await mkdtemp(join(tmpdir(), 'ringfence-apt-'));
  try {
    let last: FetchError | undefined;
    for (const mirror of mirrors) {
      try {
        return await use(await download(root, mirror, kernel, log));
      } catch (error) {
        if (!(error instanceof FetchError)) throw error;
        last = error;
        if (mirrors.length > 1) log(`${mirror}: ${error.message.split('\n')[0]}`);
      }
    }
    throw last ?? new Error('there was no mirror to try');
  } catch (error) {
    throw hasCode(error, 'ENOSPC') ? temporarySpace(tmpdir()) : error;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function download(
  root: string,
  mirror: string,
  kernel: PinnedKernel,
  log: (line: string) => void,
): Promise<string> {
  const options = await privateApt(root, mirror, kernel.suite, kernel.machine.debArch);
  log(`reading Debian's ${kernel.suite} index`);
  const update = await run(['apt-get', ...options, 'update']);
  const get = async () =>
    run(['apt-get', ...options, 'download', `${kernel.package}=${kernel.version}`], { cwd: join(root, 'out') });
  const index = failureKind(update.stderr);
  // Without an index "no such package" would be all that the download could say.
  if (index === 'network' || index === 'signature') throw explain(outcome(update), mirror, kernel);
  log(`downloading ${kernel.package} ${kernel.version}`);
  let result = await get();
  // The index names files that the mirror answers with 404 now and then: once more, a moment later.
  if (!result.ok && failureKind(result.stderr) === 'missing' && update.ok && /404 /.test(result.stderr)) {
    log(`the mirror does not find the file that its index names; asking once more in ${AGAIN_MS / 1000} s`);
    await delay(AGAIN_MS);
    result = await get();
  }
  const deb = (await readdir(join(root, 'out'))).find((name) => name.endsWith('.deb'));
  if (result.ok && deb) return join(root, 'out', deb);
  throw explain(`${outcome(update)}\n${result.stderr}`, mirror, kernel);
}

/** Messages of a run of apt: its errors, and those of its progress lines that name one. */
function outcome(result: ToolResult): string {
  return `${result.stderr}\n${result.stdout
    .split('\n')
    .filter((l) => l.startsWith('Err:'))
    .join('\n')}`;
}

function explain(text: string, mirror: string, kernel: PinnedKernel): SetupError {
  const said = text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => /^(?:E:|W:|Err:)/.test(l) && !/^E: Couldn't find any package|^W: Some index files/.test(l))
    .slice(0, 6)
    .join('\n');
  const tail = said === '' ? '' : `\napt said:\n${said}`;
  if (/No space left on device|enough free space/i.test(text)) return temporarySpace(tmpdir());
  const own = 'give a kernel of your own with --kernel PATH';
  const kind = failureKind(text);
  switch (kind) {
    case 'network':
      return new FetchError(
        kind,
        `Linux ${kernel.release} could not be fetched: the Debian mirror ${mirror} cannot be reached.${tail}`,
        `Check the network (and http_proxy), set RINGFENCE_MIRROR to another Debian mirror, or ${own}.`,
      );
    case 'missing':
      return new FetchError(
        kind,
        `Linux ${kernel.release} could not be fetched: ` +
          `${mirror} no longer has ${kernel.package} ${kernel.version} in ${kernel.suite}.${tail}`,
        `Choose another release, set RINGFENCE_MIRROR to a mirror or an archive that still has it, or ${own}.`,
      );
    case 'signature':
      return new FetchError(
        kind,
        `Linux ${kernel.release} could not be fetched: the signature or checksum of ${mirror} is wrong.${tail}`,
        `Update the package debian-archive-keyring, set RINGFENCE_MIRROR to another mirror, or ${own}.`,
      );
    default:
      return new FetchError(
        kind,
        `Linux ${kernel.release} could not be fetched from ${mirror}.${tail}`,
        `Put right what apt says, or ${own}.`,
      );
  }
}

async function privateApt(root: string, mirror: string, suite: string, debArch: string): Promise<string[]> {
  const dirs = ['lists/partial', 'cache/archives/partial', 'parts', 'state', 'out'];
  for (const dir of dirs) await mkdir(join(root, dir), { recursive: true });
  await rm(join(root, 'lists'), { recursive: true }).then(() =>
    mkdir(join(root, 'lists/partial'), { recursive: true }),
  );
  // When root runs apt, apt downloads as the user _apt, who must reach these directories.
  await chmod(root, 0o755);
  if (process.getuid?.() === 0) {
    const uid = await uidOf('_apt');
    if (uid !== undefined) await chown(join(root, 'out'), uid, 0);
  }
  await writeFile(join(root, 'sources.list'), `deb [arch=${debArch} signed-by=${KEYRING}] ${mirror} ${suite} main\n`);
  const settings: Record<string, string> = {
    'Dir::State': join(root, 'state'),
    'Dir::State::Lists': join(root, 'lists'),
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(root, 'cache'),
    'Dir::Etc::sourcelist': join(root, 'sources.list'),
    'Dir::Etc::sourceparts': join(root, 'parts'),
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': join(root, 'parts'),
    'APT::Architecture': debArch,
    'APT::Architectures': debArch,
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Acquire::http::Timeout': '30',
    'Acquire::https::Timeout': '30',
    'Acquire::PDiffs': 'false',
    'Debug::NoLocking': '1',
  };
  return ['-q', ...Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])];
}
