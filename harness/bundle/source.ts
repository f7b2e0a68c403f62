/**
 * Which ringfence this is: a digest over what decides cases, predictions and guests, and the commit of the checkout.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../vm/host/processes.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** What a result depends on; reports and tests are not part of it. */
const PARTS = ['oracle', 'generators', 'vm/runner', 'harness', 'suites/findings', 'package-lock.json'];

/** SHA-256 over names and content, hex. */
export function sourceDigest(): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const bytes = readFileSync(join(ROOT, path));
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  };
  for (const part of PARTS) {
    if (part.endsWith('.json')) {
      add(part);
      continue;
    }
    const names = (readdirSync(join(ROOT, part), { recursive: true }) as string[])
      .filter((name) => /\.(ts|js|c|h|S|json)$/.test(name) && !/\.test\.ts$|(^|\/)testing\//.test(name))
      .sort();
    for (const name of names) add(`${part}/${name}`);
  }
  return hash.digest('hex');
}

/** "4c95378..." or "4c95378...+" with changes; undefined when this is no checkout or git is missing. */
export async function commit(): Promise<string | undefined> {
  try {
    const head = await run(['git', '-C', ROOT, 'rev-parse', 'HEAD']);
    if (!head.ok) return undefined;
    const changes = await run(['git', '-C', ROOT, 'status', '--porcelain', '--untracked-files=no', '--', '.']);
    return `${head.stdout.trim()}${changes.ok && changes.stdout.trim() === '' ? '' : '+'}`;
  } catch {
    return undefined;
  }
}
