/** Every QEMU of this process, so that none outlives it, however it ends. */

const groups = new Set<number>();
let hooked = false;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Kills one process group at once. A group that is gone is no error. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // already gone
  }
}

/** Kills every registered process group. */
export function killAllGuests(): void {
  for (const pid of groups) killGroup(pid);
  groups.clear();
}

function hook(): void {
  if (hooked) return;
  hooked = true;
  process.on('exit', killAllGuests);
  for (const signal of SIGNALS) {
    const handler = (): void => {
      // Whoever else listens is in charge of ending the process; the exit hook then does the rest.
      if (process.listenerCount(signal) > 1) return;
      killAllGuests();
      process.off(signal, handler);
      process.kill(process.pid, signal);
    };
    process.on(signal, handler);
  }
}

/** Registers the leader of a process group to be killed when this process ends. */
export function registerGroup(pid: number): void {
  hook();
  groups.add(pid);
}

/** Forgets a group whose leader has ended: its number may soon be someone else's. */
export function forgetGroup(pid: number): void {
  groups.delete(pid);
}
