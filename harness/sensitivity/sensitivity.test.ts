/** A campaign on mutants: what becomes of each kind of fault, and of the next call. The guests are scripted. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type * as Frames from '../../oracle/case/frame.ts';
import { predict } from '../../oracle/predict.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { StepObservation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { SensitivityResult } from '../../reports/data/sensitivity.ts';
import { BootError, SetupError } from '../../vm/host/errors.ts';
import type { BootOptions, Kernel } from '../../vm/index.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import { numbered } from '../../vm/build/mutants.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';
import { FakeGuest, helloFrame, obedient } from '../testing/fake-guest.ts';
import type { Script } from '../testing/fake-guest.ts';
import { Journal } from './journal.ts';
import type { Trial } from './journal.ts';
import type { SensitivityOptions } from './options.ts';
import { onMutants } from './sensitivity.ts';

/** What was sent, by its number: a scripted guest sees no more than that. */
const sent = new Map<number, Scenario>();
vi.mock('../../oracle/case/frame.ts', async (original) => {
  const frames = await original<typeof Frames>();
  return {
    ...frames,
    encodeScenario: (...[scenario, options]: Parameters<typeof frames.encodeScenario>) => {
      sent.set(options.id, scenario);
      return frames.encodeScenario(scenario, options);
    },
  };
});

const ABI = ABI_7_0;
const CASES = 12;
const OOPS = '[    1.0] BUG: kernel NULL pointer dereference, address: 0\n[    1.0] ---[ end trace 0 ]---\n';

const right = (scenario: Scenario): StepObservation[] => obedient(predict(scenario, ABI).steps);
const wrong = (scenario: Scenario): StepObservation[] =>
  right(scenario).map((step) => ({ ...step, returns: step.returns.map((value) => value - 77) }));
/** Ids of a campaign are the cases' numbers; what runs alone has one above them. */
const alone = (id: number): boolean => id >= 0x4000_0000;

/** The case that was drawn with this number. */
const isCase = (id: number, index: number): boolean => {
  const drawn = sent.get(index);
  return drawn !== undefined && sent.get(id) === drawn;
};

const obey: Script = (guest, id) => guest.answer(id, right(sent.get(id)!));
const crash = (guest: FakeGuest): void => {
  guest.print(OOPS);
  guest.end(0);
};

/** By the ids of mutants, how their guests behave. */
const SCRIPTS: Readonly<Record<string, Script>> = {
  alive: obey,
  late: (guest, id) => (isCase(id, 7) ? guest.answer(id, wrong(sent.get(id)!)) : obey(guest, id)),
  flaky: (guest, id) => (id === 3 ? guest.answer(id, wrong(sent.get(id)!)) : obey(guest, id)),
  crash: (guest, id) => (isCase(id, 4) ? crash(guest) : obey(guest, id)),
  hang: (guest, id) => (isCase(id, 2) ? undefined : obey(guest, id)),
  probing: (guest) => crash(guest),
  // Refuses everything, and so has no filters.
  featureless: (guest, id) => {
    const refused = right(sent.get(id)!).map((step) => ({ ...step, returns: step.returns.map(() => -22), cqes: [] }));
    guest.answer(id, refused);
  },
  slow: (guest, id) => {
    // Fast enough that it is not silent.
    if (alone(id)) obey(guest, id);
    else setTimeout(() => obey(guest, id), 200);
  },
  unreached: obey,
  other: obey,
};
const FAILING: Readonly<Record<string, () => Error>> = {
  booting: () => new BootError('exit', 'it does not boot.', 'No.', '[    0.1] Kernel panic - not syncing: no\n', ''),
  broken: () => new SetupError('QEMU is broken.', 'Mend it.'),
};

const mutant = (id: string): Mutant => ({
  id,
  title: `t ${id}`,
  class: 'common',
  ...(id === 'other' ? { needs: 'race' } : {}),
  file: 'a.c',
  in: 'f',
  find: 'a',
  as: 'expression',
  replace: id,
  symptom: 's',
  argument: 'a',
});

