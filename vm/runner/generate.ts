/** `npm run generate`: writes what is made of tables: the runner's headers, and the tables of PROTOCOL.md. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machinesHeader } from '../machine/header.ts';
import { withTables } from '../protocol/describe.ts';
import { protocolHeader } from '../protocol/header.ts';

const VM = fileURLToPath(new URL('..', import.meta.url));

/** Files that are made, by their path below vm/, and what they must say. */
export function generated(): ReadonlyMap<string, string> {
  return new Map([
    ['runner/protocol.h', protocolHeader()],
    ['runner/machines.h', machinesHeader()],
    ['protocol/PROTOCOL.md', withTables(readFileSync(join(VM, 'protocol/PROTOCOL.md'), 'utf8'))],
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of generated()) writeFileSync(join(VM, path), text);
}
