import { describe, expect, it } from 'vitest';
import { ARENA, ARENA_BASE, ARENA_END } from '../scenario/layout.ts';
import { encodeScenario, MAX_FRAME } from './frame.ts';
import { addressKind, BPF_ARG_SIZE, bpfArgAddress, programAddress } from '../scenario/memory.ts';
import type { BpfArg, Placement, Restriction, Target } from '../scenario/types.ts';
import type { Step } from '../steps/index.ts';

const ARG: BpfArg = {
  cmd_type: 1,
  cmd_flags: 0,
  resv: 0,
  opcode: 0,
  flags: 0,
  filter_len: 1,
  pdu_size: 0,
  resv_filter: [0, 0, 0],
  resv2: [0n, 0n, 0n, 0n, 0n],
  program: [{ code: 6, jt: 0, jf: 0, k: 1 }],
  placement: 'normal',
  program_placement: 'normal',
};
const frame = (...steps: readonly Step[]): Uint8Array =>
  encodeScenario({ version: 1, fixtures: [], jit: true, steps }, { id: 1, deadline_ms: 1000, waits: [] });

describe('placements', () => {
  it('say what the kernel meets', () => {
    const kinds = [
      0n,
      1n,
      0xfffn,
      0x1000n,
      BigInt(ARENA_BASE),
      BigInt(ARENA_END) - 1n,
      BigInt(ARENA_END),
      BigInt(ARENA_END) + 0xfffn,
      BigInt(ARENA_END) + 0x1000n,
      1n << 56n,
    ].map((raw) => addressKind({ raw }));
    expect(kinds).toEqual([
      'null',
      'unmapped',
      'unmapped',
      'unknown',
      'unknown',
      'unknown',
      'unmapped',
      'unmapped',
      'unknown',
      'unmapped',
    ]);
  });
  it('at the end of the arena hold one thing: the program, if both want to be there', () => {
    const at = (placement: Placement, programPlacement: Placement): bigint =>
      bpfArgAddress({ ...ARG, placement, program_placement: programPlacement });
    expect(at('page-end', 'normal')).toBe(BigInt(ARENA_END - BPF_ARG_SIZE));
    expect([at('page-end', 'page-end'), at('page-end', 'straddle')]).toEqual([
      BigInt(ARENA_BASE + ARENA.args),
      BigInt(ARENA_BASE + ARENA.args),
    ]);
    expect(programAddress({ ...ARG, program_placement: 'page-end' })).toBe(BigInt(ARENA_END - 8));
  });
});

describe('arguments in a frame', () => {
  /** Read as a task header, the first entry announces three more. */
  const first = { opcode: 0, value: 3, resv: 0, resv2: [0, 0, 0] } as const;
  const restrict = (on: Target, restrictions: readonly Restriction[], nrArgs: number): number =>
    frame({ task: 0, do: 'register_restrictions', on, nr_args: nrArgs, arg: { restrictions, placement: 'normal' } })
      .length;

  it('are as long as the kernel reads: entries on a ring, a header and its entries on a task', () => {
    const two = restrict({ kind: 'ring', ring: 0 }, [first], 2);
    for (const target of [
      { kind: 'fd', fd: 100 },
      { kind: 'registered', index: 0 },
    ] as const)
      expect(restrict(target, [first], 2)).toBe(two);
    for (const target of [{ kind: 'task' }, { kind: 'fd', fd: -1 }, { kind: 'registered', index: -1 }] as const) {
      expect(restrict(target, [first], 2)).toBe(two + 2 * 16);
      // Without a header nothing is announced: a header of zeros is all there is.
      expect(restrict(target, [], 2)).toBe(two - 16);
    }
  });
  it('of no length are not written', () => {
    expect(restrict({ kind: 'ring', ring: 0 }, [], 1) - restrict({ kind: 'ring', ring: 0 }, [], 0)).toBe(16);
  });
  it('must fit into a frame', () => {
    const sqes = Array.from({ length: Math.ceil(MAX_FRAME / 64) }, () => ({ opcode: 0 }));
    const submit = (count: number): Step => ({ task: 0, do: 'submit', ring: 0, sqes: sqes.slice(0, count) });
    expect(frame(submit(8)).length).toBeGreaterThan(8 * 64);
    expect(() => frame(submit(sqes.length))).toThrow(/does not fit in a frame/);
    expect(() => frame(...Array.from({ length: 5 }, () => submit(sqes.length)))).toThrow(/does not fit in a frame/);
  });
});
