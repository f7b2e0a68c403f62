/** ring: io_uring_setup(2). */
import type { Missing } from '../../model/setup.ts';
import { createRing } from '../../model/tasks.ts';
import { RING_FD, RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot } from '../../scenario/types.ts';
import { triple } from '../../json/parts.ts';
import {
  flags,
  flagText,
  int,
  maybe,
  s32 as s32Json,
  u32 as u32Json,
  withDefault,
  word,
  yes,
} from '../../schema/codec.ts';
import { plain } from '../../text/index.ts';
import { IORING_SETUP } from '../../uapi/constants.ts';
import { RING } from '../fields.ts';
import { bits, numberSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import { index, operation, s32, u32 } from '../wire.ts';

/** What io_uring_setup(2) may have to do without, by the runner's number. */
const WITHOUT: Readonly<Record<Missing | 'nothing', number>> = {
  nothing: 0,
  params: 1,
  writable_params: 2,
  descriptor: 3,
  file: 4,
};
/** The same in words. */
const WITHOUT_TEXT: Readonly<Record<Missing, string>> = {
  params: 'params not mapped',
  writable_params: 'params read-only',
  descriptor: 'with RLIMIT_NOFILE reached',
  file: 'with fs.file-max reached',
};

const ONLY_REGISTERED = IORING_SETUP.NO_MMAP | IORING_SETUP.REGISTERED_FD_ONLY;
/** Most entries of a ring in memory of its own: what the runner has room for. */
const MOST_IN_MEMORY = 256;

/** io_uring_setup(entries, {flags, ...}); the descriptor is moved to RING_FD + ring, the ring mapped. */
export interface RingStep extends AnyStep {
  readonly do: 'ring';
  readonly ring: RingSlot;
  readonly entries: number;
  /** IORING_SETUP_* */
  readonly flags: number;
  /** Entries of the completion queue, for IORING_SETUP_CQSIZE; u32. */
  readonly cq_entries?: number;
  /** Descriptor of the ring to share workers with, for IORING_SETUP_ATTACH_WQ; s32. */
  readonly wq_fd?: number;
  /** What must be zero. */
  readonly resv?: readonly [number, number, number];
  /** What the call must do without: it fails. */
  readonly without?: Missing;
  /** Memory of the caller's own, for a ring that is only registered (IORING_SETUP_NO_MMAP, REGISTERED_FD_ONLY). */
  readonly memory?: true;
  /** So many more rings like it, made before it, 1 to MOST_OTHERS; they stay as long as the task's descriptors do. */
  readonly others?: number;
}

/** A table of rules is shared by all of them; a task may have 1,024 descriptors in all. */
const MOST_OTHERS = 256;

/** See RingStep. */
export const ring: StepSpec<RingStep> = {
  kind: 'ring',
  json: {
    ring: RING,
    entries: withDefault(u32Json, 8, 'Queue entries, u32'),
    flags: withDefault(flags(IORING_SETUP, u32Json, 'IORING_SETUP_'), 0, 'IORING_SETUP_*, u32'),
    cq_entries: maybe(u32Json, 'Entries of the completion queue, for IORING_SETUP_CQSIZE'),
    wq_fd: maybe(s32Json, 'Descriptor of the ring to share workers with, for IORING_SETUP_ATTACH_WQ'),
    resv: maybe(triple(u32Json), 'What must be zero'),
    without: maybe(
      word('params', 'writable_params', 'descriptor', 'file'),
      'What the call must do without: memory for its parameters, a descriptor, a file',
    ),
    memory: maybe(yes, "Memory of the caller's own, for IORING_SETUP_NO_MMAP with IORING_SETUP_REGISTERED_FD_ONLY"),
    others: maybe(int(1, MOST_OTHERS), 'So many more like it, made before it'),
  },
  wire: operation<RingStep>(
    { number: 2, name: 'ring', answers: '0 or -errno' },
    {
      slot: index(RING_SLOTS, ({ ring: slot }) => slot),
      entries: u32(({ entries }) => entries),
      setup_flags: u32(({ flags: setup }) => setup),
      cq_entries: u32(({ cq_entries = 0 }) => cq_entries),
      wq_fd: s32(({ wq_fd = 0 }) => wq_fd),
      resv_0: u32(({ resv }) => resv?.[0] ?? 0),
      resv_1: u32(({ resv }) => resv?.[1] ?? 0),
      resv_2: u32(({ resv }) => resv?.[2] ?? 0),
      without: u32(({ without }) => WITHOUT[without ?? 'nothing'], WITHOUT),
      memory: u32(({ memory }) => (memory === undefined ? 0 : 1)),
      others: u32(({ others }) => others ?? 0),
    },
  ),
  predict: createRing,
  text: ({ ring: slot, entries, flags: setup, cq_entries, wq_fd, resv, without, memory, others }) => {
    const more = [
      ...(cq_entries === undefined ? [] : [`, cq_entries=${plain(cq_entries)}`]),
      ...(wq_fd === undefined ? [] : [`, wq_fd=${wq_fd}`]),
      ...(resv === undefined ? [] : [`, resv={${resv.map(plain).join(', ')}}`]),
      ...(memory === undefined ? [] : [', memory of its own']),
    ].join('');
    const last = others === undefined ? '' : `, the last of ${others + 1}`;
    const trouble = without === undefined ? '' : ` (${WITHOUT_TEXT[without]})`;
    const params = `{flags=${flagText(IORING_SETUP, setup)}${more}}`;
    return `ring ${slot} = io_uring_setup(${plain(entries)}, ${params})${trouble}${last}`;
  },
  check: ({ flags: setup, entries, cq_entries = 0, memory, without, others }) => {
    if (others !== undefined && (memory ?? without) !== undefined) return 'others beside a ring that has or lacks more';
    if (memory === undefined) return true;
    if ((setup & ONLY_REGISTERED) !== ONLY_REGISTERED) return 'memory of its own for a ring that has a descriptor';
    return Math.max(entries, cq_entries) <= MOST_IN_MEMORY ? true : 'more entries than the memory has room for';
  },
  track: (tracked, task, { ring: slot, entries, flags: setup, wq_fd: fd = 0, memory }) => {
    const inRange = checkSlot(slot);
    if (inRange !== true) return inRange;
    if (tracked.named.has(slot)) return `ring slot ${slot} is created twice`;
    if (!Number.isInteger(entries) || entries < 0 || entries > 0xffff_ffff) return 'entries is not a u32';
    const shared = tracked.rings.get(fd - RING_FD);
    const polls = IORING_SETUP.ATTACH_WQ | IORING_SETUP.SQPOLL;
    if ((setup & polls) === polls && shared !== undefined && task.files.has(shared.slot))
      if ((shared.flags & IORING_SETUP.SQPOLL) === 0 || shared.process !== task.process)
        return 'shares a polling thread that is not one of its own process';
    tracked.named.add(slot);
    task.hasRing = true;
    if (memory === undefined) task.files.add(slot);
    tracked.rings.set(slot, {
      slot,
      flags: setup,
      entries: entries < 1 ? 0 : 2 ** Math.ceil(Math.log2(entries)),
      creator: task,
      process: task.process,
      consumed: 0,
      ...(memory === undefined ? {} : { unshared: true as const }),
    });
    return true;
  },
  size: ({ entries, flags: setup, cq_entries, wq_fd, resv, without, memory, others }) =>
    2 * bits(setup) +
    numberSize(entries) +
    (cq_entries === undefined ? 0 : 1 + numberSize(cq_entries)) +
    (wq_fd === undefined ? 0 : 2) +
    (others === undefined ? 0 : 1 + numberSize(others)) +
    (without === undefined ? 0 : 1) +
    (memory === undefined ? 0 : 1) +
    (resv === undefined ? 0 : resv.reduce((sum, word) => sum + numberSize(word), 1)),
  *shrink(step) {
    const { without: _without, ...whole } = step;
    if (step.without !== undefined) yield whole;
    const { others, ...alone } = step;
    if (others !== undefined) {
      yield alone;
      if (others > 1) yield { ...alone, others: others >>> 1 };
    }
    const { do: kind, task, ring: slot, entries: sq, flags: setup } = step;
    if (step.cq_entries !== undefined || step.wq_fd !== undefined || step.resv !== undefined) {
      const plainSetup = (setup & ~(IORING_SETUP.CQSIZE | IORING_SETUP.ATTACH_WQ)) >>> 0;
      yield { do: kind, task, ring: slot, entries: sq, flags: plainSetup };
      yield { do: kind, task, ring: slot, entries: sq, flags: setup };
    }
    for (let bit = 1; bit !== 0 && bit <= 0x4000_0000; bit = (bit << 1) | 0)
      if ((step.flags & bit) !== 0) yield { ...step, flags: (step.flags & ~bit) >>> 0 };
    for (const entries of [1, 8]) if (entries < step.entries) yield { ...step, entries };
  },
  makes: ({ ring: slot }) => ({ ring: slot }),
};
