/**
 * What requests act on: the scenario's directory, descriptor tables, memory, and
 * the registered resources of rings. One Sandbox stands for one task's descriptor
 * table and memory; tables that belong to one scenario share the CommonState.
 */
import type { Open, OpenSet } from '../open-answer.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import type { Fixture } from '../scenario/layout.ts';
import { ARENA, ARENA_BASE, FD, FILE_CONTENT } from '../scenario/layout.ts';
import { RingResources } from './ring-resources.ts';
import { AF, E, SOCK } from '../uapi/constants.ts';
import type { Node, OpenFile, PipeState, SocketState } from './files.ts';
import { newSocket, objectName } from './files.ts';
import { Memory, MEMORY_GRAIN } from './memory.ts';
import { WORLD } from './open.ts';

/** State that all tasks of a scenario share. */
export class CommonState {
  /** The scenario's directory: path relative to it -> what is there. "d0/x" style names are allowed. */
  readonly paths = new Map<string, Node>();
  /** Names of resources whose state is no longer known, and why. */
  readonly tainted = new Map<string, Open>();
  /** At most so many descriptors were opened in one table: with many, new ones fill the gaps between the fixtures'. */
  opened = 0;
  /** Every table of descriptors that there was, and files that got a descriptor whose number nobody knows. */
  readonly tables = new Set<ReadonlyMap<number, OpenFile>>();
  readonly kept = new Set<OpenFile>();
  /** Some request may never end, and keeps its files. */
  unfinished = false;
  readonly #rings = new Map<number, RingResources>();

  /** Whether anybody may have this end of a pipe; certain is only that nobody has. */
  mayHold(pipe: PipeState, end: 'read' | 'write'): boolean {
    const isEnd = (file: OpenFile | undefined): boolean =>
      file?.kind === 'pipe' && file.pipe === pipe && file.end === end;
    if (this.unfinished || this.tainted.size > 0 || [...this.kept].some(isEnd)) return true;
    for (const table of this.tables) for (const file of table.values()) if (isEnd(file)) return true;
    return [...this.#rings.values()].some(({ unknown, files }) => unknown !== undefined || files?.some(isEnd) === true);
  }

  /** Registered resources of the ring created in `slot`. */
  ring(slot: number): RingResources {
    let resources = this.#rings.get(slot);
    if (resources === undefined) {
      resources = new RingResources();
      this.#rings.set(slot, resources);
    }
    return resources;
  }
}

/** Descriptors below this may be the runner's own or come from earlier requests: never known. */
const FIRST_KNOWN_FD = FD.file;
const LAST_KNOWN_FD = FD.closed;
/** The runner's own descriptors stand below this, and new ones fill the gaps below those. */
const ABOVE_ALL_FDS = 128;
/** Descriptors between the standard ones and the first fixture, less a few to spare. */
const GAP = FD.file - 8;

/** One descriptor table, and the memory it is used with. */
export class Sandbox {
  readonly abi: AbiProfile;
  readonly common: CommonState;
  readonly fds: Map<number, OpenFile>;
  readonly memory: Memory;

  /** The root task's state after `fixtures` were made ready. */
  constructor(
    fixtures: readonly Fixture[],
    abi: AbiProfile,
    from?: { readonly common: CommonState; readonly fds: Map<number, OpenFile>; readonly memory: Memory },
  ) {
    this.abi = abi;
    this.common = from?.common ?? new CommonState();
    this.fds = from?.fds ?? new Map<number, OpenFile>();
    this.common.tables.add(this.fds);
    this.memory = from?.memory ?? new Memory(abi.little_endian);
    if (!from) for (const fixture of fixtures) this.#prepare(fixture);
  }

  /**
   * The state of a child with a descriptor table of its own.
   * @param shareMemory true for CLONE_VM (vfork, clone_vm); threads share the whole Sandbox instead.
   */
  fork(shareMemory = false): Sandbox {
    return new Sandbox([], this.abi, {
      common: this.common,
      fds: new Map(this.fds),
      memory: shareMemory ? this.memory : this.memory.copy(this.abi.little_endian),
    });
  }

  /**
   * This task's descriptors over other memory (the pages of a registered buffer stay those of whoever registered it).
   */
  over(memory: Memory): Sandbox {
    return memory === this.memory ? this : new Sandbox([], this.abi, { common: this.common, fds: this.fds, memory });
  }

  /** The same descriptors over a copy of the memory: CLONE_FILES without CLONE_VM. */
  overCopy(): Sandbox {
    return this.over(this.memory.copy(this.abi.little_endian));
  }

  /** So many descriptors were opened that new ones may have got numbers among or above those the scenario reserves. */
  get crowded(): boolean {
    return this.common.opened >= GAP;
  }

  /** What descriptor `fd` is; rings are the core's business (see OpContext.ringAt). */
  file(fd: number): OpenFile | 'closed' | 'unknown' {
    const file = this.fds.get(fd);
    if (file !== undefined) return file;
    if (fd >= 0 && this.crowded) return 'unknown';
    if (fd < 0 || (fd >= FIRST_KNOWN_FD && fd <= LAST_KNOWN_FD) || fd >= ABOVE_ALL_FDS) return 'closed';
    return 'unknown';
  }

