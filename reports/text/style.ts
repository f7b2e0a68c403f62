/** Colours, and numbers and times as people read them. */

/** Paints text, or leaves it alone. */
export interface Style {
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
}

const same = (text: string): string => text;
const sgr =
  (code: number, end: number) =>
  (text: string): string =>
    `\u001b[${code}m${text}\u001b[${end}m`;

/** No colours. */
export const PLAIN: Style = { red: same, green: same, yellow: same, bold: same, dim: same };
/** Colours of a terminal. */
export const COLOUR: Style = {
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
  bold: sgr(1, 22),
  dim: sgr(2, 22),
};

/** 1234567 as "1,234,567". */
export function thousands(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Seconds as "4.2 s", "42 s", "4:05" or "1:04:05". */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** "1 scenario", "2,000 scenarios"; `many` where adding an s is not enough. */
export function counted(value: number, noun: string, many = `${noun}s`): string {
  return `${thousands(value)} ${value === 1 ? noun : many}`;
}

export { wrap } from '../../oracle/explain/wrap.ts';
