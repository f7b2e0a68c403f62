/**
 * Questions that the kernel does not survive, and kernels whose interface is not the documented one. The guests are
 * scripted.
 */
import { describe, expect, it } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { judgedAbi } from '../../oracle/probe/abi-documented.ts';
import { predict } from '../../oracle/predict.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { abiCase, oddityText } from '../../oracle/probe/abi-cases.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { Guests } from '../guests/guests.ts';
import { Asker, NOTHING } from '../guests/asker.ts';
import { bringUp, KernelStopped } from './prepare.ts';
import type { Ready } from './prepare.ts';
import { ANNOUNCED } from '../../vm/protocol/table.ts';
import { FeatureMissing, probeAbi } from '../../oracle/probe/probe.ts';
import { FakeGuest, obedient } from '../testing/fake-guest.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import type { Script } from '../testing/fake-guest.ts';

const QUESTION: Scenario = {
  version: 1,
  fixtures: [],
  jit: true,
  steps: [{ task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 }],
};
const OTHER: Scenario = { ...QUESTION, jit: false };
const ANSWER = obedient(predict(QUESTION, ABI_7_0).steps);

async function asking<T>(script: Script, body: (asker: Asker, guests: Guests) => Promise<T>): Promise<T> {
  const guests = new Guests({
    boot: {} as never,
    patience: 150,
    deadline: 50,
    start: async () => new FakeGuest(script),
  });
  try {
    return await body(new Asker(guests, await guests.open()), guests);
  } finally {
    await guests.closeAll();
  }
}

describe('a question', () => {
  it('that crashes the kernel becomes a case; the next one goes to another guest', async () => {
    let asked = 0;
    await asking(
      (guest, id) => {
        if (++asked !== 1) return guest.answer(id, ANSWER);
        guest.print('[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000\n');
        guest.end(0);
      },
      async (asker, guests) => {
        expect(await asker.ask(QUESTION, [0])).toBeUndefined();
        expect(asker.stops).toMatchObject([{ scenario: QUESTION }]);
        expect((await asker.ask(OTHER, [0]))?.steps).toHaveLength(1);
        expect(guests.boots).toBe(2);
      },
    );
  });
  it('that is never answered becomes a case too', async () => {
    await asking(
      () => {},
      async (asker) => {
        expect(await asker.ask(QUESTION, [0])).toBeUndefined();
        expect(asker.stops).toMatchObject([{ scenario: QUESTION }]);
      },
    );
  });
  it('that does not end in its time is asked once more; then it becomes a case, and the guest goes on', async () => {
    let asked = 0;
    await asking(
      (guest, id) => (++asked === 1 || asked > 3 ? guest.answer(id, [], STATUS.deadline) : guest.answer(id, ANSWER)),
      async (asker, guests) => {
        expect((await asker.ask(QUESTION, [0]))?.steps).toHaveLength(1);
        expect((await asker.ask(QUESTION, [0]))?.steps).toHaveLength(1);
        expect(asker.stops).toEqual([]);
        expect(await asker.ask(OTHER, [0])).toBeUndefined();
        expect(asker.stops).toMatchObject([{ scenario: OTHER, verdict: 'hang' }]);
        expect([asked, guests.boots]).toEqual([5, 1]);
      },
    );
  });
  it('is not blamed when QEMU was killed', async () => {
    await asking(
      (guest) => guest.end(137),
      async (asker) => {
        await expect(asker.ask(QUESTION, [0])).rejects.toMatchObject({ end: { reason: 'lost' } });
        expect(asker.stops).toEqual([]);
      },
    );
  });
});

/** Asks a kernel that obeys the oracle of some profile. */
const probe = (abi: typeof ABI_7_0, meddle: (scenario: Scenario, ret: number[]) => number[] = (_, ret) => ret) =>
  probeAbi(
    async (scenario) => ({
      steps: obedient(predict(scenario, abi).steps).map((step) => ({
        ...step,
        returns: meddle(scenario, [...step.returns]),
      })),
    }),
    abi,
  );

