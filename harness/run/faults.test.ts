/**
 * What becomes of a run when guests die, fall silent or send garbage. The guests are scripted: nothing here is said
 * of a kernel.
 */
import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { predict } from '../../oracle/predict.ts';
import { RULES } from '../../oracle/registry.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { Campaign } from './campaign.ts';
import type { CaseTally } from './tally.ts';
import { KnownFindings } from '../known/predictions.ts';
import { Guests } from '../guests/guests.ts';
import { CONFIRM_TRIES, investigate } from './investigate.ts';
import { Laboratory } from './laboratory.ts';
import type { Investigated, InvestigationOptions } from './investigate.ts';
import type { PlannedCase } from './plan.ts';
import { buildResult } from './result.ts';
import { FakeGuest, helloFrame, obedient } from '../testing/fake-guest.ts';
import type { Script } from '../testing/fake-guest.ts';
import { FEATURES } from '../../vm/protocol/table.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';

const CASE: Scenario = {
  version: 1,
  fixtures: [],
  jit: true,
  steps: [
    { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 },
    { task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 0, user_data: 1n }] },
  ],
};
const STEPS = obedient(predict(CASE, ABI_7_0).steps);
const WRONG = STEPS.map((step, i) => (i === 1 ? { ...step, cqes: [{ user_data: 1n, res: -13, flags: 0 }] } : step));
const OOPS =
  '[    1.0] BUG: kernel NULL pointer dereference, address: 0000000000000000\n[    1.0] Oops: 0000 [#1] SMP\n' +
  '[    1.0] RIP: 0010:io_uring_enter+0x12/0x340\n[    1.0] ---[ end trace 0000000000000000 ]---\n';

const obey: Script = (guest, id) => guest.answer(id, STEPS);
/** Ids of a campaign are the cases' numbers; a case that runs alone has an id above them. */
const alone = (id: number): boolean => id >= 0x4000_0000;

/** How a run came out. */
interface Played {
  readonly tally: CaseTally;
  readonly result: RunResult;
  readonly guests: readonly FakeGuest[];
}

/** A run of `cases` cases on scripted guests: campaign, investigation, result. */
async function play(
  script: Script,
  { cases = 12, patience = 150, boot }: { cases?: number; patience?: number; boot?: (n: number) => FakeGuest } = {},
): Promise<Played> {
  const opened: FakeGuest[] = [];
  const signal = new AbortController().signal;
  const guests = new Guests({
    boot: {} as never,
    patience,
    deadline: 50,
    start: async () => {
      const guest = boot?.(opened.length) ?? new FakeGuest(script);
      opened.push(guest);
      return guest;
    },
  });
  const known = new KnownFindings([], ABI_7_0);
  const started = performance.now();
  const plan = function* (): Generator<PlannedCase> {
    for (let index = 0; index < cases; index++) yield { index, suite: 'evaluation', scenario: CASE };
  };
  try {
    const campaign = new Campaign({
      guests,
      cases: plan(),
      total: cases,
      jobs: 1,
      known,
      sessions: [],
      started,
      signal,
    });
    await campaign.run();
    const setup: InvestigationOptions = { guests, known, signal, shrinkMs: 0 };
    const investigated: Investigated[] = [];
    for (const { cases: suspects } of campaign.tally.suspects.values()) {
      for (const suspect of suspects) {
        const laboratory = new Laboratory(guests, {
          settle: suspect.verdict === 'kernel-crash',
          ending: suspect.ending === true,
        });
        investigated.push(await investigate(suspect, laboratory, setup));
        await laboratory.fresh();
      }
    }
    const options = {
      suites: [],
      cases,
      seed: 1,
      append: '',
      accel: 'tcg',
      jobs: 1,
      timeout: 1,
      command: 'test',
      investigate: 8,
      shrinkSeconds: 0,
    } as const;
    const kernel = {
      release: 'fake',
      machine: OWN_MACHINE,
      path: '',
      sha256: '',
      format: 'elf',
      source: 'file',
      requested: 'fake',
    } as const;
    const result = buildResult({
      options,
      tally: campaign.tally,
      investigated,
      missing: [],
      abi: ABI_7_0,
      kernel,
      accel: { accel: 'tcg', reason: '', remembered: false },
      guests,
      rules: RULES,
      startedAt: new Date(),
      started,
      interrupted: false,
      bpf: { compiler: true, interpreter: true, harden: true },
      versions: {},
    });
    return { tally: campaign.tally, result, guests: opened };
  } finally {
    await guests.closeAll();
    expect(opened.filter((guest) => !guest.gone)).toEqual([]);
  }
}