let dir: string;
let booted: string[];
let notes: string[];
let given: number[];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-sensitivity-'));
  booted = [];
  notes = [];
  given = [];
  sent.clear();
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

interface Play extends Partial<SensitivityOptions> {
  readonly ids?: readonly string[];
  /** How the kernel without a fault behaves. */
  readonly reference?: Script;
  readonly stop?: AbortController;
  /** The cases that come to each mutant's place, as the kernel without a fault tells; absent: all, it says. */
  readonly places?: readonly number[];
  /** Called with each trial. */
  readonly onTrial?: (trials: readonly Trial[]) => void;
}

/** Notes the cases that mutants get. */
const noting =
  (script: Script): Script =>
  (guest, id) => {
    if (!alone(id)) given.push(id);
    script(guest, id);
  };

/** Tells with each case which places the one before came to: mutants with the numbers 1 and 2, always together. */
function telling(places: readonly number[] | undefined, script: Script): Script {
  let ordinal = 0;
  let before = -1;
  return (guest, id) => {
    if (places?.includes(before)) guest.print(`[    1.0] ringfence: case ${ordinal}: 1 2\n`);
    ordinal++;
    before = id;
    script(guest, id);
  };
}

async function play({ ids = [], reference = obey, stop, places, onTrial, ...more }: Play): Promise<SensitivityResult> {
  const mutants = ids.map(mutant);
  const all = numbered(mutants);
  const start = async ({ append = '' }: BootOptions): Promise<FakeGuest> => {
    const number = Number(/ringfence_mutant=(\d+)/.exec(append)?.[1] ?? 0);
    const id = all.find((one) => one.number === number)?.mutant.id;
    booted.push(id ?? 'reference');
    const failing = FAILING[id ?? ''];
    if (failing !== undefined) throw failing();
    const guest = new FakeGuest(
      id === undefined ? telling(places, reference) : noting(SCRIPTS[id]!),
      helloFrame(ABI.release),
    );
    const reached = all.filter((one) =>
      id === undefined ? places === undefined && one.mutant.id !== 'unreached' : one.mutant.id === id,
    );
    setImmediate(() => {
      if (id === undefined && !append.includes('ringfence_reach')) throw new Error(`no choice in "${append}"`);
      guest.print(reached.map((one) => `[    1.0] ringfence: mutant ${one.number} reached\n`).join(''));
    });
    return guest;
  };
  const kernel: Kernel = {
    release: ABI.release,
    machine: OWN_MACHINE,
    path: '/k/vmlinux',
    sha256: '',
    format: 'elf',
    source: 'file',
    requested: 'fake',
  };
  const options: SensitivityOptions = {
    linux: '../linux',
    mutants,
    wanted: () => true,
    keepGoing: false,
    patches: [],
    debug: false,
    seed: 1,
    quick: CASES,
    cases: 0,
    jobs: 2,
    append: '',
    accel: 'tcg',
    timeout: 0.3,
    grace: 60,
    required: 100,
    out: dir,
    fresh: false,
    command: 'npx ringfence sensitivity',
    ...more,
  };
  const events = {
    note: (text: string) => void notes.push(text),
    progress: () => {},
    finished: () => {},
    checkpoint: (_: SensitivityResult, trials: readonly Trial[]) => onTrial?.(trials),
  };
  return await onMutants({
    options,
    events,
    signal: (stop ?? new AbortController()).signal,
    kernel: { mutants: all, misfits: [], kernel },
    ready: {
      kernel,
      slow: false,
      image: { path: '' } as never,
      accel: { accel: 'tcg', reason: '', remembered: false },
      start,
    },
  });
}

const of = (result: SensitivityResult, id: string) => result.mutants.find((one) => one.id === id)!;

