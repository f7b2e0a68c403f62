/** Filters that are about one request. */
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import type { Draw } from '../draw.ts';
import { retValue } from '../program/body.ts';

const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k });
const LD_ABS = 0x20;
const JEQ = 0x15;
const RET = 0x06;

/**
 * One request's context, compared word by word; `words` of them exactly. Two requests that show
 * the filter the same get the same answer, and a single bit that is off shows.
 */
export function exactly(d: Draw, ctx: Uint32Array, words: readonly number[], matchAllows: boolean): Program {
  const out: SockFilter[] = [];
  words.forEach((word, i) => {
    out.push(f(LD_ABS, word * 4));
    // Behind: the remaining pairs and the first ret.
    out.push(f(JEQ, ctx[word] ?? 0, 0, (words.length - 1 - i) * 2 + 1));
  });
  out.push(f(RET, retValue(d, matchAllows)), f(RET, retValue(d, !matchAllows)));
  return out;
}
