/** validator: which programs are taken and which are refused. */
import type { Program } from '../../oracle/bpf/program.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { noise, spoil, touchLimit } from '../program/invalid.ts';
import { drawProgram } from '../program/valid.ts';

/** Valid, one step from valid on either side, or noise. */
function anyProgram(b: Builder, crew: Crew, opcode: number): Program {
  const { d, abi } = b;
  const on = crew.contexts(opcode);
  const kind = d.below(20);
  if (kind === 0) return noise(d);
  const base = drawProgram(
    d,
    on,
    d.chance(0.7)
      ? { shape: d.pick(['compare', 'tree', 'body', 'ret-a', 'constant']), share: 0.8, quick: true }
      : { share: 0.8 },
  );
  if (kind < 4) return base;
  if (kind < 8) return touchLimit(d, base, abi.ctx_size);
  const spoilt = spoil(d, base, abi.ctx_size);
  return spoilt.length > 4096 ? spoilt.slice(-4096) : spoilt;
}

/** Suite validator. */
export const validator: Suite = { weight: 2, opening: 5, draw };

function draw(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(2, 8), setup_flags: flags, flags: 0 });
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  const on: Target = d.chance(0.2) ? TASK : onRing(ring);
  for (let n = d.int(12, 36); n > 0; n--) {
    const opcode = d.chance(0.7) ? d.pick(crew.opcodes) : d.below(b.abi.op_last);
    b.filter(0, on, opcode, anyProgram(b, crew, opcode));
  }
  const judged = on.kind === 'task' ? b.ring(0, flags) : ring;
  b.submit(0, judged, crew, d.int(16, 64));
}
