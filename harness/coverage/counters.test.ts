import { describe, expect, it } from 'vitest';
import { Session } from '../guests/session.ts';
import { FakeGuest } from '../testing/fake-guest.ts';
import { Counters } from './counters.ts';

const GCOV = '/sys/kernel/debug/gcov';
const PATH = `${GCOV}/build/io_uring/net.gcda`;

/** A guest with these files; those that are written to are listed. */
function guestWith(files: Readonly<Record<string, string>>): {
  guest: FakeGuest;
  written: string[];
  files: typeof files;
} {
  const guest = new FakeGuest((one, id) => one.answer(id, []));
  const written: string[] = [];
  const own = { ...files };
  guest.files = (path, text) => {
    if (text !== undefined && own[path] !== undefined) written.push(`${path}=${text}`);
    return own[path] ?? -2;
  };
  return { guest, written, files: own };
}
const open = async (guest: FakeGuest): Promise<Session> => await Session.open(guest, 5000);

describe('counters of guests', () => {
  it('begin at zero, are read when a guest is switched off, and are kept', async () => {
    const { guest, written, files } = guestWith({ [`${GCOV}/reset`]: '', [PATH]: 'boot' });
    const counters = new Counters('/build', ['io_uring/net.c']);
    const session = await open(guest);
    await counters.open(session);
    await counters.reset(session);
    expect(written).toEqual([`${GCOV}/reset=1`, `${GCOV}/reset=1`]);
    (files as Record<string, string>)[PATH] = 'x'.repeat(1000);
    await session.close();
    expect(counters.guests.map((one) => one.get('io_uring/net.c')!.toString())).toEqual(['x'.repeat(1000)]);
    expect(counters.lost).toBe(0);
  });

  it('of a guest that dies are those of the last look', async () => {
    const { guest, files } = guestWith({ [`${GCOV}/reset`]: '', [PATH]: 'first' });
    const counters = new Counters('/build', ['io_uring/net.c'], 20);
    const session = await open(guest);
    await counters.open(session);
    (files as Record<string, string>)[PATH] = 'second';
    await expect.poll(() => counters.guests[0]?.get('io_uring/net.c')?.toString()).toBe('second');
    guest.end(1);
    await new Promise((resolve) => setImmediate(resolve));
    await session.close();
    expect(counters.guests).toHaveLength(1);
    expect(counters.lost).toBe(1);
  });

  it('of a guest that is slow are asked for once at a time', async () => {
    const { guest } = guestWith({ [`${GCOV}/reset`]: '', [PATH]: 'x' });
    const session = await open(guest);
    await new Counters('/build', ['io_uring/net.c'], 5).open(session);
    guest.files = undefined;
    let asked = 0;
    const send = guest.send.bind(guest);
    guest.send = async (bytes) => {
      asked++;
      await send(bytes);
    };
    await expect.poll(() => asked).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(asked).toBe(1);
    guest.end(1);
  });

  it.each([
    ['a kernel without debugfs', {}, 'no debugfs', 'CONFIG_DEBUG_FS'],
    ['a kernel without gcov', { '/sys/kernel/debug': 'sched/\0' }, 'without CONFIG_GCOV_KERNEL', '--linux DIR'],
    ['a file that does not count', { [`${GCOV}/reset`]: '' }, 'counts nothing in io_uring/net.c', 'leaves that file'],
  ])('%s is told', async (_, files, what, advice) => {
    const session = await open(guestWith(files).guest);
    const failed = await new Counters('/build', ['io_uring/net.c']).open(session).catch((error: unknown) => error);
    expect(String(failed)).toContain(what);
    expect((failed as { advice: string }).advice).toContain(advice);
    await session.close();
  });
});

describe('files of a guest', () => {
  it('come in as many parts as they like', async () => {
    const { guest } = guestWith({ '/long': 'ab'.repeat(500), '/empty': '' });
    guest.chunk = 300;
    const session = await open(guest);
    const [long, empty] = await Promise.all([session.read('/long'), session.read('/empty')]);
    expect([long.toString(), empty.length]).toEqual(['ab'.repeat(500), 0]);
    await expect(session.read('/nothing')).rejects.toThrow('/nothing in the guest: errno 2');
    await expect(session.write('/nothing', '')).rejects.toMatchObject({ errno: 2 });
    await session.close();
    await expect(session.read('/long')).rejects.toThrow('the guest stopped');
  });

  it('that never come end the session, as a scenario does', async () => {
    const guest = new FakeGuest(() => {});
    const session = await Session.open(guest, 60);
    await expect(session.read('/long')).rejects.toThrow('no answer for 0.06 s');
  });
});
