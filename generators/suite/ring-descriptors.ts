/** Descriptors of rings that are registered with a task: as many as there may be, twice, and given back twice. */
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { FD, RING_FD } from '../../oracle/scenario/layout.ts';
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { onRing, TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { Draw } from '../draw.ts';

const R = IORING_REGISTER;
/** As many as a task can register. */
const MOST = 16;
const ANY = 0xffff_ffff;

/** struct io_uring_rsrc_update for each of these slots; without descriptors it gives them back. */
function updates(b: Builder, slots: readonly number[], fds?: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16 * slots.length);
  const view = new DataView(bytes.buffer);
  slots.forEach((slot, i) => {
    view.setUint32(16 * i, slot, b.abi.little_endian);
    view.setBigUint64(16 * i + 8, BigInt(fds?.[i % fds.length] ?? 0), b.abi.little_endian);
  });
  return bytes;
}

/** Two rings, one that denies NOP, in a task's table. */
interface Scene {
  readonly b: Builder;
  readonly rings: readonly [open: number, closed: number];
}

function put({ b, rings }: Scene, task: number, slots: readonly number[], bad = false): void {
  const fds = [...rings.map((ring) => RING_FD + ring), ...(bad ? [FD.closed] : [])];
  b.register(task, onRing(rings[0]), R.REGISTER_RING_FDS, slots.length, updates(b, slots, fds));
}

function giveBack({ b, rings }: Scene, task: number, slots: readonly number[]): void {
  b.register(task, onRing(rings[0]), R.UNREGISTER_RING_FDS, slots.length, updates(b, slots));
}

/** A request through some of the slots, and by the rings' own descriptors. */
function use({ b, rings }: Scene, task: number): void {
  const { d } = b;
  const sqes = [{ opcode: OP.NOP, user_data: 1n }];
  for (const index of d.sample([0, 1, 2, 7, 14, MOST - 1], 3))
    b.push({ do: 'submit', task, ring: rings[index % 2 === 0 ? 0 : 1], registered: index, sqes });
  for (const ring of rings) b.push({ do: 'submit', task, ring, sqes });
}

/** Slots in some order, each once. */
const upTo = (d: Draw, count: number): readonly number[] =>
  d.shuffle(Array.from({ length: MOST }, (_, i) => i)).slice(0, count);

/** Fills the table, by any slot or by name, asks for one more, gives some back, all of it twice. */
export function ringDescriptorsToTheLimit(b: Builder): void {
  const { d } = b;
  if (d.chance(0.5)) b.filter(0, TASK, OP.READ, [{ code: 0x06, jt: 0, jf: 0, k: 0 }]);
  const open = b.ring(0, IORING_SETUP.SUBMIT_ALL, 8, {});
  const closed = b.ring(0, IORING_SETUP.SUBMIT_ALL, 8, {});
  if (open === undefined || closed === undefined) return;
  b.filter(0, onRing(closed), OP.NOP, [{ code: 0x06, jt: 0, jf: 0, k: 0 }]);
  const scene: Scene = { b, rings: [open, closed] };
  const any = (count: number): readonly number[] => Array.from({ length: count }, () => ANY);
  // All at once, which fills the table in order; one more than there may be; and some at a time.
  for (const slots of d.shuffle([any(MOST), any(MOST + 1), upTo(d, MOST), any(15)])) {
    put(scene, 0, slots);
    use(scene, 0);
    put(scene, 0, any(1));
    put(scene, 0, [d.below(MOST)]);
    const given = upTo(d, d.pick([1, 3, 15, MOST]));
    for (let twice = 2; twice > 0; twice--) {
      giveBack(scene, 0, given);
      use(scene, 0);
    }
    put(scene, 0, any(2), true);
    giveBack(scene, 0, upTo(d, MOST));
    giveBack(
      scene,
      0,
      [...any(MOST), 0].map((_, i) => i % MOST),
    );
  }
  endings(scene);
}

/** A child has none of them; when it ends, or the ring's own descriptor is closed, they are what they were. */
function endings(scene: Scene): void {
  const { b, rings } = scene;
  put(scene, 0, [2, 7]);
  const child = b.spawn(0, b.d.pick(['fork', 'clone3', 'thread', 'clone_vm']));
  if (child !== undefined) {
    use(scene, child);
    put(scene, child, [2]);
    giveBack(scene, child, [2]);
    giveBack(scene, child, [2]);
    use(scene, child);
    b.push({ do: 'exit', task: child });
  }
  use(scene, 0);
  giveBack(scene, 0, [2]);
  giveBack(scene, 0, [2]);
  for (const ring of rings) b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.NOP, user_data: 2n }] });
}
