/** The stream that people read. */
import type { Wishes } from './deliver.ts';

/** Standard output; standard error where a report has standard output to itself. */
export function screenFor({ piped }: Pick<Wishes, 'piped'>): NodeJS.WriteStream {
  return piped ? process.stderr : process.stdout;
}

/** It takes colours, and nobody has asked for none (NO_COLOR). */
export function inColour(screen: NodeJS.WriteStream): boolean {
  return screen.isTTY === true && (process.env['NO_COLOR'] ?? '') === '';
}
