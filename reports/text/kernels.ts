/** The text of `ringfence kernels`. */
import { counted } from './style.ts';

/** One kernel that can be fetched. */
export interface KernelLine {
  readonly release: string;
  readonly state: 'absent' | 'verified' | 'damaged';
  /** Size of the unpacked image, bytes. */
  readonly bytes: number;
  /** SHA-256 that the image has to have, hex. */
  readonly sha256: string;
  /** Debian suite, package and version. */
  readonly origin: string;
  /** Whether it has io_uring BPF filters. */
  readonly feature: boolean;
  readonly is_default: boolean;
}

const STATES = { absent: 'not fetched', verified: 'verified', damaged: 'DAMAGED' } as const;

/** Bytes as whole mebibytes. */
export function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1048576)} MiB`;
}

/** One line per kernel, then what the cache holds in all. */
export function formatKernels(
  lines: readonly KernelLine[],
  cache: { readonly dir: string; readonly files: number; readonly file_bytes: number },
): string {
  const rows = lines.map((line) => [
    line.release,
    STATES[line.state],
    line.state === 'absent' ? '' : mebibytes(line.bytes),
    line.sha256.slice(0, 16),
    line.origin,
    [line.is_default ? 'the default' : '', line.feature ? '' : 'without the feature']
      .filter((text) => text !== '')
      .join(', '),
  ]);
  const head = ['release', 'cache', 'size', 'sha256', 'origin', ''];
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const print = (row: readonly string[]): string =>
    row
      .map((text, i) => (i === 2 ? text.padStart(widths[i]!) : text.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const there = lines.filter(({ state }) => state !== 'absent');
  const total = there.reduce((sum, { bytes }) => sum + bytes, 0);
  const own = `, and ${counted(cache.files, 'unpacked file')} of your own: ${mebibytes(cache.file_bytes)}`;
  const sum = `${there.length} of ${counted(lines.length, 'kernel')} in ${cache.dir}: ${mebibytes(total)}`;
  return [print(head), ...rows.map(print), '', `${sum}${cache.files === 0 ? '' : own}`, ''].join('\n');
}
