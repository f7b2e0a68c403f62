/** manifest.json: what a bundle is made of, and what it was made with. */
import { always, count, flag, list, maybe, record, text } from '../../reports/data/schema.ts';
import type { Data } from '../../reports/data/schema.ts';
import { dataFault } from '../../reports/data/fault.ts';
import { PLAN, SHARD } from '../../reports/data/result.ts';

/** Of the form that this program writes and reads. */
export const BUNDLE_VERSION = 1;
/** Its place in a bundle: the first file. */
export const MANIFEST = 'manifest.json';

const HEX = { pattern: '^[0-9a-f]*$' };

const SCHEMA = record(
  {
    ringfence_bundle: always(BUNDLE_VERSION),
    command: text('Command line of the run'),
    seed: count('Seed of the run'),
    plan: PLAN,
    shard: maybe(SHARD),
    ringfence: record({
      version: text(),
      source_sha256: text(
        'Over everything that decides which cases are drawn, what is predicted and how a guest runs them',
        HEX,
      ),
      commit: maybe(text('Commit of the checkout, with "+" when it was changed; absent outside a checkout')),
    }),
    kernel: record({
      release: text(),
      machine: text(),
      sha256: text('', HEX),
      append: text(),
      pinned: maybe(text('Release to fetch; absent: the image is in the bundle')),
      package: maybe(text('Debian package that holds it')),
      file: maybe(text('File in the bundle; absent: a pinned kernel')),
      config: text('Where its configuration is from, or why there is none'),
    }),
    image: record({ sha256: text(), runner_sha256: text() }, "The guest's runner"),
    timeout: count('Seconds a guest may take to boot or be silent'),
    slow: flag('The kernel checks itself and needs more time and memory'),
    strict: flag('As --strict'),
    expect: maybe(list(text(), 'Expectation files, in order; absent: the built-in findings')),
    cases: maybe(list(text(), 'Cases that were given, in order; absent: drawn from the seed')),
    files: list(record({ path: text(), size: count(), sha256: text('', HEX) }), 'Every other file in the bundle'),
  },
  'manifest.json of an evidence bundle',
);

/** What manifest.json says. */
export type Manifest = Data<typeof SCHEMA>;

/** One that came from somewhere. @param fault the error to throw, of what is wrong with it as the end of a sentence */
export function readManifest(value: unknown, fault: (why: string) => Error): Manifest {
  const version = (value as { readonly ringfence_bundle?: unknown } | null)?.ringfence_bundle;
  if (version !== BUNDLE_VERSION)
    throw fault(`it has version ${JSON.stringify(version)}, and this program reads ${BUNDLE_VERSION}`);
  const wrong = dataFault(SCHEMA, value);
  if (wrong !== undefined) throw fault(wrong);
  const manifest = value as Manifest;
  const { kernel, files, expect = [], cases = [] } = manifest;
  const listed = new Set(files.map(({ path }) => path));
  const named = [...expect, ...cases, ...(kernel.pinned === undefined ? [kernel.file ?? 'the kernel'] : [])];
  const missing = named.find((path) => !listed.has(path));
  if (missing !== undefined) throw fault(`it names ${missing}, and does not list it`);
  return manifest;
}
