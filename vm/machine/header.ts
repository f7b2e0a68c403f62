/** The runner's `machines.h`, as text: numbers and instructions of each architecture. */
import { MACHINES } from './index.ts';
import type { Machine } from './machine.ts';

/** The whole file. Pure. */
export function machinesHeader(): string {
  const parts = MACHINES.map(
    (machine, i) => `#${i === 0 ? 'if' : 'elif'} defined(${machine.runner.macro})\n\n${part(machine)}`,
  );
  return `/*
 * What depends on the architecture. Made by \`npm run generate\` of vm/machine/: change that, not this.
 */
#ifndef RINGFENCE_MACHINES_H
#define RINGFENCE_MACHINES_H

${parts.join('\n\n')}

#else
#error "no machine of vm/machine/ is of this architecture"
#endif

#endif
`;
}

function part({ open, runner }: Machine): string {
  const calls = Object.entries(runner.systemCalls).map(([name, number]) => `\tNR_${name} = ${number},`);
  return [
    ['enum {', ...calls, '};'].join('\n'),
    `#define FLAG_O_DIRECTORY 0x${open.O_DIRECTORY.toString(16)}`,
    runner.stub.trim(),
  ].join('\n\n');
}
