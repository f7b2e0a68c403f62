/** Numbers as a kernel developer writes them. */
import type { Allowed } from '../scenario/prediction.ts';
import { hex, resultText } from '../uapi/text.ts';

/** A set of allowed values. */
export function allowedText(allowed: Allowed, text: (value: number) => string = resultText): string {
  if (typeof allowed === 'number') return text(allowed);
  const { values } = allowed;
  if (values === 'any') return 'anything';
  if ('at_least' in values) return `${values.at_least} or more`;
  return values.map(text).join(' or ');
}

/** Small numbers in decimal, others in hex. */
export function plain(value: number): string {
  return value > 0xffff ? hex(value) : String(value);
}

/** Bytes in groups of four, at most `max` of them. */
export function bytesText(bytes: Uint8Array, max = 64): string {
  const shown = Array.from(bytes.subarray(0, max), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${(shown.match(/.{1,8}/g) ?? []).join(' ')}${bytes.length > max ? ' ...' : ''}`;
}

/** "1 step", "2 steps". */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
