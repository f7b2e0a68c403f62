/** jit-vs-interpreter: long arithmetic, once compiled and once interpreted. */
import type { Builder } from '../builder.ts';
import type { Weighted } from '../draw.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing } from '../builder.ts';
import { aroundPowers, REPEATABLE } from '../program/large.ts';
import { COMPUTING } from '../program/table.ts';
import { byteSizes, fullOf, jumpsOf, ladders, mixedOf, scratchWords, tables } from './large.ts';

const WATCHED = { traces: true } as const;
const HIDDEN = { harden: 2, traces: true } as const;
const INTERPRETED = { jit: false } as const;
const DIV_X = 0x3c;
const FAR: readonly number[] = [...aroundPowers(8, 256), 254, 2049, 1500, 4050];

/**
 * Suite jit-vs-interpreter. Large programs are compiled under watch: one that the compiler gave up on would be
 * interpreted, and nobody would know.
 */
export const jitVsInterpreter: Suite = {
  weight: 1,
  opening: 3,
  draw,
  planned: [
    tables(COMPUTING.slice(0, 10), 600, HIDDEN),
    tables(COMPUTING, 900, INTERPRETED),
    byteSizes(WATCHED),
    tables(COMPUTING.slice(10), 600, HIDDEN),
    mixedOf([4096, 4095, 2049], WATCHED),
    jumpsOf(FAR, WATCHED, DIV_X),
    fullOf(REPEATABLE, 40, INTERPRETED),
    ladders([4096, 2047, 513], WATCHED),
    jumpsOf([255, 254, 129, 257, 1024, 2048], INTERPRETED),
    byteSizes(HIDDEN, 1),
    mixedOf([1025, 512, 257], HIDDEN),
    scratchWords(3, INTERPRETED),
    hardenedForTheUnprivileged,
    // From here on only longer runs have them.
    mixedOf([4096, 2048], INTERPRETED),
    fullOf(REPEATABLE, 40, WATCHED),
    jumpsOf([...FAR, 1025, 1023, 1024], HIDDEN, DIV_X),
    ladders([1024, 2048], HIDDEN),
    tables(COMPUTING, 1200, INTERPRETED),
    byteSizes(INTERPRETED),
    jumpsOf([...FAR, 2048], INTERPRETED),
    scratchWords(6, HIDDEN),
    mixedOf([4096], HIDDEN),
    mixedOf(aroundPowers(16, 4096, 4096), WATCHED),
    ...[0, 1, 2, 3].map((n) =>
      fullOf(
        REPEATABLE.filter((_, i) => i % 4 === n),
        n % 2 === 0 ? 1024 : 300,
        n % 2 === 0 ? WATCHED : HIDDEN,
      ),
    ),
    ladders([4096], INTERPRETED),
  ],
};

/** bpf_jit_harden 1 hides the constants of tasks without CAP_BPF alone. */
function hardenedForTheUnprivileged(b: Builder): void {
  b.push({ do: 'unshare_user', task: 0 });
  mixedOf([300, 40, 40, 40], { harden: 1, traces: true })(b);
}

const HARDENING: Weighted<0 | 1 | 2> = [
  [5, 0],
  [1, 1],
  [4, 2],
];

function draw(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 3), setup_flags: flags, flags: d.chance(0.5) ? 0 : 0.1 });
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  for (const opcode of crew.opcodes) {
    for (let n = d.int(1, 3); n > 0; n--) {
      const shape = d.weighted([
        [6, 'arithmetic'],
        [3, 'body'],
        [1, 'tree'],
        [0.1, 'long'],
      ] as const);
      b.drawFilter(0, onRing(ring), crew, opcode, { shape, share: 0.65 });
    }
    b.submit(0, ring, crew, d.int(16, 64));
  }
  b.submit(0, ring, crew, d.int(16, 64));
  b.jit = d.chance(0.5);
  if (b.jit) b.harden = d.weighted(HARDENING);
  b.traces = b.jit && d.chance(0.3);
}
