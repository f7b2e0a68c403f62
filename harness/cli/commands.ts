/** The commands, in the order in which they are listed. */
import { BENCH } from './bench.ts';
import type { Command } from './command.ts';
import { COVERAGE } from './coverage.ts';
import { DOCTOR } from './doctor.ts';
import { EXPECT } from './expect.ts';
import { EXPLAIN } from './explain.ts';
import { FINDING } from './finding.ts';
import { KCONFIG } from './kconfig.ts';
import { KERNELS } from './kernels.ts';
import { MATRIX } from './matrix.ts';
import { MERGE } from './merge.ts';
import { REPLAY } from './replay.ts';
import { REPORT } from './report.ts';
import { RULE_LIST } from './rules.ts';
import { FUZZ, RUN } from './run.ts';
import { SENSITIVITY } from './sensitivity.ts';
import { VERIFY } from './verify.ts';

/** All of them, by what is typed. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(
  [
    RUN,
    FUZZ,
    REPLAY,
    EXPLAIN,
    RULE_LIST,
    FINDING,
    MATRIX,
    SENSITIVITY,
    COVERAGE,
    KERNELS,
    KCONFIG,
    EXPECT,
    MERGE,
    REPORT,
    VERIFY,
    DOCTOR,
    BENCH,
  ].map((command) => [command.name, command]),
);

const rows = [
  ['npm run conformance', 'test the pinned Linux 7.0.13 (about five minutes)'],
  ...[...COMMANDS.values()].map(({ name, summary }) => [`npx ringfence ${name}`, summary]),
  ['npx ringfence help COMMAND', 'operands and options of a command, with examples'],
];

/** What `ringfence help` prints. */
export const HELP = `ringfence: conformance and fuzzing of io_uring classic-BPF filters and inherited restrictions

${rows.map(([typed = '', what = '']) => `  ${typed.padEnd(28)}${what}\n`).join('')}
Exit codes: 0 conformant; 1 a divergence, crash or hang; 2 usage or set-up; 125 this kernel cannot be tested;
130 interrupted, with what was found so far on disk.
`;
