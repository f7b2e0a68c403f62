/** Decision trees: deep branches over the words of the context, one leaf per group of requests. */
import type { SockFilter } from '../../oracle/bpf/program.ts';
import type { Draw } from '../draw.ts';
import { loadOffset, nearConstant, retValue } from './body.ts';
import type { ProgramContexts } from './body.ts';

const LD_ABS = 0x20;
const AND_K = 0x54;
const RET_K = 0x06;
const RET_A = 0x16;
const JA = 0x05;
const JUMPS = [0x15, 0x25, 0x35, 0x45] as const;
const WHOLE = 0xffff_ffff;

/** Appends a tree of at most `depth` comparisons on any path; about `share` of its leaves allow. */
export function appendTree(d: Draw, out: SockFilter[], on: ProgramContexts, depth: number, share: number): void {
  if (depth === 0 || (depth < 3 && d.chance(0.25))) {
    if (d.below(12) === 0) out.push({ code: RET_A, jt: 0, jf: 0, k: 0 });
    else out.push({ code: RET_K, jt: 0, jf: 0, k: retValue(d, d.chance(share)) });
    return;
  }
  const k = loadOffset(d, on);
  out.push({ code: LD_ABS, jt: 0, jf: 0, k });
  const mask = d.pick([WHOLE, WHOLE, WHOLE, 0xff, 0xff00, 0xff_0000, 0xffff, 0x8000_0000]);
  if (mask !== WHOLE) out.push({ code: AND_K, jt: 0, jf: 0, k: mask });
  const at = out.length;
  out.push({ code: JA, jt: 0, jf: 0, k: 0 });
  appendTree(d, out, on, depth - 1, share);
  const distance = out.length - at - 1;
  appendTree(d, out, on, depth - 1, share);
  const code = d.pick(JUMPS);
  const near = nearConstant(d, on, k >>> 2);
  const constant = code === 0x45 ? (d.chance(0.5) ? near : (1 << d.below(32)) >>> 0) : (near & mask) >>> 0;
  if (distance > 255) {
    // Too far for a conditional jump: one branch is taken always.
    out[at] = { code: JA, jt: 0, jf: 0, k: d.chance(0.5) ? 0 : distance };
    return;
  }
  out[at] = d.chance(0.5) ? { code, jt: 0, jf: distance, k: constant } : { code, jt: distance, jf: 0, k: constant };
}
