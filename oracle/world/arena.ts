/**
 * The constant part of the arena: what the pointers of ready-made requests point
 * at. Everything is at a fixed address, so that an SQE is plain data.
 */
import { ARENA, ARENA_BASE } from '../scenario/layout.ts';
import { AF } from '../uapi/constants.ts';

/** Lays objects one after the other and remembers where they are. */
class Layout {
  readonly #place: { at: number; write: (view: DataView, bytes: Uint8Array, le: boolean) => void }[] = [];
  #next = 0x10;

  /** Reserves `size` bytes; returns the guest address. What does not fit into the image fails when it is rendered. */
  put(size: number, write: (view: DataView, bytes: Uint8Array, le: boolean) => void): bigint {
    const at = this.#next;
    this.#next = (at + size + 15) & ~15;
    this.#place.push({
      at,
      write: (view, bytes, le) => write(new DataView(view.buffer, at, size), bytes.subarray(at, at + size), le),
    });
    return BigInt(ARENA_BASE + at);
  }

  text(text: string): bigint {
    const encoded = new TextEncoder().encode(text);
    return this.put(encoded.length + 1, (_view, bytes) => bytes.set(encoded));
  }

  render(le: boolean): Uint8Array {
    const image = new Uint8Array(ARENA.image_size);
    const view = new DataView(image.buffer);
    for (const { write } of this.#place) write(view, image, le);
    return image;
  }
}

const layout = new Layout();

function u64s(...values: (bigint | number)[]): bigint {
  return layout.put(values.length * 8, (view, _bytes, le) => {
    for (const [i, value] of values.entries()) view.setBigUint64(i * 8, BigInt(value), le);
  });
}

function u32s(...values: number[]): bigint {
  return layout.put(values.length * 4, (view, _bytes, le) => {
    for (const [i, value] of values.entries()) view.setUint32(i * 4, value, le);
  });
}

/** Address of a byte of ARENA.data. */
export function data(offset: number): bigint {
  return BigInt(ARENA_BASE + ARENA.data + offset);
}

/** Offset of an address from the start of the arena. */
export function arenaOffset(address: bigint): number {
  return Number(address - BigInt(ARENA_BASE));
}

/** struct iovec[]. */
function iovec(...segments: [bigint, number][]): bigint {
  return u64s(...segments.flat());
}

/** struct msghdr of a 64-bit kernel: name, namelen, iov, iovlen, control, controllen, flags. */
function msghdr(iov: bigint, iovlen: number, name = 0n, namelen = 0): bigint {
  return layout.put(56, (view, _bytes, le) => {
    view.setBigUint64(0, name, le);
    view.setUint32(8, namelen, le);
    view.setBigUint64(16, iov, le);
    view.setBigUint64(24, BigInt(iovlen), le);
  });
}

/** struct sockaddr_in: the port and the address are big-endian on every machine. */
function sockaddrIn(port: number, address: number): bigint {
  return layout.put(16, (view, _bytes, le) => {
    view.setUint16(0, AF.INET, le);
    view.setUint16(2, port, false);
    view.setUint32(4, address, false);
  });
}

function sockaddrIn6(port: number, address: readonly number[]): bigint {
  return layout.put(28, (view, bytes, le) => {
    view.setUint16(0, AF.INET6, le);
    view.setUint16(2, port, false);
    bytes.set(address, 8);
  });
}

function sockaddrUn(path: string): bigint {
  return layout.put(2 + path.length + 1, (view, bytes, le) => {
    view.setUint16(0, AF.UNIX, le);
    bytes.set(new TextEncoder().encode(path), 2);
  });
}

const LOOPBACK6 = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/** NUL-terminated paths, by name. "n0".."n7" exist only when a request creates them. */
export const PATH = {
  f0: layout.text('f0'),
  d0: layout.text('d0'),
  sock: layout.text('sock'),
  n0: layout.text('n0'),
  n1: layout.text('n1'),
  n2: layout.text('n2'),
  n3: layout.text('n3'),
  n4: layout.text('n4'),
  n5: layout.text('n5'),
  n6: layout.text('n6'),
  n7: layout.text('n7'),
  /** A name that nothing ever creates. */
  missing: layout.text('missing'),
  missing_dir: layout.text('missing/x'),
  below_file: layout.text('f0/x'),
  in_dir: layout.text('d0/x'),
  empty: layout.text(''),
  dot: layout.text('.'),
} as const;

/** Names and values of extended attributes. */
export const XATTR = {
  user: layout.text('user.ringfence'),
  unset: layout.text('user.unset'),
  empty: layout.text(''),
  value: layout.text('value-of-the-attribute'),
} as const;

