/** validator: which programs are taken and which are refused. */
import type { Program } from '../../oracle/bpf/program.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { BPF_MAXINSNS } from '../../oracle/bpf/program.ts';
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { bpfArg } from '../args.ts';
import { aroundPowers, programOfLength } from '../program/large.ts';
import { ofLengths } from './large.ts';
import { noise, REASONS, spoil, touchLimit } from '../program/invalid.ts';
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
export const validator: Suite = {
  weight: 2,
  opening: 5,
  draw,
  planned: [
    ofLengths(aroundPowers(1, 64)),
    ofLengths(aroundPowers(128, 512)),
    ofLengths(aroundPowers(1024, 4096, BPF_MAXINSNS)),
    lengthsBeyond,
    refusedBehind(1030, 0, 1),
    refusedBehind(2050, 0, 1),
    refusedBehind(4040, 0, 2),
    refusedBehind(4040, 1, 2),
    refusedBehind(260, 0, 1),
    refusedBehind(520, 0, 1),
  ],
};

/** filter_len at and above the limit, whatever stands in memory; and lengths that are longer only as 16 or 8 bits. */
function lengthsBeyond(b: Builder): void {
  const { d, abi } = b;
  const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 64);
  if (ring === undefined) return;
  const program = Array.from({ length: BPF_MAXINSNS }, () => ({ code: 0x06, jt: 0, jf: 0, k: 1 }));
  const more = d.sample(aroundPowers(8192, 2 ** 31), 10);
  const lengths = [BPF_MAXINSNS, BPF_MAXINSNS + 1, 0, 0xffff, 0x1_0000, 0x1_0001, ...more, 0xffff_ffff];
  for (const filterLen of lengths) {
    const short = filterLen === BPF_MAXINSNS ? program : program.slice(0, d.int(1, 4));
    b.registerArg(0, onRing(ring), { ...bpfArg(abi, 0, short), filter_len: filterLen });
  }
  b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: 0, user_data: 1n }] });
}

/**
 * Every reason of refusal, and accepted neighbours, behind so many instructions that all is well with: a check that
 * stops early takes what it must refuse.
 */
function refusedBehind(length: number, part: number, parts: number): (b: Builder) => void {
  return (b) => {
    const { d, abi } = b;
    const flags = IORING_SETUP.SUBMIT_ALL;
    const crew = b.crew({ opcodes: [0], count: 4, setup_flags: flags, flags: 0 });
    const ring = b.ring(0, flags, 64);
    if (ring === undefined) return;
    const filler = Array.from({ length }, () => ({ code: 0x84, jt: 0, jf: 0, k: 0 }));
    REASONS.forEach((reason, n) => {
      if (n % parts !== part) return;
      const opcode = d.pick(crew.opcodes);
      const base = programOfLength(d, crew.contexts(opcode), d.int(4, 30));
      b.filter(0, onRing(ring), opcode, [...filler, ...spoil(d, base, abi.ctx_size, reason)]);
      if (n % 4 === 0) b.filter(0, onRing(ring), opcode, [...filler, ...touchLimit(d, base, abi.ctx_size)]);
    });
    b.submit(0, ring, crew, 32);
  };
}

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
