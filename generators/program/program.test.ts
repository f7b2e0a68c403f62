import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { run } from '../../oracle/bpf/interpret.ts';
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import { validate } from '../../oracle/bpf/validate.ts';
import { Crew } from '../crew.ts';
import { Draw } from '../draw.ts';
import type { ProgramContexts } from './body.ts';
import { splice } from '../../oracle/bpf/splice.ts';
import { noise, REASONS, spoil, touchLimit } from './invalid.ts';
import { shrinkProgram } from '../../oracle/bpf/shrink.ts';
import { allowShare, drawProgram, SHAPES } from './valid.ts';

const draw = (n: number): Draw => new Draw(n, 7, 0, 1);
const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k });

function contexts(d: Draw): ProgramContexts {
  const crew = new Crew(d, ABI_7_0, new Set(), { count: 1 });
  return crew.contexts(crew.opcodes[0]!);
}

describe('valid programs', () => {
  test.each(SHAPES.map(([, shape]) => shape))('%s: every one is accepted', (shape) => {
    for (let n = 0; n < (shape === 'long' ? 40 : 1000); n++) {
      const d = draw(n);
      const program = drawProgram(d, contexts(d), { shape });
      expect(validate(program, ABI_7_0)).toEqual({ verdict: 'accepted', rule: 'bpf.program.accepted' });
    }
  });

  test('the wanted share of requests is allowed', () => {
    for (const share of [0.1, 0.5, 0.9]) {
      let sum = 0;
      for (let n = 0; n < 600; n++) {
        const d = draw(n);
        const on = contexts(d);
        sum += allowShare(drawProgram(d, on, { share, shape: d.pick(['compare', 'body', 'tree'] as const) }), on);
      }
      expect(Math.abs(sum / 600 - share)).toBeLessThan(0.12);
    }
  });

  test('most programs tell requests apart', () => {
    let depends = 0;
    for (let n = 0; n < 600; n++) {
      const d = draw(n);
      const on = contexts(d);
      const share = allowShare(drawProgram(d, on, { shape: d.pick(['compare', 'body'] as const) }), on);
      if (share > 0 && share < 1) depends++;
    }
    expect(depends).toBeGreaterThan(450);
  });

  test('4096 instructions are reached', () => {
    const lengths = Array.from(
      { length: 40 },
      (_, n) => drawProgram(draw(n), contexts(draw(n)), { shape: 'long' }).length,
    );
    expect(Math.max(...lengths)).toBe(4096);
  });
});

describe('invalid programs', () => {
  test.each(REASONS)('%s is what refuses most programs spoilt for it, and none is accepted', (reason) => {
    let met = 0;
    for (let n = 0; n < 300; n++) {
      const d = draw(n);
      const verdict = validate(
        spoil(d, drawProgram(d, contexts(d), { shape: 'body' }), ABI_7_0.ctx_size, reason),
        ABI_7_0,
      );
      expect(verdict.verdict).toBe('rejected');
      if (verdict.rule === reason) met++;
    }
    expect(met).toBeGreaterThan(200);
  });

  test('their accepted neighbours are accepted', () => {
    let accepted = 0;
    for (let n = 0; n < 600; n++) {
      const d = draw(n);
      if (
        validate(touchLimit(d, drawProgram(d, contexts(d), { shape: 'body' }), ABI_7_0.ctx_size), ABI_7_0).verdict ===
        'accepted'
      )
        accepted++;
    }
    // A word that is skipped by a new jump can be one that a later instruction reads.
    expect(accepted).toBeGreaterThan(540);
  });

  test('noise is both', () => {
    const verdicts = new Set(Array.from({ length: 3000 }, (_, n) => validate(noise(draw(n)), ABI_7_0).verdict));
    expect(verdicts.size).toBe(2);
  });
});

describe('edits', () => {
  const program: Program = [f(0x20, 8), f(0x15, 5, 1, 2), f(0x04, 1), f(0x05, 1), f(0x04, 2), f(0x16)];

  test('insertion keeps jumps on their targets', () => {
    for (let at = 0; at <= program.length - 1; at++) {
      const longer = splice(program, at, at, [f(0x07)]);
      expect(longer.length).toBe(program.length + 1);
      for (const word of [0, 5]) {
        const ctx = new Uint32Array(10);
        ctx[2] = word;
        expect(run(longer, ctx, 40)).toBe(run(program, ctx, 40));
      }
    }
  });

  test('removing moves jumps into the gap behind it', () => {
    expect(splice(program, 2, 4, [])).toEqual([f(0x20, 8), f(0x15, 5, 0, 0), f(0x04, 2), f(0x16)]);
  });

  test('shrinking offers the two constant programs first', () => {
    const [first, second] = [...shrinkProgram(program)];
    expect([first, second]).toEqual([[f(0x06, 0)], [f(0x06, 1)]]);
  });
});
