/** The end of a program: a comparison whose constant is chosen so that the wanted share of requests is allowed. */
import { run } from '../../oracle/bpf/interpret.ts';
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import type { Draw } from '../draw.ts';
import { loadOffset, retValue } from './body.ts';
import type { ProgramContexts } from './body.ts';

const RET_A: SockFilter = { code: 0x16, jt: 0, jf: 0, k: 0 };
const LDX_IMM = 0x01;
const RET_K = 0x06;
/** jeq, jgt, jge, jset against k; the form against X has bit 3 set as well. */
const JUMPS = [0x15, 0x25, 0x35, 0x45] as const;

/** Values of A behind `body` for each context. */
function valuesBehind(body: readonly SockFilter[], on: ProgramContexts): number[] {
  const program: Program = [...body, RET_A];
  return on.contexts.map((ctx) => run(program, ctx, on.ctx_size));
}

/** tax, ld [k], and an operation that leaves neither the code before nor the word without influence. */
export function appendBlend(d: Draw, out: SockFilter[], on: ProgramContexts): void {
  const filter = (code: number, k = 0): SockFilter => ({ code, jt: 0, jf: 0, k });
  out.push(filter(0x07), filter(0x20, loadOffset(d, on)), filter(d.pick([0xac, 0xac, 0x0c, 0x1c])));
}

function holds(code: number, a: number, k: number): boolean {
  switch (code) {
    case 0x15:
      return a === k;
    case 0x25:
      return a > k;
    case 0x35:
      return a >= k;
    default:
      return (a & k) !== 0;
  }
}

interface Comparison {
  /** jeq, jgt, jge or jset against k. */
  readonly code: number;
  readonly k: number;
  /** Whether those for which it holds are to be allowed. */
  readonly takenAllows: boolean;
  /** How far the share is from the wanted one, 0 .. 1. */
  readonly error: number;
}

/** The best of up to four comparisons of A, which has these values, for allowing `share` of them. */
function tune(d: Draw, values: readonly number[], share: number): Comparison {
  let best: Comparison = { code: 0x15, k: 0, takenAllows: true, error: 2 };
  for (let attempt = 0; attempt < 4 && best.error > 0.15; attempt++) {
    const code = d.pick(JUMPS);
    const value = d.pick(values);
    const k = code === 0x45 ? (1 << d.below(32)) >>> 0 : d.below(8) === 0 ? (value + 1) >>> 0 : value;
    let taken = 0;
    for (const a of values) if (holds(code, a, k)) taken++;
    const rate = taken / values.length;
    const asIs = Math.abs(rate - share);
    const turned = Math.abs(1 - rate - share);
    const error = Math.min(asIs, turned);
    if (error < best.error) best = { code, k, takenAllows: asIs <= turned, error };
  }
  return best;
}

/** The comparison and two rets; `share` of the contexts should be allowed. */
export function appendTunedTail(d: Draw, out: SockFilter[], on: ProgramContexts, share: number): void {
  const best = tune(d, on.contexts.length === 0 ? [0] : valuesBehind(out, on), share);
  const againstX = d.below(5) === 0;
  if (againstX) out.push({ code: LDX_IMM, jt: 0, jf: 0, k: best.k });
  const code = againstX ? best.code | 0x08 : best.code;
  const swap = d.chance(0.5);
  out.push({ code, jt: swap ? 1 : 0, jf: swap ? 0 : 1, k: againstX ? 0 : best.k });
  const taken = { code: RET_K, jt: 0, jf: 0, k: retValue(d, best.takenAllows) };
  const other = { code: RET_K, jt: 0, jf: 0, k: retValue(d, !best.takenAllows) };
  if (swap) out.push(other, taken);
  else out.push(taken, other);
}
