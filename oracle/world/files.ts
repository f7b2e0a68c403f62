/** Files and open file descriptions of the sandbox, as far as requests can see them. */

/** What a path leads to. */
export type Node =
  | { readonly type: 'file'; readonly id: string; content: Uint8Array; readonly xattrs: Map<string, Uint8Array> }
  | { readonly type: 'dir'; readonly id: string; readonly xattrs: Map<string, Uint8Array> }
  | { readonly type: 'symlink'; readonly target: string }
  | { readonly type: 'socket'; readonly socket: SocketState };

/** A pipe, which its two ends share. */
export interface PipeState {
  readonly id: string;
  /** Bytes in the pipe, oldest first. */
  bytes: Uint8Array;
}

/** A socket, which all its descriptors share. */
export interface SocketState {
  readonly id: string;
  readonly family: number;
  /** SOCK_STREAM etc. without flags. */
  readonly type: number;
  state: 'fresh' | 'bound' | 'listening' | 'connected' | 'unknown';
  readonly nonblock: boolean;
  /** Stream bytes waiting to be received. */
  inbox: Uint8Array;
  peer?: SocketState;
  /** Connections waiting to be accepted. */
  backlog: SocketState[];
  shut_read: boolean;
  shut_write: boolean;
}

/** An open file description; descriptors that were duplicated or inherited share the object. */
export type OpenFile =
  | {
      readonly kind: 'file';
      readonly node: Node & { type: 'file' };
      readonly readable: boolean;
      readonly writable: boolean;
      readonly append: boolean;
      pos: number;
    }
  | { readonly kind: 'dir'; readonly node: Node & { type: 'dir' } }
  /** Opened with O_PATH. */
  | { readonly kind: 'path'; readonly node: Node }
  | { readonly kind: 'pipe'; readonly pipe: PipeState; readonly end: 'read' | 'write'; readonly nonblock: boolean }
  | { readonly kind: 'socket'; readonly socket: SocketState }
  | { readonly kind: 'eventfd'; readonly id: string; counter: bigint; readonly nonblock: boolean }
  | {
      readonly kind: 'epoll';
      readonly id: string;
      readonly watches: Map<string, { readonly fd: number; readonly file: OpenFile }>;
    }
  /** A ring; `slot` is the one it was created in. */
  | { readonly kind: 'ring'; readonly slot: number }
  /** Something that is open but not modelled. */
  | { readonly kind: 'other' };

/** A fresh socket. */
export function newSocket(family: number, type: number, nonblock: boolean, id = 'socket:new'): SocketState {
  return {
    id,
    family,
    type,
    state: 'fresh',
    nonblock,
    inbox: new Uint8Array(0),
    backlog: [],
    shut_read: false,
    shut_write: false,
  };
}

/** Concatenates two byte strings. */
export function append(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}

/** Name of the object behind a descriptor, as `touches` uses it. */
export function objectName(file: OpenFile): string {
  switch (file.kind) {
    case 'file':
    case 'dir':
      return file.node.id;
    case 'path':
      return file.node.type === 'file' || file.node.type === 'dir' ? file.node.id : 'path-only';
    case 'pipe':
      return file.pipe.id;
    case 'socket':
      return file.socket.id;
    case 'eventfd':
    case 'epoll':
      return file.id;
    case 'ring':
      return `ring:${file.slot}`;
    case 'other':
      return 'other';
  }
}