/** Offsets inside ARENA.data that ready-made requests use, 256 bytes apart. */
export const DATA = {
  read: 0x000,
  write: 0x100,
  vector_a: 0x200,
  vector_b: 0x280,
  xattr: 0x300,
  statx: 0x400,
  pipe_fds: 0x500,
  epoll: 0x600,
  provide: 0x800,
  recv: 0xa00,
  siginfo: 0xb00,
  update: 0xc00,
} as const;

/** struct iovec arrays. */
export const IOVEC = {
  /** One segment of 16 bytes at DATA.vector_a. */
  one: iovec([data(DATA.vector_a), 16]),
  /** Two segments of 8 bytes. */
  two: iovec([data(DATA.vector_a), 8], [data(DATA.vector_b), 8]),
} as const;

/** struct msghdr. */
export const MSGHDR = {
  one: msghdr(IOVEC.one, 1),
  none: msghdr(0n, 0),
} as const;

/** struct sockaddr_* with their full lengths. */
export const SOCKADDR = {
  /** 127.0.0.1:7000, 16 bytes. */
  inet: sockaddrIn(7000, 0x7f000001),
  /** 127.0.0.1:7001 (nobody listens), 16 bytes. */
  inet_refused: sockaddrIn(7001, 0x7f000001),
  /** [::1]:7000, 28 bytes. */
  inet6: sockaddrIn6(7000, LOOPBACK6),
  /** "sock", 7 bytes with the NUL. */
  unix: sockaddrUn('sock'),
  /** "n6" for bind, 5 bytes with the NUL. */
  unix_new: sockaddrUn('n6'),
  /** "missing", 10 bytes. */
  unix_missing: sockaddrUn('missing'),
  /** AF_UNSPEC, 16 zero bytes. */
  unspec: layout.put(16, () => undefined),
  /** Family 200, 16 bytes. */
  unknown: layout.put(16, (view, _bytes, le) => view.setUint16(0, 200, le)),
} as const;

/** Full length of each sockaddr above, bytes. */
export const SOCKADDR_LEN: { readonly [K in keyof typeof SOCKADDR]: number } = {
  inet: 16,
  inet_refused: 16,
  inet6: 28,
  unix: 7,
  unix_new: 5,
  unix_missing: 10,
  unspec: 16,
  unknown: 16,
};

/** struct __kernel_timespec. */
export const TIMESPEC = {
  /** 1 microsecond. */
  tiny: u64s(0, 1000),
  zero: u64s(0, 0),
  /** tv_nsec = -1: invalid. */
  negative: u64s(0, (1n << 64n) - 1n),
  /** One hour: long enough never to fire. */
  hour: u64s(3600, 0),
} as const;

/**
 * struct open_how: u64 flags, mode, resolve (24 bytes), and longer and odd ones. Flags are the values every
 * architecture shares.
 */
export const OPEN_HOW = {
  rdonly: u64s(0, 0, 0),
  rdwr: u64s(2, 0, 0),
  create: u64s(0o101, 0o644, 0),
  create_excl: u64s(0o301, 0o600, 0),
  trunc: u64s(0o1001, 0, 0),
  append_nonblock: u64s(0o6001, 0, 0),
  cloexec: u64s(0o2000000, 0, 0),
  path: u64s(0o10000000, 0, 0),
  path_cloexec: u64s(0o12000000, 0, 0),
  beneath: u64s(0, 0, 0x08),
  in_root: u64s(0, 0, 0x10),
  no_symlinks: u64s(0, 0, 0x04),
  no_magiclinks: u64s(2, 0, 0x02),
  no_xdev: u64s(0, 0, 0x01),
  create_beneath: u64s(0o102, 0o755, 0x08),
  all_modes: u64s(0o101, 0o7777, 0x04),
  /** Mode without O_CREAT: refused when it runs, not by prep. */
  mode_without_create: u64s(0, 0o644, 0),
  /** A mode bit no file can have. */
  bad_mode: u64s(0o101, 0o10000, 0),
  /** Unknown flag above 32 bits. */
  bad_flags: u64s(1n << 40n, 0, 0),
  /** Unknown RESOLVE_ bit. */
  bad_resolve: u64s(0, 0, 1n << 63n),
  /** BENEATH and IN_ROOT exclude each other. */
  beneath_in_root: u64s(0, 0, 0x18),
  /** Creating with RESOLVE_CACHED: -EAGAIN. */
  create_cached: u64s(0o101, 0o644, 0x20),
  /** 32 bytes whose tail is zero: accepted. */
  long_zero: u64s(0, 0, 0, 0),
  /** 32 bytes whose tail is not zero: -E2BIG at prep. */
  long_set: u64s(0, 0, 0, 1),
} as const;