test('without a fault everything passes on one guest', async () => {
  const { result, guests } = await play(obey);
  expect(result).toMatchObject({ verdict: 'conformant', scenarios: 12, suites: { evaluation: { pass: 12 } } });
  expect(guests).toHaveLength(1);
});

test('over a serial line a case is sent only when the one before has answered', async () => {
  let waiting = 0;
  let most = 0;
  const script: Script = (guest, id) => {
    most = Math.max(most, guest.queued + ++waiting);
    setTimeout(() => {
      waiting--;
      guest.answer(id, STEPS);
    }, 2);
  };
  await play(script, {
    boot: () => new FakeGuest(script, helloFrame('7.0.0-fake', undefined, FEATURES.interpreter | FEATURES.line)),
  });
  expect(most).toBe(1);
  most = 0;
  await play(script);
  expect(most).toBeGreaterThan(1);
});

describe('a divergence', () => {
  test('that shows each time fails the verdict', async () => {
    const { result } = await play((guest, id) => guest.answer(id, id === 5 || alone(id) ? WRONG : STEPS));
    expect(result).toMatchObject({
      verdict: 'divergent',
      reason: '1 divergence',
      divergences: [{ index: 5, step: 1, reproduced: '3/3' }],
      unconfirmed: [],
    });
  });
  test('that never shows again when run alone is unconfirmed, and its case passes', async () => {
    const { result } = await play((guest, id) => guest.answer(id, id === 5 ? WRONG : STEPS));
    expect(result).toMatchObject({
      verdict: 'conformant',
      divergences: [],
      unconfirmed: [{ index: 5, verdict: 'divergence', reproduced: `0/${CONFIRM_TRIES}` }],
    });
    expect(result.suites['evaluation']).toMatchObject({ scenarios: 12, pass: 12, divergence: 0 });
  });
  test('that shows once more in ten is no accident', async () => {
    let tries = 0;
    const { result } = await play((guest, id) =>
      guest.answer(id, id === 5 || (alone(id) && ++tries === 7) ? WRONG : STEPS),
    );
    expect(result).toMatchObject({ verdict: 'divergent', divergences: [{ reproduced: '1/10' }] });
  });
  test('that many cases show, though none alone, stays a divergence', async () => {
    const { result } = await play((guest, id) => guest.answer(id, id >= 2 && !alone(id) ? WRONG : STEPS));
    expect(result).toMatchObject({
      verdict: 'divergent',
      divergences: [{ index: 2, count: 10, reproduced: `0/${CONFIRM_TRIES}` }],
      unconfirmed: [],
    });
  });
});

describe('a crash', () => {
  test('names the running case, which is run alone; the rest goes on', async () => {
    const { result, tally } = await play((guest, id) => {
      if (id !== 5 && !alone(id)) return guest.answer(id, STEPS);
      guest.print(OOPS);
      guest.end(0);
    });
    expect(result).toMatchObject({
      verdict: 'divergent',
      scenarios: 12,
      crashes: [{ index: 5, kind: 'oops', reproduced: '3/3' }],
      suites: { evaluation: { pass: 11, other: 1 } },
    });
    expect(result.crashes[0]!.console).toContain('io_uring_enter+0x12');
    expect(tally.reboots).toBe(1);
  });
  test('that the guest survives ends it all the same; who ran at that moment is to blame', async () => {
    const { result } = await play((guest, id) => {
      if (id === 5 || alone(id)) guest.print(OOPS);
      guest.answer(id, STEPS);
    });
    expect(result).toMatchObject({ verdict: 'divergent', crashes: [{ index: 5 }] });
  });
  test('that does not come again stays a crash: the kernel said so', async () => {
    const { result } = await play((guest, id) => {
      if (id === 5) guest.print(OOPS);
      guest.answer(id, STEPS);
    });
    expect(result).toMatchObject({
      verdict: 'divergent',
      crashes: [{ index: 5, kind: 'oops', reproduced: `0/${CONFIRM_TRIES}` }],
    });
  });
  test('between two cases: the last ones are run alone', async () => {
    const { result } = await play((guest, id) => {
      guest.answer(id, STEPS);
      if (id === 11 || alone(id)) setTimeout(() => guest.print(OOPS), 20);
    });
    expect(result).toMatchObject({ verdict: 'divergent', crashes: [{ index: 11, reproduced: '3/3' }] });
  });
  test('while it boots is told as an untestable kernel', async () => {
    const boot = (): FakeGuest => {
      const guest = new FakeGuest(obey, Buffer.alloc(0));
      setTimeout(() => guest.end(0), 10);
      return guest;
    };
    await expect(play(obey, { boot })).rejects.toMatchObject({ exitCode: 125 });
  });
});

