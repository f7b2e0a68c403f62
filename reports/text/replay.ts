/** Where a run's files lie and the commands that go with them. */

/** File of the n-th (from 0) divergence, crash, hang or unconfirmed case below the output directory, with `/`. */
export function caseFile(
  kind: 'divergences' | 'crashes' | 'hangs' | 'unconfirmed',
  n: number,
  extension: 'json' | 'txt' = 'json',
): string {
  return `${kind}/${String(n + 1).padStart(3, '0')}.${extension}`;
}

/** A word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[\w./,:=+@%-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A path below `out` as typed in a command. */
export function below(out: string, file: string): string {
  return quoted(`${out.replace(/\/+$/, '')}/${file}`);
}

/** The command that runs a case file below `out`. */
export function replayCommand(out: string, file: string): string {
  return `npx ringfence replay ${below(out, file)}`;
}

/** The command that says what the rules say of it. */
export function explainCommand(out: string, file: string): string {
  return `npx ringfence explain ${below(out, file)}`;
}
