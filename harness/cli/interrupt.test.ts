/** What Ctrl-C does. The signals are emitted here, not sent: cli.test.ts sends them to a process of its own. */
import { afterEach, expect, test, vi } from 'vitest';
import { interruptible } from './interrupt.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Work that goes on until it is told to end, and what was told and kept meanwhile. */
function start(keeps: boolean) {
  vi.useFakeTimers({ toFake: ['performance'] });
  const said: string[] = [];
  const exits = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  const before = process.listeners('SIGINT').length;
  const { promise, resolve } = Promise.withResolvers<string>();
  let aborted = false;
  const keep = (): void => void said.push('kept');
  const note = (text: string): void => void said.push(text);
  const done = interruptible(keeps ? { note, keep } : { note }, async (signal) => {
    signal.addEventListener('abort', () => {
      aborted = true;
    });
    return await promise;
  });
  const added = (): number => process.listeners('SIGINT').length - before;
  return { said, exits, done, end: resolve, added, aborted: () => aborted };
}

/** Handlers of interrupted work stay until the process ends; this one goes on. */
function removeAll(count: number): void {
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    for (const listener of process.listeners(name).slice(-count)) process.off(name, listener);
}

test('without an interrupt nothing is left', async () => {
  const work = start(true);
  expect(work.added()).toBe(1);
  work.end('done');
  expect(await work.done).toBe('done');
  expect(work.added()).toBe(0);
  expect(work.said).toEqual([]);
});

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('the first %s ends the work, which still answers', async (name) => {
  const work = start(true);
  process.emit(name, name);
  expect(work.aborted()).toBe(true);
  // npm and the launcher pass on the same one.
  vi.advanceTimersByTime(299);
  process.emit(name, name);
  expect(work.said).toEqual(['interrupted: stopping the guests and writing what was found (once more: at once)']);
  work.end('what was found');
  expect(await work.done).toBe('what was found');
  expect(work.exits).not.toHaveBeenCalled();
  expect(work.added()).toBe(1);
  removeAll(1);
});

test('the second keeps what there is and ends at once, also while reports are written', async () => {
  const work = start(true);
  process.emit('SIGINT', 'SIGINT');
  work.end('');
  await work.done;
  vi.advanceTimersByTime(300);
  process.emit('SIGTERM', 'SIGTERM');
  expect(work.said.at(-1)).toBe('kept');
  expect(work.exits.mock.calls).toEqual([[130]]);
  removeAll(1);
});

test('with nothing to keep, nothing is promised', async () => {
  const work = start(false);
  process.emit('SIGINT', 'SIGINT');
  expect(work.said).toEqual(['interrupted: stopping the guests (once more: at once)']);
  vi.advanceTimersByTime(300);
  process.emit('SIGINT', 'SIGINT');
  expect(work.exits.mock.calls).toEqual([[130]]);
  work.end('');
  await work.done;
  removeAll(1);
});

test('work that fails leaves nothing either', async () => {
  const before = process.listeners('SIGINT').length;
  await expect(interruptible({ note: () => undefined }, () => Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(process.listeners('SIGINT').length).toBe(before);
});