describe('an interface that no header knows', () => {
  it('is found by asking, and not believed', async () => {
    for (const fields of [{ ctx_size: 44 }, { ctx_size: 36 }, { filter_flags: 7 }, { register_last: 39 }] as const) {
      expect(judgedAbi(await probe({ ...ABI_7_0, ...fields })).oddities, JSON.stringify(fields)).toMatchObject([
        { field: Object.keys(fields)[0], probed: Object.values(fields)[0], accepted: false },
      ]);
    }
    expect(judgedAbi(await probe(ABI_7_0)).oddities).toEqual([]);
  });

  it('shows in the case that is made for it, and the case is well judged on a right kernel', () => {
    const payloads = ABI_7_0.pdu_size.map((size, opcode) => (opcode === 45 ? 16 : size));
    for (const fields of [
      { ctx_size: 44 },
      { ctx_size: 36 },
      { filter_flags: 7 },
      { filter_flags: 1 },
      { register_last: 39 },
      { register_last: 37 },
      { op_last: 66 },
      { op_last: 64 },
      { sqe_flags: 0xff },
      { sqe_flags: 0x3f },
      { pdu_size: payloads },
    ]) {
      const broken = { ...ABI_7_0, ...fields };
      const { abi, oddities } = judgedAbi(broken);
      expect(oddities, JSON.stringify(fields)).toHaveLength(1);
      const scenario = abiCase(oddities[0]!);
      expect(
        compare(predict(scenario, abi), { steps: obedient(predict(scenario, broken).steps) }).difference,
        JSON.stringify(fields),
      ).toBeDefined();
      expect(
        compare(predict(scenario, abi), { steps: obedient(predict(scenario, abi).steps) }).difference,
      ).toBeUndefined();
      expect(oddityText(oddities[0]!)).toContain('judged by the headers');
    }
  });

  it('a kernel that refuses every filter still has the feature, when it knows a bad pointer', async () => {
    const refusing = probeAbi(
      async (scenario) => ({
        steps: scenario.steps.map((step) => ({
          reached: true,
          returns: [step.do !== 'register_bpf_filter' ? 0 : step.arg.placement === 'normal' ? -22 : -14],
          cqes: [],
        })),
      }),
      { ...ABI_7_0, release: '7.0.1' },
    );
    const { abi, oddities } = judgedAbi(await refusing);
    expect(abi).toMatchObject({ op_last: 65, ctx_size: 40, filter_flags: 3, pdu_size: ABI_7_0.pdu_size });
    expect(oddities.map(({ field }) => field)).toEqual(expect.arrayContaining(['op_last', 'ctx_size', 'filter_flags']));
  });
  it('a kernel that knows neither has not', async () => {
    await expect(
      probeAbi(
        async (scenario) => ({
          steps: scenario.steps.map((step) => ({ reached: true, returns: [step.do === 'ring' ? 0 : -22], cqes: [] })),
        }),
        { ...ABI_7_0, release: '6.19.1' },
      ),
    ).rejects.toBeInstanceOf(FeatureMissing);
  });
});

const OOPS = '[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000\n';

/** Guests that are probed: `make` gives the n-th one. */
async function bring(
  make: (n: number) => FakeGuest,
): Promise<{ readonly booted: FakeGuest[]; readonly error: unknown }> {
  const booted: FakeGuest[] = [];
  const ready: Ready = {
    kernel: { release: '7.0.0-fake' } as never,
    slow: false,
    image: {} as never,
    accel: { accel: 'tcg', reason: '', remembered: false },
    start: async () => {
      booted.push(make(booted.length));
      return booted.at(-1)!;
    },
  };
  const quiet = { note: () => {}, consoleFile: () => undefined };
  const error = await bringUp(ready, { append: '', timeout: 0.3 }, quiet, new AbortController().signal).then(
    async ({ guests }) => await guests.closeAll(),
    (one: unknown) => one,
  );
  if (error instanceof KernelStopped) await error.halted.guests.closeAll();
  return { booted, error };
}

/** A guest that fails at what it does before its HELLO; announced or not. */
function failsEarly(announced: boolean): FakeGuest {
  const guest = new FakeGuest(() => {}, Buffer.alloc(0));
  setImmediate(() => {
    if (announced) guest.begin(ANNOUNCED.warm_up);
    guest.print(OOPS);
    guest.end(0);
  });
  return guest;
}

describe('a kernel that stops while it is probed', () => {
  const crash: Script = (guest, id) => {
    guest.begin(id);
    guest.print(OOPS);
    guest.end(0);
  };
  it('is asked on another guest, and then is a verdict with its question', async () => {
    const { booted, error } = await bring(() => new FakeGuest(crash));
    expect(error).toBeInstanceOf(KernelStopped);
    const { halted } = error as KernelStopped;
    expect(halted.stops).toMatchObject([
      {
        verdict: 'kernel-crash',
        detail: expect.stringMatching(/NULL pointer/),
        scenario: { steps: [{ do: 'ring' }, {}] },
      },
      { verdict: 'kernel-crash' },
    ]);
    // Each crash cost a guest, and its successor was up already.
    expect(booted.length).toBeGreaterThanOrEqual(2);
    expect(booted.filter((guest) => !guest.gone)).toEqual([]);
  });
  it('or stands still there', async () => {
    const { error } = await bring(() => new FakeGuest(() => {}));
    expect((error as KernelStopped).halted.stops).toMatchObject([{ verdict: 'hang' }, { verdict: 'hang' }]);
  });
  it('or fails at what is announced before', async () => {
    const { error } = await bring(() => failsEarly(true));
    expect((error as KernelStopped).halted.stops).toMatchObject([
      { scenario: NOTHING, verdict: 'kernel-crash' },
      { scenario: NOTHING, verdict: 'kernel-crash' },
    ]);
  });
  it('but cannot be tested where it fails before its first call', async () => {
    const { error } = await bring(() => failsEarly(false));
    expect(error).not.toBeInstanceOf(KernelStopped);
    expect(error).toMatchObject({ exitCode: 125 });
  });
});
