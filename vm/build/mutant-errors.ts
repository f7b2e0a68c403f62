/** From a compiler's errors to the mutants they are about. */
import type { Misfit, MutatedFile } from './mutants.ts';

/** `file:line:column: error: text`, and notes that lead to an error's origin. */
const MESSAGE = /^(\S+?):(\d+):(?:(\d+):)? (error|fatal error|note|warning): (.*)$/;
/** Columns to which a tab leads in a compiler's message. */
const TAB = 8;

/** The mutants in whose text a compiler found errors, each with the first of them. Pure. */
export function culprits(log: string, files: ReadonlyMap<string, MutatedFile>): readonly Misfit[] {
  const found = new Map<string, string>();
  let error: string | undefined;
  for (const line of log.split('\n')) {
    const [, path = '', row = '', column, kind, text = ''] = MESSAGE.exec(line) ?? [];
    if (kind === undefined) continue;
    if (kind === 'warning') error = undefined;
    else if (kind !== 'note') error = text;
    if (error === undefined) continue;
    const id = mutantAt(fileOf(path, files), Number(row), column === undefined ? undefined : Number(column));
    if (id === undefined) continue;
    if (!found.has(id)) found.set(id, error);
    // Its notes say nothing new.
    error = undefined;
  }
  return [...found].map(([id, problem]) => ({ id, problem }));
}

function fileOf(path: string, files: ReadonlyMap<string, MutatedFile>): MutatedFile | undefined {
  for (const [name, file] of files) if (path === name || path.endsWith(`/${name}`)) return file;
  return undefined;
}

/** The innermost mutant at a place, or else on its line. */
function mutantAt(file: MutatedFile | undefined, row: number, column: number | undefined): string | undefined {
  if (file === undefined) return undefined;
  const lines = file.text.split('\n');
  const line = lines[row - 1];
  if (line === undefined) return undefined;
  const from = lines.slice(0, row - 1).reduce((sum, { length }) => sum + length + 1, 0);
  const at = from + offsetOf(line, column ?? 1);
  const within = (begin: number, end: number): string | undefined =>
    file.places
      .filter((place) => place.at.from < end && place.at.to > begin)
      .sort((a, b) => a.at.to - a.at.from - (b.at.to - b.at.from))[0]?.id;
  return (column === undefined ? undefined : within(at, at + 1)) ?? within(from, from + line.length);
}

/** The character at a column, counted from 1 as a screen shows them. */
function offsetOf(line: string, column: number): number {
  let shown = 1;
  for (let at = 0; at < line.length; at++) {
    if (shown >= column) return at;
    shown += line[at] === '\t' ? TAB - ((shown - 1) % TAB) : 1;
  }
  return line.length;
}