describe('what becomes of a mutant', () => {
  test('each kind of fault', async () => {
    const faults = ['booting', 'broken', 'crash', 'featureless', 'flaky', 'hang', 'late', 'other', 'probing'];
    const ids = ['alive', ...faults, 'unreached'];
    const result = await play({ ids });
    expect(of(result, 'late')).toMatchObject({
      state: 'killed',
      kill: { stage: 'quick', verdict: 'divergence', where: 'cases', cases: 8, case: 'mutants/late.json' },
    });
    expect(of(result, 'late').kill?.rule).toMatch(/\w/);
    expect(of(result, 'crash')).toMatchObject({
      state: 'killed',
      kill: { verdict: 'kernel-crash', cases: 5, detail: expect.stringMatching(/NULL pointer/) },
    });
    expect(of(result, 'hang')).toMatchObject({ state: 'killed', kill: { verdict: 'hang', cases: 3 } });
    expect(of(result, 'booting')).toMatchObject({
      state: 'killed',
      kill: { verdict: 'kernel-crash', where: 'booting', cases: 0, detail: expect.stringMatching(/Kernel panic/) },
    });
    expect(of(result, 'probing')).toMatchObject({ state: 'killed', kill: { verdict: 'kernel-crash' } });
    expect(of(result, 'featureless')).toMatchObject({
      state: 'killed',
      kill: { verdict: 'untestable', where: 'probing', cases: 0 },
    });
    expect(of(result, 'flaky')).toMatchObject({ state: 'alive', kill: null, unconfirmed: 1 });
    expect(of(result, 'alive')).toMatchObject({
      state: 'alive',
      missing: expect.stringMatching(/^many of 12 cases come/),
    });
    expect(of(result, 'unreached')).toMatchObject({ state: 'unreached', missing: expect.stringMatching(/none of 12/) });
    expect(of(result, 'broken')).toMatchObject({ state: 'untried', tried: null });
    expect(of(result, 'other')).toMatchObject({ state: 'alive', missing: expect.stringMatching(/race/) });
    expect(notes.join('\n')).toMatch(/broken could not be tried: QEMU is broken\./);
    expect(booted).not.toContain('unreached');
    expect(result).toMatchObject({
      complete: false,
      met: false,
      total: { mutants: 10, quick: 6, default: 0, alive: 2, unreached: 1, untried: 1 },
      classes: [{ name: 'common', mutants: 10 }],
      needs: [{ name: 'race', mutants: 1, alive: 1 }],
    });
  });
  test('one that answers, and takes too long for it', async () => {
    expect(of(await play({ ids: ['slow'], timeout: 10, grace: 0.3 }), 'slow')).toMatchObject({
      state: 'killed',
      kill: { verdict: 'hang', detail: expect.stringMatching(/more than 4 times as long/) },
    });
  });
  test('only cases that come to its place are tried, and counted as if all were', async () => {
    const result = await play({ ids: ['alive', 'late'], places: [2, 7, 9], jobs: 1 });
    expect(of(result, 'late').kill).toMatchObject({ cases: 8 });
    // The last case of each guest is not told of, and may come there.
    expect(of(result, 'alive').missing).toBe('4 of 12 cases come to its place and get no other answer');
    const alive = given.slice(0, 4);
    expect([alive, given.slice(4).filter((id) => id < 9)]).toEqual([
      [2, 7, 9, 11],
      [2, 7],
    ]);
    const journal = await play({ ids: ['alive', 'late'], places: [], jobs: 1, fresh: true });
    expect(journal.mutants.map(({ state }) => state)).toEqual(['unreached', 'unreached']);
  });
  test('survivors get the cases of a default run, but for those they had; no more is asked than required', async () => {
    const ids = ['alive', 'crash', 'late', 'other'];
    const result = await play({ ids, quick: 6, cases: 10, required: 60 });
    expect(of(result, 'crash').kill).toMatchObject({ stage: 'quick', cases: 5 });
    expect(of(result, 'late').kill).toMatchObject({ stage: 'default', cases: 8 });
    expect(of(result, 'alive')).toMatchObject({ state: 'alive', tried: 'default' });
    // The first case once for each; what is in flight when a guest dies comes again.
    expect(given.filter((id) => id === 0)).toHaveLength(ids.length);
    // What needs more than a scenario has is left alone.
    expect(of(result, 'other')).toMatchObject({ state: 'alive', tried: 'quick' });
    expect(result).toMatchObject({ met: true, complete: true, total: { mutants: 3, quick: 1, default: 1 } });
  });
});

