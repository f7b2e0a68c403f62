import { plain } from '../testing/plain.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Allowed } from '../scenario/prediction.ts';
import { allows } from '../scenario/prediction.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { initCheck } from './init.ts';
import { orderReleases } from '../uapi/release.ts';
import { OP, opForms, opSpecs } from './index.ts';
import { Bench } from '../testing/op-context.ts';
import type { OpForm, OpSpec } from './types.ts';

/** What Linux 7.0.13 answered to each ready-made request; 7.3.4 answered the same. */
const recorded = JSON.parse(readFileSync(new URL('./recorded/7.0.13.json', import.meta.url), 'utf8')) as {
  readonly requests: Readonly<Record<string, readonly (readonly [res: number, flags: number])[]>>;
};

interface Expected {
  readonly res: Allowed;
  readonly cflags: Allowed;
}

/** The CQEs the tables predict for a form on a ring of its own. */
function predicted(spec: OpSpec, form: OpForm): readonly Expected[] {
  const setupFlags = form.need_setup ?? 0;
  const bench = new Bench({ fixtures: form.fixtures, rings: [{ setup_flags: setupFlags }, {}] });
  const context = bench.context(form.sqe, { linked: form.linked ?? false });
  expect(initCheck(context)).toEqual({ ok: true });
  const prep = spec.prep(context);
  if (prep.ok === 'unknown') throw new Error('prep is not modelled');
  expect(prep.ok).toBe(form.prep_error !== true);
  if (!prep.ok) return [{ res: -prep.errno, cflags: prep.refused?.cflags ?? 0 }, ...(prep.refused?.extra ?? [])];
  const outcome = spec.issue(context);
  return [{ res: outcome.res, cflags: outcome.cflags ?? 0 }, ...(outcome.extra ?? [])];
}

describe('the table of opcodes', () => {
  it('has every opcode once, in the order of the header, without a gap', () => {
    expect(Object.values(OP)).toEqual(opSpecs.map((_, i) => i));
    expect(Object.keys(OP)).toEqual(opSpecs.map(({ name }) => name));
    // A kernel adds its opcodes at the end.
    const since = opSpecs.map((spec) => spec.since);
    expect(since).toEqual([...since].sort(orderReleases));
    expect(opForms.length).toBeGreaterThan(750);
  });

  it('gives every form a name of its own and its own opcode', () => {
    for (const { name, opcode, forms } of opSpecs) {
      expect([name, new Set(forms.map((form) => form.name)).size]).toEqual([name, forms.length]);
      expect(forms.every(({ sqe }) => sqe.opcode === opcode)).toBe(true);
    }
  });

  it('gives every opcode a form that passes prep and whose outcome is known', () => {
    for (const { name, forms } of opSpecs) {
      // Zero-copy receive needs a network queue that no virtual machine here has.
      if (name === 'RECV_ZC') continue;
      expect([name, forms.some((form) => form.prep_error !== true)]).toEqual([name, true]);
    }
  });

  it('knows every form: nothing is left open', () => {
    for (const spec of opSpecs.filter(({ opcode }) => opcode < ABI_7_0.op_last)) {
      for (const form of spec.forms) {
        const [first] = predicted(spec, form);
        expect([spec.name, form.name, first !== undefined && plain(first.res) === 'any']).toEqual([
          spec.name,
          form.name,
          false,
        ]);
      }
    }
  });
});

describe('against the recorded answers of the real kernel', () => {
  for (const spec of opSpecs.filter(({ opcode }) => opcode < ABI_7_0.op_last)) {
    it(spec.name, () => {
      for (const form of spec.forms) {
        const answers = recorded.requests[`${spec.name}/${form.name}`];
        const wanted = predicted(spec, form);
        expect([form.name, answers?.length]).toEqual([form.name, wanted.length]);
        answers?.forEach(([res, flags], i) => {
          const want = wanted[i] ?? { res: NaN, cflags: NaN };
          if (!allows(want.res, res) || !allows(want.cflags, flags))
            expect([form.name, i, res, flags]).toEqual([form.name, i, want.res, want.cflags]);
        });
      }
    });
  }
});
