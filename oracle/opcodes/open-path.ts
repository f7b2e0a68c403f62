/** Where the path of an open leads: directories, links, and what openat2(2) forbids on the way. */
import { Open } from '../open-answer.ts';
import { AT_FDCWD, E, RESOLVE } from '../uapi/constants.ts';
import type { Node } from '../world/files.ts';
import { WORLD } from '../world/open.ts';
import { descriptor, unknownFile } from './support.ts';
import type { OpContext } from './types.ts';

/** What is at the end of a path. */
export interface Place {
  /** The path from the scenario's directory, links followed: where something would be made. */
  readonly path: string;
  /** Undefined: nothing, but it could be made. */
  readonly node: Node | undefined;
  /** Every path that was looked at. */
  readonly seen: readonly string[];
}

/** The scenario's own directory, and the guest's root: never made, moved or removed. */
const FIXED: ReadonlyMap<string, Node> = new Map(
  ['.', '/'].map((path) => [path, { type: 'dir', id: `node:${path}`, xattrs: new Map() }]),
);

/** Links on one way; the kernel gives up at 40 (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Follows a path.
 * @param last whether a link at its end is followed too
 * @returns -errno, or why nobody knows, where it leads nowhere
 */
export function walk(c: OpContext, path: string, resolve: bigint, last: boolean, place: Open): Place | number | Open {
  const start = startOf(c, path, resolve);
  if (start !== undefined) return start;
  const seen: string[] = [];
  let at = path;
  for (let links = 0; links <= MAX_LINKS; links++) {
    seen.push(at);
    const found = look(c, at);
    if (typeof found === 'number' || Open.is(found)) return found;
    const { node } = found;
    if (node?.type !== 'symlink' || !last) return { path: at, node, seen };
    if ((resolve & BigInt(RESOLVE.NO_SYMLINKS)) !== 0n) return -E.LOOP;
    if (node.target.startsWith('/') && (resolve & BigInt(RESOLVE.BENEATH)) !== 0n) return -E.XDEV;
    const to = target(at, node.target);
    if (to === undefined) return place;
    at = to;
  }
  return -E.LOOP;
}

/** What the directory that a path starts at makes of it; undefined: it is the working directory, or of no matter. */
function startOf(c: OpContext, path: string, resolve: bigint): number | Open | undefined {
  const absolute = path.startsWith('/');
  const scoped = (resolve & BigInt(RESOLVE.IN_ROOT)) !== 0n;
  if (absolute && (resolve & BigInt(RESOLVE.BENEATH)) !== 0n) return -E.XDEV;
  const { fd } = c.sqe;
  if (fd === AT_FDCWD || (absolute && !scoped)) return undefined;
  const file = descriptor(c, fd);
  if (file === 'closed') return -E.BADF;
  if (file === 'unknown') return WORLD['descriptor.not-ours'];
  if (file.kind === 'dir' || file.kind === 'other') return unknownFile(file);
  return file.kind === 'path' && file.node.type === 'dir' ? unknownFile(file) : -E.NOTDIR;
}

/** What is at a path from the scenario's directory, without following a link at its end. */
function look(c: OpContext, path: string): { readonly node: Node | undefined } | number | Open {
  const fixed = FIXED.get(path);
  if (fixed !== undefined) return { node: fixed };
  const { paths } = c.sandbox.common;
  const slash = path.indexOf('/');
  if (slash >= 0) {
    const parent = paths.get(path.slice(0, slash));
    if (parent === undefined) return -E.NOENT;
    if (parent.type === 'symlink') return WORLD['path.link-on-the-way'];
    if (parent.type !== 'dir') return -E.NOTDIR;
  }
  return { node: paths.get(path) };
}

/** Where a link leads, from the scenario's directory; undefined for what is not a plain name. */
function target(link: string, to: string): string | undefined {
  if (to === '/' || to === '.') return to;
  const plain = to.split('/').every((name) => name !== '' && name !== '.' && name !== '..');
  if (!plain) return undefined;
  const directory = link.lastIndexOf('/');
  return directory < 0 ? to : `${link.slice(0, directory + 1)}${to}`;
}