describe('the kernel without a fault', () => {
  test('must be conformant', async () => {
    const reference: Script = (guest, id) => (isCase(id, 5) ? guest.answer(id, wrong(sent.get(id)!)) : obey(guest, id));
    await expect(play({ ids: ['alive'], reference })).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/does not pass without a mutant: case 5 of .*\n.*ringfence run/),
    });
  });
  test('may differ once', async () => {
    const reference: Script = (guest, id) =>
      id === 5 && !alone(id) ? guest.answer(id, wrong(sent.get(id)!)) : obey(guest, id);
    expect(of(await play({ ids: ['late'], reference }), 'late').state).toBe('killed');
    expect(notes.join('\n')).toMatch(/case 5 of .* differed once without a mutant/);
  });
});

describe('the next call', () => {
  test('goes on: what was tried is not tried again, what was changed is', async () => {
    await play({ ids: ['alive', 'late'] });
    booted = [];
    const result = await play({ ids: ['alive', 'crash', 'late'] });
    expect(new Set(booted)).toEqual(new Set(['reference', 'crash']));
    expect(result.mutants.map(({ state }) => state)).toEqual(['alive', 'killed', 'killed']);
    booted = [];
    await play({ ids: ['alive', 'late'], fresh: true });
    expect(new Set(booted)).toEqual(new Set(['reference', 'alive', 'late']));
  });
  test('after Ctrl-C as well; a line that was cut short does not count', async () => {
    const stop = new AbortController();
    const ids = ['late', 'crash', 'hang'];
    const onTrial = (trials: readonly Trial[]): void => {
      if (trials.length === 1) stop.abort();
    };
    await expect(play({ ids, jobs: 1, stop, onTrial })).rejects.toThrow();
    const journal = join(dir, 'sensitivity.jsonl');
    expect(readFileSync(journal, 'utf8').trim().split('\n')).toHaveLength(2);
    appendFileSync(journal, '{"id":"la');
    booted = [];
    const result = await play({ ids, jobs: 1 });
    expect(result.total).toMatchObject({ quick: 3 });
    expect(new Set(booted).size).toBe(3);
    // Nothing was written behind the half line.
    booted = [];
    await play({ ids, jobs: 1 });
    expect(booted).toEqual(['reference']);
  });
  test('after a full disk: what could not be written is tried again, and nothing else', async () => {
    const ids = ['late', 'crash', 'hang'];
    const full = new SetupError('x could not be written: ENOSPC.', 'Free some space.');
    const add = vi.spyOn(Journal.prototype, 'add');
    add.mockImplementationOnce(() => {
      throw full;
    });
    await expect(play({ ids })).rejects.toBe(full);
    add.mockRestore();
    const tried = booted.filter((id) => id !== 'reference');
    expect(new Set(tried).size).toBe(2);
    booted = [];
    const result = await play({ ids });
    expect(result.total).toMatchObject({ quick: 3, untried: 0 });
    expect(new Set(booted.filter((id) => id !== 'reference')).size).toBe(2);
  });
  test('with other cases needs another place', async () => {
    await play({ ids: ['late'] });
    await expect(play({ ids: ['late'], seed: 2 })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/another campaign: its seed, drawn cases are not the same.*\n.*--fresh/),
    });
  });
});