/**
 * struct epoll_event: packed (12 bytes) on x86-64, 16 bytes with padding elsewhere; zeroes in both cases are harmless.
 */
export const EPOLL_EVENT = {
  in: layout.put(16, (view, _bytes, le) => view.setUint32(0, 1, le)),
} as const;

/** Futex words. */
export const FUTEX = {
  /** Holds 7; requests wait for another value. */
  seven: u32s(7),
  zero: u32s(0),
} as const;

/** struct futex_waitv[1]: val, uaddr, flags, __reserved. */
export const WAITV = {
  /** Expects 8 where 7 is; FUTEX2_SIZE_U32. */
  mismatch: layout.put(24, (view, _bytes, le) => {
    view.setBigUint64(0, 8n, le);
    view.setBigUint64(8, FUTEX.seven, le);
    view.setUint32(16, 2, le);
  }),
  /** flags has an unknown bit: parsed at prep. */
  bad_flags: layout.put(24, (view, _bytes, le) => {
    view.setBigUint64(0, 8n, le);
    view.setBigUint64(8, FUTEX.seven, le);
    view.setUint32(16, 0x8000_0000, le);
  }),
} as const;

/** Argument of IORING_OP_FILES_UPDATE: s32 descriptors. */
export const FD_LIST = {
  /** {-1}: clears a slot. */
  minus_one: u32s(0xffff_ffff),
  /** {99}: not open. */
  closed: u32s(99),
  /** The pipe fixture's ends. */
  pipe: u32s(61, 62),
} as const;

/** Eight bytes with the value 1 (an eventfd increment). */
export const ONE_U64 = u64s(1);

/** Sixteen recognisable bytes to write. */
export const PATTERN = layout.put(16, (_view, bytes) => bytes.set(new TextEncoder().encode('0123456789abcdef')));

/** struct sqe-independent socket option value (int 1). */
export const SOCKOPT_ONE = u32s(1);

/** Bits of a 64-bit member. */
const WORD_BITS = 64;
/** 0, 0, 1 << 0, 0, 0, 1 << 1, ... as u64: wherever a struct open_how starts in it, one member has one bit. */
const slide = layout.put((3 * WORD_BITS + 2) * 8, (view, _bytes, le) => {
  for (let bit = 0; bit < WORD_BITS; bit++) view.setBigUint64((3 * bit + 2) * 8, 1n << BigInt(bit), le);
});

/** A struct open_how (24 bytes) of which one member (0 flags, 1 mode, 2 resolve) is 1 << `bit` and the others are 0. */
export function openHowBit(member: 0 | 1 | 2, bit: number): bigint {
  return slide + BigInt(8 * (3 * bit + 2 - member));
}

/** Structures of open_how of which every byte has a value of its own, 24 bytes each. */
export const OPEN_HOW_MIXED: readonly bigint[] = Array.from({ length: 4 }, (_, n) =>
  layout.put(24, (_view, bytes) => {
    for (let i = 0; i < 24; i++) bytes[i] = (0x9d * (i + 1) + 0x47 * n) & 0xff;
  }),
);

/** One bit, another in each byte and in each of eight structures: together they show every bit of every byte. */
const turning = (n: number, at: number): number => 1 << ((n + at) & 7);

function turningAddress(size: number, family: number, n: number): bigint {
  return layout.put(size, (view, bytes, le) => {
    for (let at = 2; at < size; at++) bytes[at] = turning(n, at);
    view.setUint16(0, family, le);
  });
}

const EIGHT: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Addresses of which port, address and the rest differ in every byte, and families in every bit. */
export const SOCKADDR_MIXED = {
  /** struct sockaddr_in, 16 bytes. */
  inet: EIGHT.map((n) => turningAddress(16, AF.INET, n)),
  /** struct sockaddr_in6, 28 bytes. */
  inet6: EIGHT.map((n) => turningAddress(28, AF.INET6, n)),
  /** Of other families, 28 bytes. */
  other: [...EIGHT, ...EIGHT.map((n) => n + 8)].map((bit) => turningAddress(28, AF.INET ^ (1 << bit), bit)),
} as const;

const images = new Map<boolean, Uint8Array>();

/** The ARENA.image_size bytes at ARENA_BASE for a guest of this byte order. The array is shared: do not write to it. */
export function arenaImage(littleEndian: boolean): Uint8Array {
  let image = images.get(littleEndian);
  if (image === undefined) {
    image = layout.render(littleEndian);
    images.set(littleEndian, image);
  }
  return image;
}
