/** Arrays of struct io_uring_restriction in memory, as rings and tasks read them. */
import { RESTRICTION_SIZE, TASK_RESTRICTION_HEADER } from '../scenario/memory.ts';
import { ARENA } from '../scenario/layout.ts';
import type { Restriction, Target } from '../scenario/types.ts';

/** An array longer than this is refused unread; it is not written out in full. */
const RESTRICTIONS_WRITTEN = 256;
/** Most entries of an array in a scenario. */
const RESTRICTIONS_MAX = 512;

/** True, or why an array cannot be written to memory. */
export function checkRestrictions({ length }: readonly Restriction[]): true | string {
  if (length > RESTRICTIONS_MAX) return `more than ${RESTRICTIONS_MAX} restrictions`;
  return length * RESTRICTION_SIZE + TASK_RESTRICTION_HEADER <= ARENA.args_size
    ? true
    : 'the restrictions do not fit their area';
}

/**
 * Cuts or pads an argument to exactly what the kernel reads for this target, so that nothing left over
 * in memory decides: nr_args entries on a ring, a header and its nr_res entries on a task.
 */
export function asRead(
  bytes: Uint8Array<ArrayBuffer>,
  on: Target,
  nrArgs: number,
  le: boolean,
): Uint8Array<ArrayBuffer> {
  const blind =
    on.kind === 'task' || (on.kind === 'fd' && on.fd === -1) || (on.kind === 'registered' && on.index === -1);
  const entriesOfTask = bytes.length >= TASK_RESTRICTION_HEADER ? new DataView(bytes.buffer).getUint16(2, le) : 0;
  const entries = Math.min(blind ? entriesOfTask + 1 : nrArgs, RESTRICTIONS_WRITTEN);
  const exact = new Uint8Array(entries * RESTRICTION_SIZE);
  exact.set(bytes.subarray(0, exact.length));
  return exact;
}

/** The entries, at most as many as are written out, after `header` zero bytes. */
export function restrictionBytes(
  restrictions: readonly Restriction[],
  le: boolean,
  header = 0,
): Uint8Array<ArrayBuffer> {
  const entries = restrictions.slice(0, RESTRICTIONS_WRITTEN);
  const bytes = new Uint8Array(header + entries.length * RESTRICTION_SIZE);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ opcode, value, resv, resv2 }, i) => {
    const at = header + i * RESTRICTION_SIZE;
    view.setUint16(at, opcode, le);
    view.setUint8(at + 2, value);
    view.setUint8(at + 3, resv);
    for (const [j, word] of resv2.entries()) view.setUint32(at + 4 + 4 * j, word, le);
  });
  return bytes;
}
