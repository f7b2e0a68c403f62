/** Programs that every rule accepts. */
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import { run } from '../../oracle/bpf/interpret.ts';
import { BPF_MAXINSNS } from '../../oracle/bpf/program.ts';
import type { Draw } from '../draw.ts';
import { drawBody, loadOffset, retValue } from './body.ts';
import type { ProgramContexts } from './body.ts';
import { ARITHMETIC, drawMix } from './mix.ts';
import { appendBlend, appendTunedTail } from './tail.ts';
import { appendTree } from './tree.ts';

/** What a program looks like. */
export type Shape = 'constant' | 'compare' | 'tree' | 'body' | 'arithmetic' | 'long' | 'ret-a';

/** How often each shape is drawn. Long programs (up to 4096 instructions) cost as much as hundreds of others. */
export const SHAPES: readonly (readonly [number, Shape])[] = [
  [6, 'constant'],
  [22, 'compare'],
  [22, 'tree'],
  [38, 'body'],
  [8, 'arithmetic'],
  [3.9, 'ret-a'],
  [0.1, 'long'],
];

/** What is wanted of a program. */
export interface ProgramWish {
  /** Share of the requests that should be allowed, 0 .. 1. */
  readonly share?: number;
  readonly shape?: Shape;
  /** Take the first draw, however many requests it allows. */
  readonly quick?: boolean;
}

const ld = (k: number): SockFilter => ({ code: 0x20, jt: 0, jf: 0, k });
const ret = (k: number): SockFilter => ({ code: 0x06, jt: 0, jf: 0, k });

/** A valid program of 1 .. 4096 instructions. */
export function drawProgram(d: Draw, on: ProgramContexts, wish: ProgramWish = {}): Program {
  const share = wish.share ?? 0.5;
  const shape = wish.shape ?? d.weighted(SHAPES);
  let best = build(d, on, shape, share);
  if (shape === 'constant' || shape === 'long' || wish.quick === true || on.contexts.length < 2) return best;
  // What random code does before the comparison at its end can spoil the balance: draw again, at most twice.
  let error = Math.abs(allowShare(best, on) - share);
  for (let again = 0; again < 2 && error > 0.3; again++) {
    const other = build(d, on, shape, share);
    const otherError = Math.abs(allowShare(other, on) - share);
    if (otherError < error) {
      best = other;
      error = otherError;
    }
  }
  return best;
}

/** Share of the contexts that the program allows. */
export function allowShare(program: Program, on: ProgramContexts): number {
  if (on.contexts.length === 0) return 0.5;
  let allowed = 0;
  for (const ctx of on.contexts) if (run(program, ctx, on.ctx_size) !== 0) allowed++;
  return allowed / on.contexts.length;
}

function build(d: Draw, on: ProgramContexts, shape: Shape, share: number): Program {
  const out: SockFilter[] = [];
  switch (shape) {
    case 'constant':
      if (d.below(8) === 0) out.push({ code: 0x16, jt: 0, jf: 0, k: d.edge32() });
      else out.push(ret(retValue(d, d.chance(share))));
      return out;
    case 'compare':
      out.push(ld(loadOffset(d, on)));
      if (d.chance(0.4))
        out.push({
          code: 0x54,
          jt: 0,
          jf: 0,
          k: d.pick([0xff, 0xff00, 0xff_0000, 0xffff, 0x00ff_ffff, 1, 0xffff_fffe]),
        });
      if (d.chance(0.2)) out.push({ code: 0x74, jt: 0, jf: 0, k: d.pick([1, 8, 16, 31]) });
      appendTunedTail(d, out, on, share);
      return out;
    case 'tree':
      appendTree(d, out, on, d.geometric(1, 6, 1.5), share);
      return out;
    case 'body':
      drawBody(d, drawMix(d), d.geometric(1, 60, 7), on, out);
      if (d.chance(0.3)) appendBlend(d, out, on);
      appendTunedTail(d, out, on, share);
      return out;
    case 'arithmetic':
      drawBody(d, ARITHMETIC, d.geometric(4, 200, 16), on, out);
      if (d.chance(0.7)) appendBlend(d, out, on);
      appendTunedTail(d, out, on, share);
      return out;
    case 'ret-a':
      drawBody(d, drawMix(d), d.geometric(1, 20, 4), on, out);
      out.push({ code: 0x16, jt: 0, jf: 0, k: 0 });
      return out;
    case 'long': {
      const length = d.chance(0.5) ? BPF_MAXINSNS : d.int(200, BPF_MAXINSNS);
      // An early ret or a division by zero would end nearly every run in the first few instructions.
      const mix = drawMix(d).filter((row) => row.class !== 'ret' && row.code !== 0x3c);
      drawBody(d, mix, length - 7, on, out);
      appendBlend(d, out, on);
      appendTunedTail(d, out, on, share);
      while (out.length < length) out.push(ret(1));
      return out;
    }
  }
}
