/** The commands and their help. */
import * as run from './run.ts';
import * as replay from './replay.ts';
import * as explain from './explain.ts';
import * as rules from './rules.ts';
import * as doctor from './doctor.ts';
import * as bench from './bench.ts';
import * as expect from './expect.ts';
import * as merge from './merge.ts';
import * as report from './report.ts';
import * as verify from './verify.ts';
import * as kconfig from './kconfig.ts';
import * as kernels from './kernels.ts';
import * as matrix from './matrix.ts';

export interface Command {
  readonly help: string;
  run(argv: readonly string[]): Promise<number>;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
  run: { help: run.RUN_HELP, run: run.runCommand },
  fuzz: { help: run.FUZZ_HELP, run: run.fuzzCommand },
  replay: { help: replay.HELP, run: replay.command },
  explain: { help: explain.HELP, run: explain.command },
  rules: { help: rules.HELP, run: rules.command },
  expect: { help: expect.HELP, run: expect.command },
  merge: { help: merge.HELP, run: merge.command },
  report: { help: report.HELP, run: report.command },
  verify: { help: verify.HELP, run: verify.command },
  doctor: { help: doctor.HELP, run: doctor.command },
  bench: { help: bench.HELP, run: bench.command },
  kconfig: { help: kconfig.HELP, run: kconfig.command },
  kernels: { help: kernels.HELP, run: kernels.command },
  matrix: { help: matrix.HELP, run: matrix.command },
};

export const HELP = `ringfence: conformance and fuzzing of io_uring classic-BPF filters and inherited restrictions

  npm run conformance            test the pinned Linux 7.0.13 (about five minutes)
  npx ringfence run [options]    the same, with options
  npx ringfence fuzz [options]   as run, with a new seed and without end, until Ctrl-C
  npx ringfence replay CASE.json run recorded cases on a kernel
  npx ringfence explain FILE     what the rules say of a case or a filter; needs no kernel
  npx ringfence rules            every rule with its source
  npx ringfence matrix           the same scenarios on several kernels, against the rules and each other
  npx ringfence kernels          kernels that can be fetched: list, fetch, verify, remove
  npx ringfence kconfig          the kernel configuration that --linux DIR --build uses
  npx ringfence expect           check expectation files of a gate; propose new entries from a result
  npx ringfence merge DIR...     join the results of shards
  npx ringfence report PATH      KTAP, JUnit or one HTML page from a result that is there
  npx ringfence verify FILE      check an evidence bundle and repeat its run
  npx ringfence doctor           what is installed, which accelerator works, what to do
  npx ringfence bench            rates per suite and the cost of each step
  npx ringfence help COMMAND     the options of a command

Exit codes: 0 conformant; 1 a divergence, crash or hang; 2 usage or set-up; 125 this kernel cannot be tested;
130 interrupted, with what was found so far on disk.
`;
