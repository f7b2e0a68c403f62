/** The command line: finds the command, turns every error into a message and an exit code. */
import { writeSync } from 'node:fs';
import { EXIT, RingfenceError, UsageError } from '../../vm/index.ts';
import { setupExit } from './bisect.ts';
import type { Command } from './command.ts';
import { COMMANDS, HELP } from './commands.ts';

/** @throws UsageError when there is none of that name */
function commandOf(name: string): Command {
  const command = COMMANDS.get(name);
  if (command === undefined)
    throw new UsageError(`there is no command "${name}"; commands are ${[...COMMANDS.keys()].join(', ')}`);
  return command;
}

async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const topic = name === 'help' ? rest[0] : undefined;
    process.stdout.write(topic === undefined ? HELP : commandOf(topic).help);
    return name === undefined ? EXIT.usage : EXIT.ok;
  }
  const command = commandOf(name);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(command.help);
    return EXIT.ok;
  }
  return await command.run(rest);
}

// A reader that goes away (ringfence rules | head) is no error, and changes no exit code.
let unprintable: NodeJS.ErrnoException | undefined;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') unprintable ??= error;
  });
}
// Exit code 1 means a divergence: a mistake of our own must not end with it. Guests end with the process.
process.on('uncaughtException', (error) => {
  fail(error);
  process.exit(setupExit(process.argv));
});
process.on('exit', () => {
  if (unprintable === undefined) return;
  try {
    writeSync(2, `ringfence: the output could not be written: ${unprintable.message}\n`);
  } catch {
    // Nobody listens.
  }
  if (process.exitCode === EXIT.ok) process.exitCode = EXIT.usage;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  fail(error);
}
if (process.exitCode === EXIT.usage) process.exitCode = setupExit(process.argv);

/** Every error becomes a message and an exit code here. */
function fail(error: unknown): void {
  if (error instanceof RingfenceError) {
    process.stderr.write(`ringfence: ${error.message}\n`);
    process.exitCode = error.exitCode;
    return;
  }
  const text = error instanceof Error ? error.stack : String(error);
  process.stderr.write(
    `ringfence: this is a mistake in ringfence itself; please report it with the text below.\n${text}\n`,
  );
  process.exitCode = EXIT.usage;
}
