/** Messages to a ring of every kind: completions, and direct descriptors. */
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { ARENA, ARENA_BASE, FD, RING_FD } from '../../oracle/scenario/layout.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { FILE_INDEX_ALLOC, IORING_MSG, IORING_MSG_RING, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { onRing, TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { messageSqe } from '../registers.ts';

type Planned = (b: Builder) => void;

const S = IORING_SETUP;
const { CQE_SKIP, FLAGS_PASS } = IORING_MSG_RING;
/** Direct descriptors of each ring. */
const SLOTS = 6;

/** Messages with completions; what each carries differs in every bit. */
function completions(b: Builder): readonly Sqe[] {
  const { d } = b;
  const wide = (): bigint => (BigInt(d.u32()) << 32n) | BigInt(d.u32());
  return [
    { off: wide(), len: d.u32() },
    { off: 1n << BigInt(d.int(32, 63)), len: 1 },
    { off: wide(), len: d.u32(), op_flags: FLAGS_PASS, file_index: (d.u32() & ~0x8000) >>> 0 },
    { off: 9n, op_flags: CQE_SKIP },
    { off: 9n, op_flags: CQE_SKIP | FLAGS_PASS },
    { off: 9n, file_index: 1 },
    { off: 9n, addr3: 1n },
    { off: 9n, addr: 2n },
    { off: 9n, op_flags: 4 << d.below(29) },
  ].map((fields) => ({ opcode: OP.MSG_RING, ...fields }));
}

/** Messages with direct descriptors, those that are refused among them. */
function descriptors(b: Builder): readonly Sqe[] {
  const { d } = b;
  return [
    { file_index: 1 },
    { addr3: 1n, file_index: 2 },
    { addr3: 1n, file_index: 3, op_flags: CQE_SKIP },
    { file_index: FILE_INDEX_ALLOC },
    { file_index: FILE_INDEX_ALLOC, op_flags: CQE_SKIP },
    { file_index: SLOTS },
    { file_index: SLOTS + 1 },
    { file_index: 0 },
    { addr3: BigInt(SLOTS - 1), file_index: 1 },
    { addr3: BigInt(SLOTS), file_index: 1 },
    { file_index: 1, len: 1 },
    { file_index: 5, op_flags: FLAGS_PASS },
  ].map((fields) => ({ opcode: OP.MSG_RING, addr: BigInt(IORING_MSG.SEND_FD), off: BigInt(d.u32()) << 8n, ...fields }));
}

function files(b: Builder, ring: number, fds: readonly number[]): void {
  const bytes = new Uint8Array(fds.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, fd] of fds.entries()) view.setInt32(i * 4, fd, b.abi.little_endian);
  b.register(0, onRing(ring), IORING_REGISTER.REGISTER_FILES, fds.length, bytes);
}

/** Every message from a ring with the first flags to one with the second, which has a table of files or none. */
export function messagesTo(from: number, to: number, table = true): Planned {
  return (b) => {
    const { d } = b;
    b.fixtures.add('eventfd').add('file').add('pipe');
    const sender = b.ring(0, (from | S.SUBMIT_ALL) >>> 0, 16, {});
    const target = b.ring(0, (to | S.SUBMIT_ALL) >>> 0, 64, {});
    if (sender === undefined || target === undefined) return;
    files(b, sender, [FD.pipe_write, FD.file, -1, -1, -1, -1]);
    if (table)
      files(
        b,
        target,
        Array.from({ length: SLOTS }, () => -1),
      );
    const deferred = (to & (S.DEFER_TASKRUN | S.SINGLE_ISSUER)) !== 0;
    // Whether a ring that has to take them itself gets descriptors in time is open.
    const all = [...completions(b), ...(deferred ? [] : descriptors(b))];
    const fd = RING_FD + target;
    let data = 1n;
    const send = (sqe: Sqe): void => {
      const flags = d.chance(0.15) ? IOSQE.ASYNC : 0;
      b.push({ do: 'submit', task: 0, ring: sender, sqes: [{ fd, ...sqe, flags, user_data: data++ }] });
    };
    for (const sqe of d.shuffle(all)) {
      send(sqe);
      if (d.chance(0.3)) b.push({ do: 'reap', task: 0, ring: target });
    }
    for (let n = 2; n > 0; n--)
      b.register(
        0,
        TASK,
        IORING_REGISTER.REGISTER_SEND_MSG_RING,
        1,
        messageSqe(b.abi, target, d.u32(), BigInt(n) << 40n),
      );
    b.push({ do: 'reap', task: 0, ring: target });
    // To itself, and to what is no ring.
    const odd = descriptors(b)[0]!;
    for (const other of [RING_FD + sender, FD.eventfd, FD.closed]) send({ ...odd, fd: other });
    if (deferred || (to & S.R_DISABLED) !== 0) return;
    whatArrived(b, sender, target);
  };
}

/** Each slot is emptied if there is something in it; then nobody has the files, but by their own descriptors. */
function whatArrived(b: Builder, sender: number, target: number): void {
  for (let slot = 0; slot < SLOTS; slot++) {
    const sqe = { opcode: OP.CLOSE, file_index: slot + 1, user_data: BigInt(slot) };
    b.push({ do: 'submit', task: 0, ring: target, sqes: [sqe] });
  }
  b.push({ do: 'close_ring', task: 0, ring: target });
  b.register(0, onRing(sender), IORING_REGISTER.UNREGISTER_FILES);
  for (const sqe of [
    { opcode: OP.FSYNC, fd: FD.file, user_data: 21n },
    { opcode: OP.CLOSE, fd: FD.pipe_write, user_data: 22n },
    // End of file: neither a message that arrived nor one that did not has kept the other end.
    { opcode: OP.READ, fd: FD.pipe_read, addr: BigInt(ARENA_BASE + ARENA.data), len: 8, user_data: 23n },
    { opcode: OP.CLOSE, fd: FD.file, user_data: 24n },
  ])
    b.push({ do: 'submit', task: 0, ring: sender, sqes: [sqe] });
}
