/** Live progress: one line that is overwritten on a terminal, a plain line every ten seconds elsewhere. */
import type { Progress } from '../data/progress.ts';
import { COLOUR, counted, duration, PLAIN, thousands } from './style.ts';
import type { Style } from './style.ts';

/** What progress is written to; process.stderr is one. */
export interface ProgressStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** What progress depends on. */
export interface ProgressOptions {
  /** Environment; NO_COLOR (not empty) turns colour off, TERM=dumb makes it plain. Default process.env. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** Milliseconds between two plain lines, and between two redraws on a terminal. */
const PLAIN_MS = 10_000;
const REDRAW_MS = 100;

/** Progress as a run tells it. */
export interface ProgressReport {
  /** A line of its own, such as what is being prepared. */
  note(text: string): void;
  update(progress: Progress): void;
  /** Removes the live line (terminal) or prints the last state (plain). */
  end(): void;
}

/** Progress on a stream; all methods are cheap and may be called often. */
export function createProgress(
  stream: ProgressStream,
  { env = process.env, now = () => performance.now() }: ProgressOptions = {},
): ProgressReport {
  const live = stream.isTTY === true && env['TERM'] !== 'dumb';
  const style = live && (env['NO_COLOR'] ?? '') === '' ? COLOUR : PLAIN;
  let shown = '';
  let last: Progress | undefined;
  let printed: Progress | undefined;
  let at = -Infinity;

  const draw = (): void => {
    if (last === undefined) return;
    const line = progressLine(last, (stream.columns ?? 80) - 1, style);
    if (line !== shown) stream.write(`\r${line}\u001b[K`);
    shown = line;
  };
  const clear = (): void => {
    if (shown !== '') stream.write('\r\u001b[K');
    shown = '';
  };
  const print = (progress: Progress): void => {
    stream.write(`${progressLine(progress, Infinity, PLAIN)}\n`);
    printed = progress;
  };

  return {
    note(text) {
      if (live) clear();
      stream.write(`${text}\n`);
      if (live) draw();
    },
    update(progress) {
      last = progress;
      const time = now();
      const finished = progress.scenarios >= progress.total;
      if (time - at < (live ? REDRAW_MS : PLAIN_MS) && !(live && finished)) return;
      at = time;
      if (live) draw();
      else print(progress);
    },
    end() {
      if (live) clear();
      else if (last !== undefined && last !== printed) print(last);
      last = undefined;
    },
  };
}

/** One line of progress, at most `width` columns wide: the least important parts give way. */
export function progressLine(progress: Progress, width: number, style: Style): string {
  const { scenarios, total, elapsed_s, outcomes, outcomes_per_s, known, divergences, crashes, hangs, suite } = progress;
  const endless = !Number.isFinite(total);
  const share = endless || total === 0 ? undefined : Math.min(1, scenarios / total);
  const left = share === undefined || share === 0 || share >= 1 ? undefined : (elapsed_s / share) * (1 - share);
  // [text, importance]: the parts with the lowest importance are dropped first.
  const parts: (readonly [text: string, importance: number, paint?: (text: string) => string])[] = [];
  if (share !== undefined) parts.push([`${String(Math.floor(share * 100)).padStart(3)}%`, 9]);
  parts.push([endless ? counted(scenarios, 'scenario') : `${thousands(scenarios)}/${thousands(total)} scenarios`, 6]);
  parts.push([counted(outcomes, 'answer'), 5]);
  parts.push([`${thousands(outcomes_per_s)}/s`, 3]);
  parts.push([duration(elapsed_s), 4]);
  if (left !== undefined && elapsed_s >= 5) parts.push([`${duration(left)} left`, 2]);
  if (known > 0) parts.push([`known ${thousands(known)}`, 7, style.yellow]);
  if (divergences > 0) parts.push([`DIVERGENT ${thousands(divergences)}`, 10, style.red]);
  if (crashes > 0) parts.push([`CRASHES ${thousands(crashes)}`, 11, style.red]);
  if (hangs > 0) parts.push([`HANGS ${thousands(hangs)}`, 10, style.red]);
  if (suite !== '') parts.push([suite, 1, style.dim]);
  const size = (): number => parts.reduce((sum, [text]) => sum + text.length, 2 * (parts.length - 1));
  while (parts.length > 1 && size() > width) {
    const least = parts.reduce((lowest, part) => (part[1] < lowest[1] ? part : lowest));
    parts.splice(parts.indexOf(least), 1);
  }
  const text = parts.map(([part, , paint]) => (paint === undefined ? part : paint(part))).join('  ');
  return size() > width ? parts[0]![0].slice(0, Math.max(0, width)) : text;
}