  /**
   * Notes that the state of a named resource ("path:n0", "pipe", "mem:384") is no longer known: requests raced over it.
   */
  taint(name: string, place: Open): void {
    if (name.startsWith('mem:'))
      this.memory.forget(BigInt(ARENA_BASE + ARENA.data + Number(name.slice(4))), MEMORY_GRAIN);
    else this.common.tainted.set(name, place);
  }

  /** Notes that any object the scenario started with may have changed. */
  taintObjects(place: Open): void {
    for (const file of this.fds.values()) this.taint(objectName(file), place);
  }

  /**
   * Notes that requests ran in an order nobody knows: what they would have done in the other one is not known either.
   */
  blur(ring: number, place: Open): void {
    this.taintObjects(place);
    for (const node of this.common.paths.values())
      if (node.type === 'file' || node.type === 'dir') this.taint(node.id, place);
    this.taint(`files:${ring}`, place);
    this.memory.forgetAll();
  }

  /** Why the state of any of these resources is unknown, or undefined. */
  tainted(names: readonly string[]): Open | undefined {
    const { tainted } = this.common;
    if (tainted.size === 0) return undefined;
    for (const name of names) {
      // What lies below a path that nobody knows is not known either.
      for (let end = name.length; end > 0; end = name.lastIndexOf('/', end - 1)) {
        const place = tainted.get(name.slice(0, end));
        if (place !== undefined) return place;
      }
    }
    return undefined;
  }

  /**
   * Does a path (relative to the scenario's directory) exist, symbolic links followed: 0, -ENOENT, or whatever
   * comes, as probe_path answers.
   */
  probePath(path: string): number | OpenSet {
    // A directory that nobody knows takes what is in it along.
    const place = this.tainted([`path:${path}`]);
    if (place !== undefined) return place.any;
    const node = this.common.paths.get(path);
    if (node === undefined) return -E.NOENT;
    return node.type === 'symlink' ? this.probePath(node.target) : 0;
  }

  /**
   * 0, -EBADF, or whatever comes for a descriptor the model does not know, as probe_fd answers. Rings are the core's
   * business.
   */
  probeFd(fd: number): number | OpenSet {
    const place = this.common.tainted.get(`fd:${fd}`);
    if (place !== undefined) return place.any;
    const file = this.file(fd);
    if (file === 'unknown') return WORLD['descriptor.not-ours'].any;
    return file === 'closed' ? -E.BADF : 0;
  }

  #prepare(fixture: Fixture): void {
    const { fds, common } = this;
    const content = () => new TextEncoder().encode(FILE_CONTENT);
    const pipe = (id: string, bytes: Uint8Array, read: number, write: number): void => {
      const state: PipeState = { id, bytes };
      fds.set(read, { kind: 'pipe', pipe: state, end: 'read', nonblock: false });
      fds.set(write, { kind: 'pipe', pipe: state, end: 'write', nonblock: false });
    };
    const socket = (fd: number, state: SocketState): SocketState => {
      fds.set(fd, { kind: 'socket', socket: state });
      return state;
    };
    switch (fixture) {
      case 'file': {
        const node: Node & { type: 'file' } = { type: 'file', id: 'node:f0', content: content(), xattrs: new Map() };
        common.paths.set('f0', node);
        fds.set(FD.file, { kind: 'file', node, readable: true, writable: true, append: false, pos: 0 });
        break;
      }
      case 'pipe':
        pipe('pipe', new Uint8Array(0), FD.pipe_read, FD.pipe_write);
        break;
      case 'pipe_full':
        pipe('pipe2', content(), FD.pipe2_read, FD.pipe2_write);
        break;
      case 'socketpair': {
        const a = socket(FD.socketpair_a, newSocket(AF.UNIX, SOCK.STREAM, false, 'socketpair'));
        const b = socket(FD.socketpair_b, newSocket(AF.UNIX, SOCK.STREAM, false, 'socketpair'));
        a.peer = b;
        b.peer = a;
        a.state = b.state = 'connected';
        break;
      }
      case 'eventfd':
        fds.set(FD.eventfd, { kind: 'eventfd', id: 'eventfd', counter: 1n, nonblock: true });
        break;
      case 'epoll':
        fds.set(FD.epoll, { kind: 'epoll', id: 'epoll', watches: new Map() });
        break;
      case 'listener': {
        const listener = socket(FD.listener, newSocket(AF.UNIX, SOCK.STREAM, false, 'listener'));
        listener.state = 'listening';
        common.paths.set('sock', { type: 'socket', socket: listener });
        break;
      }
      case 'datagram':
        socket(FD.datagram, newSocket(AF.UNIX, SOCK.DGRAM, true, 'datagram'));
        break;
      case 'stream':
        socket(FD.stream, newSocket(AF.UNIX, SOCK.STREAM, false, 'stream'));
        break;
      case 'dir':
        common.paths.set('d0', { type: 'dir', id: 'node:d0', xattrs: new Map() });
        break;
      case 'loopback':
        socket(FD.inet_listener, newSocket(AF.INET, SOCK.STREAM, false, 'inet_listener')).state = 'listening';
        break;
      case 'inet':
        socket(FD.inet, newSocket(AF.INET, SOCK.STREAM, true, 'inet'));
        break;
    }
  }
}
