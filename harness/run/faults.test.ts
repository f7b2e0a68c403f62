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
import { Campaign, NO_CASE } from './campaign.ts';
import { NOTHING } from '../guests/asker.ts';
import { toJson } from '../../oracle/case/json.ts';
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
import { ANNOUNCED, FEATURES } from '../../vm/protocol/table.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
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

/** How a run is played. */
interface Playing {
  readonly cases?: number;
  readonly patience?: number;
  readonly boot?: (n: number) => FakeGuest;
  /** What each guest does instead of powering off. */
  readonly bye?: (guest: FakeGuest) => void;
  /** What the first guest was asked before. */
  readonly asked?: readonly PlannedCase[];
}

/** A run of `cases` cases on scripted guests: campaign, investigation, result. */
async function play(
  script: Script,
  { cases = 12, patience = 150, boot, bye, asked = [] }: Playing = {},
): Promise<Played> {
  const opened: FakeGuest[] = [];
  const signal = new AbortController().signal;
  const guests = new Guests({
    boot: {} as never,
    patience,
    deadline: 50,
    powerOff: 60,
    start: async () => {
      const guest = boot?.(opened.length) ?? new FakeGuest(script);
      guest.bye ??= bye;
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
      asked,
      started,
      signal,
    });
    await campaign.run();
    const setup: InvestigationOptions = { guests, known, signal, shrinkMs: 0, searchMs: 5000 };
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

const WORDS = 'pid 61 (init) state D in io_submit_sqes\n[<0>] io_submit_sqes+0x1/0x2\n';

describe('a task that cannot be killed', () => {
  test('is a hang, with the words of the kernel; the guest is booted again at once and the rest goes on', async () => {
    const { result, guests } = await play(
      (guest, id) => (id === 5 || alone(id) ? guest.stuck(id, WORDS) : guest.answer(id, STEPS)),
      { patience: 10_000 },
    );
    expect(result).toMatchObject({
      verdict: 'divergent',
      reason: '1 hang',
      runner_errors: [],
      hangs: [
        {
          index: 5,
          reproduced: '3/3',
          detail: 'a task cannot be killed: pid 61 (init) state D in io_submit_sqes',
          console: WORDS,
        },
      ],
      suites: { evaluation: { pass: 11, other: 1 } },
      times: { reboots: 1 },
    });
    expect(guests[1]!.gone).toBe(true);
  });
  test('that is none alone stays a hang: the kernel said so', async () => {
    const { result } = await play((guest, id) => (id === 5 ? guest.stuck(id, WORDS) : guest.answer(id, STEPS)));
    expect(result).toMatchObject({ verdict: 'divergent', hangs: [{ index: 5, reproduced: `0/${CONFIRM_TRIES}` }] });
  });
  test('that the kernel itself reports is a hang as well', async () => {
    const { result } = await play((guest, id) => {
      if (id === 5 || alone(id)) guest.print('[   41.0] INFO: task init:61 blocked for more than 20 seconds.\n');
      else guest.answer(id, STEPS);
    });
    expect(result).toMatchObject({
      crashes: [],
      hangs: [{ index: 5, console: expect.stringContaining('blocked for more than 20 seconds') }],
    });
  });
});

test('a task that is killed by a signal is a crash, where it shows again', async () => {
  const { result } = await play((guest, id) =>
    id === 5 || alone(id) ? guest.answer(id, [], STATUS.signal, 11) : guest.answer(id, STEPS),
  );
  expect(result).toMatchObject({
    verdict: 'divergent',
    crashes: [{ index: 5, kind: 'signal', title: 'a task of the scenario was killed by signal 11' }],
  });
});

describe('a guest that is switched off', () => {
  test('and stays is a hang; what does so without any case is the case that does nothing', async () => {
    const { result } = await play(obey, { bye: () => {} });
    expect(result).toMatchObject({
      verdict: 'divergent',
      scenarios: 12,
      hangs: [
        {
          index: NO_CASE,
          scenario: toJson(NOTHING),
          reproduced: '3/3',
          detail: 'the guest did not power off within 0.06 s',
        },
      ],
      suites: { evaluation: { pass: 12, other: 0 } },
    });
  });
  test('and crashes is a crash', async () => {
    const { result } = await play(obey, {
      bye: (guest) => {
        guest.print(OOPS);
        guest.end(0);
      },
    });
    expect(result).toMatchObject({ verdict: 'divergent', crashes: [{ index: NO_CASE, kind: 'oops' }] });
  });
  test('and stays because of a case long before is that case, found by halves', async () => {
    const spoilt = new WeakSet<FakeGuest>();
    // Alone its number tells nothing: the second of a sequence, or the only one that has a step.
    const asBefore = new Map<FakeGuest, number>();
    const { result } = await play(
      (guest, id) => {
        const place = (asBefore.get(guest) ?? -1) + 1;
        asBefore.set(guest, place);
        if (place === 3) spoilt.add(guest);
        guest.answer(id, STEPS);
      },
      { bye: (guest) => (spoilt.has(guest) ? undefined : guest.end(0)) },
    );
    // None alone brings it about, so it is not confirmed, and costs no pass.
    expect(result).toMatchObject({
      hangs: [],
      unconfirmed: [{ index: NO_CASE, verdict: 'hang' }],
      suites: { evaluation: { pass: 12, other: 0 } },
    });
  });
  test('and is killed from outside is nobody\u2019s fault', async () => {
    const { result } = await play(obey, { bye: (guest) => guest.end(null, 'SIGKILL') });
    expect(result).toMatchObject({ verdict: 'conformant' });
  });
});

/** A guest that fails at what it does before its HELLO. */
const cold = (fail: (guest: FakeGuest) => void): FakeGuest => {
  const guest = new FakeGuest(obey, Buffer.alloc(0));
  setImmediate(() => {
    guest.begin(ANNOUNCED.warm_up);
    fail(guest);
  });
  return guest;
};

describe('a guest that fails while it warms up', () => {
  const crash = (guest: FakeGuest): void => {
    guest.print(OOPS);
    guest.end(0);
  };
  test.each([
    ['crashes', crash, 'crashes'],
    ['stands still', (): void => {}, 'hangs'],
  ] as const)('that %s is a result', async (_, fail, where) => {
    const { result } = await play(obey, { boot: () => cold(fail) });
    expect(result).toMatchObject({ verdict: 'divergent', scenarios: 0, [where]: [{ scenario: toJson(NOTHING) }] });
    expect(result.reason).toMatch(/no other guest came up/);
  });
});

describe('a kernel that does little but fail', () => {
  test('is given up soon, and what was not run is told', async () => {
    const { result, guests } = await play((guest) => guest.end(0), { cases: 500 });
    expect(result.verdict).toBe('divergent');
    expect(result.reason).toMatch(
      /^1 crash; gave up after 8 of 500 cases, 8 guests booted again \(the limit is 8 losses/,
    );
    expect(guests.length).toBeLessThan(50);
  });
  test('is given up soon where cases do not end, though the guests go on', async () => {
    const { result } = await play((guest, id) => guest.answer(id, [], STATUS.deadline), { cases: 500 });
    expect(result).toMatchObject({ verdict: 'divergent', scenarios: 4, hangs: [{ index: 0 }] });
  });
  test('a little more seldom goes on to the larger limit', async () => {
    const { result } = await play(
      (guest, id) => (!alone(id) && id % 60 === 59 ? guest.end(0) : guest.answer(id, STEPS)),
      { cases: 1200 },
    );
    expect(result).toMatchObject({ scenarios: 1200, times: { reboots: 20 } });
  });
  test('before its first case names what it was asked before', async () => {
    const question: PlannedCase = { index: 0x6000_0007, suite: 'arguments', scenario: CASE };
    let first = true;
    const { result } = await play(
      (guest, id) => {
        if (alone(id)) guest.print(OOPS);
        guest.answer(id, STEPS);
      },
      {
        asked: [question],
        boot: () => {
          const guest = new FakeGuest((one, id) => {
            if (first) {
              first = false;
              one.print(OOPS);
              one.end(0);
            } else obey(one, id);
          });
          return guest;
        },
      },
    );
    expect(result).toMatchObject({ verdict: 'divergent', crashes: [{ kind: 'oops' }] });
  });
});
