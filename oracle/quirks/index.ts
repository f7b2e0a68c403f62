/**
 * Decision points, and models of faulty kernels as overrides of them.
 *
 * The oracle asks a decision wherever released kernels were seen to part from the specification. The specification's
 * own answer is the default; a quirk gives the answer of a kernel with one bug, and nothing more. A quirk has the id of
 * the finding that it models (data under `suites/findings`): a difference counts as known only where the observed
 * answers are precisely what the quirks of that kernel predict.
 */

/** The points at which the oracle asks, with what may be answered. */
export interface Decisions {
  /** Bits of socket(2)'s type argument that a filter of SOCKET sees. */
  readonly socketTypeMask: number;
  /** Shortest IPv6 address, in bytes, whose port and address a filter of CONNECT sees. */
  readonly connectInet6Length: number;
  /** Whether a new ring or child gets a filter table of its own. */
  readonly ownFilterTable: boolean;
  /** Whether a task that has used io_uring keeps its rules through execve. */
  readonly execKeepsRules: boolean;
  /** Whether register_op restrictions of a task hold for calls with fd = -1. */
  readonly blindCallsRestricted: boolean;
  /** Whether register_op restrictions that a ring inherited hold while it is disabled. */
  readonly disabledRingRestricted: boolean;
  /** Whether IORING_REGISTER_SEND_MSG_RING with fd = -1 is held to the task's rules on IORING_OP_MSG_RING. */
  readonly blindMessageFiltered: boolean;
  /** Whether the CQE of a NOP that fails shows the errno. */
  readonly nopShowsFailure: boolean;
  /** Whether the CQE of a linked zero-copy send that does not run announces the notification that comes. */
  readonly linkedNotificationAnnounced: boolean;
  /** Whether a link timeout that a filter denies shows -EACCES, and not -ECANCELED. */
  readonly linkTimeoutShowsDenial: boolean;
  /** Whether the flag of a link timeout alone says whether it posts a CQE when its chain fails. */
  readonly linkTimeoutSkipsAlone: boolean;
  /** Whether a drain changes the sqe_flags that filters see of no request but its own. */
  readonly drainShowsOnItselfAlone: boolean;
  /** Whether the requests behind the head of a hard-linked chain post CQEs where the head skips its own on success. */
  readonly hardLinkKeepsCqes: boolean;
  /** Whether classic restrictions refuse all of a kind (SQEs, register opcodes) that has no entry. */
  readonly oneAllowlist: boolean;
  /** Family of the socket that (AF_INET, SOCK_PACKET) makes, where it makes one. */
  readonly inetPacketFamily: number;
  /** Whether a polling thread that several rings share takes a 128-byte SQE whole where its turn ends. */
  readonly sharedThreadTakesWhole: boolean;
  /** Whether a zero-copy send that a drain holds back is started when all before it has ended. */
  readonly drainedZeroCopyStarts: boolean;
  /** Whether a registered buffer of more than 1 GiB is -EFAULT. */
  readonly longBufferFaults: boolean;
}

/** Name of a decision. */
export type DecisionPoint = keyof Decisions;

/** What the specification decides. */
export const SPECIFIED: Decisions = {
  // SOCK_TYPE_MASK: the type alone.
  socketTypeMask: 0xf,
  // SIN6_LEN_RFC2133, without the scope: all that connect(2) needs.
  connectInet6Length: 24,
  ownFilterTable: true,
  execKeepsRules: true,
  blindCallsRestricted: true,
  disabledRingRestricted: true,
  blindMessageFiltered: true,
  nopShowsFailure: true,
  linkedNotificationAnnounced: true,
  linkTimeoutShowsDenial: true,
  linkTimeoutSkipsAlone: true,
  drainShowsOnItselfAlone: true,
  hardLinkKeepsCqes: true,
  oneAllowlist: true,
  // AF_INET, as filters are shown.
  inetPacketFamily: 2,
  sharedThreadTakesWhole: true,
  drainedZeroCopyStarts: true,
  longBufferFaults: true,
};

/** What each faulty kernel decides otherwise. */
const QUIRKS = {
  // SOCK_NONBLOCK and SOCK_CLOEXEC show beside the type.
  'socket-type-flags': { socketTypeMask: 0xffff_ffff },
  // sizeof(struct sockaddr_in6): addresses of 24 to 27 bytes, which connect(2) takes, are hidden.
  'connect-short-inet6': { connectInet6Length: 28 },
  // The table is that of the task it was made from, which keeps changing it in place: later registrations reach it too.
  'shared-filter-table': { ownFilterTable: false },
  // Filters and restrictions are freed together with the task's io_uring context.
  'exec-drops-rules': { execKeepsRules: false },
  'blind-register-unrestricted': { blindCallsRestricted: false },
  // The exemption of who sets up a ring is given to what the ring inherited as well.
  'disabled-ring-exempt': { disabledRingRestricted: false },
  'blind-msg-ring': { blindMessageFiltered: false },
  // The request fails, but posts the result it would have had.
  'nop-hides-failure': { nopShowsFailure: false },
  // Only the head of a chain says so; what is cancelled behind it has CQE flags 0.
  'unannounced-notification': { linkedNotificationAnnounced: false },
  // The request that it limits is cancelled first, and takes the timeout along before its own errno is looked at.
  'link-timeout-hides-denial': { linkTimeoutShowsDenial: false },
  // The flag of the head is given to all behind it, and their own is dropped.
  'link-timeout-skip-lost': { linkTimeoutSkipsAlone: false },
  // While something is drained, and once after a drain inside of a chain, the flags of others change: by timing.
  'drain-shows-on-others': { drainShowsOnItselfAlone: false },
  // A chain that fails while it is submitted is treated as if its links were soft.
  'hard-link-skips-cqes': { hardLinkKeepsCqes: false },
  // Each kind is enforced only where it occurs.
  'restrictions-split-by-kind': { oneAllowlist: false },
  // AF_PACKET: the compatibility of Linux 2.0 comes behind the filters.
  'inet-makes-packet': { inetPacketFamily: 17 },
  // Of each ring it takes eight entries in turn; a request that begins in the eighth is cut in two.
  'shared-thread-cuts': { sharedThreadTakesWhole: false },
  // The drain counts the notification, which exists from prep on, as one of those before it.
  'drained-send-stuck': { drainedZeroCopyStarts: false },
  // The limit is 1 TiB, and what is wrong with a buffer is told by other errnos.
  'long-buffers-taken': { longBufferFaults: false },
} as const satisfies Readonly<Record<string, Partial<Decisions>>>;

/** Id of a model of a faulty kernel, and of the finding that it models. */
export type QuirkId = keyof typeof QUIRKS;

/** Every quirk, in the order in which later ones would override earlier ones. */
export const QUIRK_IDS: readonly QuirkId[] = Object.keys(QUIRKS) as QuirkId[];

/** The quirks of one kernel. */
export type Quirks = ReadonlySet<QuirkId>;

/** Whether a text names a quirk. */
export function isQuirkId(text: string): text is QuirkId {
  return Object.hasOwn(QUIRKS, text);
}

/** The decisions of a kernel with these quirks. */
export function decisionsOf(quirks: Quirks): Decisions {
  if (quirks.size === 0) return SPECIFIED;
  let all = SPECIFIED;
  for (const id of QUIRK_IDS) if (quirks.has(id)) all = { ...all, ...QUIRKS[id] };
  return all;
}

/** The points that a quirk decides. */
export function pointsOf(id: QuirkId): readonly DecisionPoint[] {
  return Object.keys(QUIRKS[id]) as DecisionPoint[];
}
