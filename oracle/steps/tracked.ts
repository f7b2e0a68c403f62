/**
 * Which tasks, rings and descriptor tables exist at a point of a scenario: the light model by which scenarios are kept
 * well-formed. It knows nothing of what the kernel will answer.
 */
import { RING_SLOTS } from '../scenario/layout.ts';

/** A thread group and the memory it shares. */
export interface TrackedProcess {
  readonly threads: Set<TrackedTask>;
  /** Ever shared its memory with another process, or had a second thread. */
  shared: boolean;
  /** The first process of a pid namespace: it makes no processes, does not execute itself and knows no outside. */
  readonly initial: boolean;
}

/** A task. */
export interface TrackedTask {
  readonly id: number;
  readonly parent: TrackedTask | undefined;
  /** `root`, or how it was made. */
  readonly how: string;
  /** The thread whose number is the process's. */
  leads: boolean;
  process: TrackedProcess;
  alive: boolean;
  /** The vfork child it waits for. */
  waitsFor: TrackedTask | undefined;
  hasRing: boolean;
  /** Ring slots in its descriptor table (the table is shared by threads). */
  files: Set<number>;
}

/** A ring. */
export interface TrackedRing {
  readonly slot: number;
  readonly flags: number;
  /** Rounded up to a power of two, as the kernel does. */
  entries: number;
  readonly creator: TrackedTask;
  /** The creator's process then: its polling thread ends with it, and with an exec. */
  readonly process: TrackedProcess;
  /** Entries consumed so far. */
  consumed: number;
  /** It has no descriptor: nobody but its creator comes to it. */
  readonly unshared?: true;
}

/** What exists. At first: task 0. */
export class Tracked {
  readonly tasks = new Map<number, TrackedTask>();
  readonly rings = new Map<number, TrackedRing>();
  /** Slots that a ring step has named so far. */
  readonly named = new Set<number>();

  constructor() {
    const process: TrackedProcess = { threads: new Set(), shared: false, initial: false };
    const root: TrackedTask = {
      id: 0,
      parent: undefined,
      how: 'root',
      leads: true,
      process,
      alive: true,
      waitsFor: undefined,
      hasRing: false,
      files: new Set(),
    };
    process.threads.add(root);
    this.tasks.set(0, root);
  }
}

/** Lets the parent of a vfork child go on. */
export function releaseParent(task: TrackedTask): void {
  if (task.how === 'vfork' && task.parent?.waitsFor === task) task.parent.waitsFor = undefined;
}

/** True, or that there is no such ring slot. */
export function checkSlot(slot: number): true | string {
  return Number.isInteger(slot) && slot >= 0 && slot < RING_SLOTS ? true : `ring slot ${slot} is out of range`;
}