describe('QEMU killed from outside', () => {
  test('is no crash: the case is run again', async () => {
    let killed = false;
    const { result, tally } = await play((guest, id) => {
      if (id !== 5 || killed) return guest.answer(id, STEPS);
      killed = true;
      guest.end(null, 'SIGKILL');
    });
    expect(result).toMatchObject({
      verdict: 'conformant',
      scenarios: 12,
      suites: { evaluation: { pass: 12 } },
      unconfirmed: [],
    });
    expect(tally.reboots).toBe(1);
  });
  test('by the same case each time is an error of that case', async () => {
    const { result } = await play((guest, id) =>
      id === 5 || alone(id) ? guest.end(null, 'SIGABRT') : guest.answer(id, STEPS),
    );
    expect(result).toMatchObject({
      verdict: 'untestable',
      runner_errors: [{ index: 5 }],
      suites: { evaluation: { pass: 11 } },
    });
  });
  test('again and again ends the run with advice', async () => {
    await expect(play((guest) => guest.end(null, 'SIGKILL'))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/guests in a row[^]*short of memory/),
    });
  });
});

describe('a guest that stops answering', () => {
  test('the case is a hang, the rest goes on', async () => {
    const { result } = await play((guest, id) => (id === 5 || alone(id) ? undefined : guest.answer(id, STEPS)));
    expect(result).toMatchObject({
      verdict: 'divergent',
      hangs: [{ index: 5, reproduced: '3/3' }],
      suites: { evaluation: { pass: 11, other: 1 } },
    });
  });
  test('a case that passes alone was no hang', async () => {
    const { result } = await play((guest, id) => (id === 5 ? undefined : guest.answer(id, STEPS)));
    expect(result).toMatchObject({
      verdict: 'conformant',
      hangs: [],
      unconfirmed: [{ index: 5, verdict: 'hang' }],
      suites: { evaluation: { pass: 12, other: 0 } },
    });
    // As if it had passed at once.
    expect(result.digest).toBe((await play(obey)).result.digest);
  });
  test('the deadline inside the guest is a hang too', async () => {
    const { result } = await play((guest, id) =>
      id === 5 || alone(id) ? guest.answer(id, [], 1) : guest.answer(id, STEPS),
    );
    expect(result).toMatchObject({ verdict: 'divergent', hangs: [{ index: 5 }] });
  });
  test('one that never says hello', async () => {
    await expect(play(obey, { boot: () => new FakeGuest(obey, Buffer.alloc(0)) })).rejects.toMatchObject({
      exitCode: 125,
      message: expect.stringContaining('did not say hello'),
    });
  });
});

describe('garbage from the guest', () => {
  test('blames the case, once it does so alone', async () => {
    const { result } = await play((guest, id) =>
      id === 5 || alone(id) ? guest.say(Buffer.alloc(64, 0xaa)) : guest.answer(id, STEPS),
    );
    expect(result).toMatchObject({
      verdict: 'untestable',
      runner_errors: [{ index: 5, detail: expect.stringContaining('no frame') }],
      suites: { evaluation: { pass: 11 } },
    });
  });
  test('that does not come again is unconfirmed', async () => {
    const { result } = await play((guest, id) =>
      id === 5 ? guest.say(Buffer.alloc(64, 0xaa)) : guest.answer(id, STEPS),
    );
    expect(result).toMatchObject({ verdict: 'conformant', unconfirmed: [{ index: 5, verdict: 'runner-error' }] });
  });
  test('instead of a greeting', async () => {
    await expect(play(obey, { boot: () => new FakeGuest(obey, Buffer.alloc(64, 0xaa)) })).rejects.toMatchObject({
      exitCode: 125,
      message: expect.stringContaining('garbage'),
    });
  });
  test('an image of another version', async () => {
    await expect(play(obey, { boot: () => new FakeGuest(obey, helloFrame('x', 99)) })).rejects.toMatchObject({
      exitCode: 125,
      message: expect.stringContaining('protocol 99'),
    });
  });
  test('the runner gives up', async () => {
    const { result } = await play((guest, id) => (id === 5 ? guest.complain('no memory') : guest.answer(id, STEPS)));
    expect(result).toMatchObject({
      verdict: 'conformant',
      unconfirmed: [{ index: 5, detail: 'the runner reports: no memory' }],
    });
  });
});

test('a boot that fails once is tried again', async () => {
  const { result } = await play(
    (guest, id) => {
      if (id === 5 || alone(id)) guest.end(0);
      else guest.answer(id, STEPS);
    },
    {
      boot: (n) =>
        new FakeGuest(
          (guest, id) => (id === 5 && n === 0 ? guest.end(0) : guest.answer(id, STEPS)),
          n === 1 ? Buffer.alloc(64, 0xaa) : helloFrame(),
        ),
    },
  );
  expect(result).toMatchObject({ scenarios: 12 });
});
