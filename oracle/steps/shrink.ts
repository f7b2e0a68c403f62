/** Smaller versions of the parts of steps, boldest first; not every one of them is smaller by the measure. */
import { shrinkProgram } from '../bpf/shrink.ts';
import type { BpfArg, Restriction, Sqe } from '../scenario/types.ts';
import { programSize, sqeSize } from './size.ts';

/** Smaller batches. */
export function* shrinkSqes(sqes: readonly Sqe[]): Generator<readonly Sqe[]> {
  const n = sqes.length;
  for (let run = n >>> 1; run >= 1; run >>>= 1) {
    for (let from = 0; from < n; from += run) if (run < n) yield sqes.filter((_, i) => i < from || i >= from + run);
  }
  // All requests at once, then one by one.
  if (sqes.some((sqe) => (sqe.flags ?? 0) !== 0)) yield sqes.map((sqe) => ({ ...sqe, flags: 0 }));
  for (let at = 0; at < n; at++) {
    const size = sqeSize(sqes[at]!);
    for (const by of plainer(sqes[at]!, at)) if (sqeSize(by) < size) yield sqes.map((sqe, i) => (i === at ? by : sqe));
  }
}

/** The request at `at` with less in it. */
function* plainer(sqe: Sqe, at: number): Generator<Sqe> {
  const { user_data, flags = 0 } = sqe;
  yield {
    opcode: 0,
    ...(user_data === undefined ? {} : { user_data }),
    ...(sqe.flags === undefined ? {} : { flags }),
  };
  yield { ...sqe, user_data: 0n };
  yield { ...sqe, user_data: BigInt(at + 1) };
  for (let bit = 0x80; bit > 0; bit >>>= 1) if ((flags & bit) !== 0) yield { ...sqe, flags: flags & ~bit };
  for (const [field, value] of Object.entries(sqe)) {
    if (field === 'opcode' || field === 'flags' || field === 'user_data' || value === 0 || value === 0n) continue;
    yield { ...sqe, [field]: typeof value === 'bigint' ? 0n : 0 };
  }
}

/** Smaller filters and plainer arguments. */
export function* shrinkBpfArg(arg: BpfArg): Generator<BpfArg> {
  const size = programSize(arg.program);
  const exact = arg.filter_len === arg.program.length;
  for (const program of shrinkProgram(arg.program)) {
    if (programSize(program) < size) yield { ...arg, program, filter_len: exact ? program.length : arg.filter_len };
  }
  if (!exact) yield { ...arg, filter_len: arg.program.length };
  if (arg.placement !== 'normal') yield { ...arg, placement: 'normal' };
  if (arg.program_placement !== 'normal') yield { ...arg, program_placement: 'normal' };
  if (arg.cmd_type !== 1) yield { ...arg, cmd_type: 1 };
  if (arg.cmd_flags !== 0) yield { ...arg, cmd_flags: 0 };
  if (arg.resv !== 0) yield { ...arg, resv: 0 };
  if (arg.resv_filter.some((byte) => byte !== 0)) yield { ...arg, resv_filter: [0, 0, 0] };
  if (arg.resv2.some((word) => word !== 0n)) yield { ...arg, resv2: [0n, 0n, 0n, 0n, 0n] };
  for (let bit = 1; bit !== 0; bit = (bit << 1) | 0)
    if ((arg.flags & bit) !== 0) yield { ...arg, flags: (arg.flags & ~bit) >>> 0 };
  if (arg.pdu_size !== 0) yield { ...arg, pdu_size: 0 };
  if (arg.opcode !== 0) yield { ...arg, opcode: 0, pdu_size: 0 };
}

/** Fewer and plainer restrictions. */
export function* shrinkRestrictions(list: readonly Restriction[]): Generator<readonly Restriction[]> {
  const n = list.length;
  if (n > 0) yield [];
  for (let run = n >>> 1; run >= 1; run >>>= 1) {
    for (let from = 0; from < n; from += run) yield list.filter((_, i) => i < from || i >= from + run);
  }
  for (let at = 0; at < n; at++) {
    const entry = list[at]!;
    const tries: Restriction[] = [
      { ...entry, value: 0 },
      { ...entry, resv: 0 },
      { ...entry, resv2: [0, 0, 0] },
    ];
    for (const candidate of tries) yield list.map((old, i) => (i === at ? candidate : old));
  }
}
