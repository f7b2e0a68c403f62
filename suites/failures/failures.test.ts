import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scanConsole } from '../../vm/console/console.ts';
import { prepare } from '../../harness/run/prepare.ts';
import type { Prepared } from '../../harness/run/prepare.ts';
import { SessionEnded } from '../../harness/guests/session.ts';
import { FAULTS } from './kernel.ts';
import { judge, readRecorded, TOLD } from './told.ts';

const RECORDED = readRecorded();

test('each fault has what must be told of it; what real guests said is of faults that there are', () => {
  const ids = FAULTS.map(({ id }) => id).sort();
  expect(Object.keys(TOLD).sort()).toEqual(ids);
  expect(ids).toEqual(expect.arrayContaining(Object.keys(RECORDED)));
});

test.each(Object.entries(RECORDED))('%s was told as it should be', (id, recorded) => {
  expect(judge(id, recorded)).toBeUndefined();
});

const CRASHES = Object.entries(RECORDED).filter(([id]) => TOLD[id]?.verdict === 'crash');

test.each(CRASHES)('%s stands on the console of a real guest, and is found there', (id, recorded) => {
  const { kind, words } = TOLD[id]!;
  const console = recorded.told.find((one) => one.kind === kind)!.console;
  expect(scanConsole(console)).toContainEqual(
    expect.objectContaining({ kind, title: expect.stringMatching(new RegExp(words)) }),
  );
});

test('what is told otherwise, or not at all, is a fault', () => {
  const [id] = Object.keys(RECORDED);
  const right = RECORDED[id!]!;
  expect(judge(id!, { ...right, code: 125 })).toMatch(/NOT TOLD/);
  expect(judge(id!, { ...right, told: [] })).toMatch(/TOLD OTHERWISE/);
});

describe('a real guest', () => {
  let prepared: Prepared;
  beforeAll(async () => {
    const quiet = { note: () => {}, consoleFile: () => undefined };
    prepared = await prepare({ append: '', accel: 'auto', timeout: 120 }, quiet, new AbortController().signal);
  }, 300_000);
  afterAll(async () => {
    await prepared?.guests.closeAll();
  });

  test('that crashes between two cases says so', async () => {
    const session = prepared.first;
    const error = await session.write('/proc/sysrq-trigger', 'c').catch((one: unknown) => one);
    expect(error).toBeInstanceOf(SessionEnded);
    const { end } = error as SessionEnded;
    expect(end).toMatchObject({ reason: 'crash', running: undefined });
    expect(end.reports.map(({ title }) => title).join('\n')).toMatch(/sysrq triggered crash|NULL pointer/i);
  }, 120_000);

  test('is switched off, and gone', async () => {
    const session = await prepared.guests.open();
    expect(await prepared.guests.powerOff(session)).toBeUndefined();
    expect(await session.guest.exited).toMatchObject({ code: 0, signal: null });
    expect(session.ended).toMatchObject({ reason: 'killed', detail: 'powered off' });
  }, 120_000);
});
