/** Numbers of the interface as a kernel developer writes them. */
import { OPEN_X86_64 } from './abi.ts';
import type { AbiProfile } from './abi.ts';
import { E } from './constants.ts';

/** A number, not negative, in hexadecimal. */
export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(E).map(([name, value]) => [value as number, `E${name}`]),
);

/** A return value or CQE result: `-EACCES`, or the number. */
export function resultText(value: number): string {
  const name = value < 0 ? ERRNO_NAMES.get(-value) : undefined;
  return name === undefined ? String(value) : `-${name}`;
}

const ACCESS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'];

/** open(2) flags by name; bits without a name in hex. */
export function openFlagsText(flags: bigint, abi: AbiProfile): string {
  const names = Object.entries({ ...OPEN_X86_64, ...abi.open }).sort(([, a], [, b]) => b - a);
  let rest = flags & ~3n;
  const parts = [ACCESS[Number(flags & 3n)]!];
  for (const [name, value] of names) {
    const bits = BigInt(value);
    if ((rest & bits) !== bits) continue;
    parts.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n) parts.push(hex(rest));
  return parts.join('|');
}
