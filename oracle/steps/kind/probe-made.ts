/** probe_made: what an allowed request made, asked from the kernel by other calls. */
import type { Trace } from '../../model/looks.ts';
import type { FdTable, World } from '../../model/world.ts';
import { opSpec } from '../../opcodes/index.ts';
import { ASPECTS, fileMade, MADE, peerMade, socketMade } from '../../opcodes/made.ts';
import type { Made } from '../../opcodes/made.ts';
import type { Aspect } from '../../opcodes/types.ts';
import { defineRules } from '../../rule.ts';
import type { Allowed, PredictedStep } from '../../scenario/prediction.ts';
import { maybe, required, s32 as s32Json, u64, word } from '../../schema/codec.ts';
import { hex } from '../../text/index.ts';
import { E } from '../../uapi/constants.ts';
import { numberSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { operation, s32, u32 } from '../wire.ts';

/**
 * Asks what the request with a user_data of its own made: a socket by getsockopt(2) and fcntl(2), an open file by
 * statx(2), fcntl(2) and /proc, a peer by getpeername(2).
 */
export interface ProbeMadeStep extends AnyStep {
  readonly do: 'probe_made';
  readonly aspect: Aspect;
  /** The request: the only one of the scenario that carries it. */
  readonly user_data: bigint;
  /** user_data of the request that answered the descriptor to ask with; absent: the same. */
  readonly at?: bigint;
  /** The descriptor itself; then `at` does not count. */
  readonly fd?: number;
}

const IORING_FIXED_FD_NO_CLOEXEC = 1;
const LOW = 0xffff_ffffn;

const RULE = { socket: 'seen.socket-is-done', file: 'seen.open-is-done', peer: 'seen.connect-is-done' } as const;
/** How many values each aspect answers. */
const ANSWERS: Readonly<Record<Aspect, number>> = { socket: 5, file: 3, peer: 1 };
const CALLS: Readonly<Record<Aspect, string>> = {
  socket: 'getsockopt and fcntl',
  file: 'statx, fcntl and /proc',
  peer: 'getpeername',
};

/** See ProbeMadeStep. */
export const probeMade: StepSpec<ProbeMadeStep> = {
  kind: 'probe_made',
  json: {
    aspect: required(word(...(Object.keys(ASPECTS) as Aspect[])), 'What is asked about'),
    user_data: required(u64, 'Of the request that made it'),
    at: maybe(u64, 'user_data of the request that answered the descriptor'),
    fd: maybe(s32Json, 'The descriptor'),
  },
  wire: operation<ProbeMadeStep>(
    { number: 14, name: 'look', answers: 'what the kernel says of a descriptor; memory' },
    {
      aspect: u32(({ aspect }) => ASPECTS[aspect], ASPECTS),
      fd: s32(({ fd }) => fd ?? -1),
      data_low: u32(({ user_data, at = user_data }) => Number(at & LOW)),
      data_high: u32(({ user_data, at = user_data }) => Number(at >> 32n)),
    },
  ),
  rules: defineRules({
    'seen.socket-is-done': [
      'man',
      'The socket that an allowed SOCKET makes has the family, type and protocol that its filters were shown.',
      'io_uring_register_bpf_filter(3), "Filter Context" ("can be used to filter based on socket parameters"); ' +
        'socket(7), SO_DOMAIN, SO_TYPE, SO_PROTOCOL; AF_UNIX with SOCK_RAW makes SOCK_DGRAM, as observed on 7.0.13',
    ],
    'seen.open-is-done': [
      'man',
      'The file that an allowed OPENAT or OPENAT2 opens has the access mode, flags and, where it is new, mode that ' +
        'its filters were shown, and is the one that the path names.',
      'io_uring_register_bpf_filter(3), "Filter Context" ("the open flags, mode, and resolve fields are populated"); ' +
        'fcntl(2), F_GETFL; open(2), mode; umask(2)',
    ],
    'seen.connect-is-done': [
      'uapi',
      'The peer of an allowed CONNECT has the family, port and address that its filters were shown.',
      'linux/io_uring/bpf_filter.h, struct io_uring_bpf_ctx, connect; getpeername(2)',
    ],
    'seen.nothing-made': [
      'man',
      'A request that was refused or failed made nothing.',
      'io_uring_register_bpf_filter(3), DESCRIPTION (denied operations are not performed)',
    ],
  }),
  predict: (world, task, step) => predict(world, task.files, step),
  text: ({ aspect, user_data, at, fd }) =>
    `what did user_data=${hex(user_data)} make? (${aspect}, by ${CALLS[aspect]}${
      fd !== undefined ? `, fd ${fd}` : at === undefined ? '' : `, descriptor of user_data=${hex(at)}`
    })`,
  size: ({ user_data, at, fd }) =>
    numberSize(Number(user_data & LOW)) + (at === undefined ? 0 : 2) + (fd === undefined ? 0 : 2),
  refersTo: () => ({ data: true }),
};

const place = MADE['made.by-whom'];
const OPEN: PredictedStep = { reached: true, returns: place, cqes: [], memory: place, rule: 'seen.nothing-made' };

function predict(world: World, files: FdTable, step: ProbeMadeStep): PredictedStep {
  const { aspect, user_data: userData, at = userData, fd } = step;
  const made = world.looks?.of(userData);
  const holder = fd === undefined && at !== userData ? world.looks?.of(at) : made;
  if (made === 'unknown' || holder === 'unknown' || files.sandbox.crowded) return OPEN;
  if (fd === undefined && (holder === undefined || failed(holder.res))) return nothing(world, aspect);
  if (made === undefined || opSpec(made.opcode)?.leaves !== aspect || made.files !== files) return OPEN;
  if (failed(made.res) || !sameFile(files, step, made, holder)) return OPEN;
  const given = aspect !== 'peer' && holder !== undefined && holder !== made ? installed(holder) : undefined;
  return answer(world, step, expected(made, aspect), given, surely(made) && (holder === undefined || surely(holder)));
}

const failed = (res: Allowed): boolean => typeof res === 'number' && res < 0;

/** Whether the request went well for sure. */
function surely({ certain, res }: Trace): boolean {
  return certain && (typeof res === 'number' ? res >= 0 : typeof res.values === 'object' && 'at_least' in res.values);
}

/** Whether the descriptor that is asked is of what the request made or worked on. */
function sameFile(
  files: FdTable,
  { fd, at, user_data: userData }: ProbeMadeStep,
  made: Trace,
  holder?: Trace,
): boolean {
  if (fd !== undefined) return made.file !== undefined && files.sandbox.file(fd) === made.file;
  if (at === undefined || at === userData) return true;
  return made.file !== undefined && holder?.file === made.file;
}

/** FD_CLOEXEC of a descriptor that was made of a direct one. */
function installed({ shown }: Trace): number {
  return (shown.context.sqe.op_flags & IORING_FIXED_FD_NO_CLOEXEC) === 0 ? 1 : 0;
}

function expected({ shown, path, file }: Trace, aspect: Aspect): Made {
  if (aspect === 'socket') return socketMade(shown);
  if (aspect === 'peer') return peerMade(shown, file?.kind === 'socket' ? file.socket.family : undefined);
  const still = path !== undefined && shown.context.sandbox.common.paths.get(path) === shown.node;
  return fileMade(shown, still && shown.context.sandbox.tainted([`path:${path}`]) === undefined ? path : undefined);
}

/** @param given FD_CLOEXEC, where the request itself made no descriptor */
function answer(
  world: World,
  { aspect }: ProbeMadeStep,
  made: Made,
  given: number | undefined,
  sure: boolean,
): PredictedStep {
  if (made.hinges_on !== undefined) world.decide(made.hinges_on);
  const rule = world.hit(RULE[aspect]);
  const cloexec = aspect === 'socket' ? 3 : 1;
  const returns = made.returns.map((value, i) => {
    const known = given !== undefined && i === cloexec ? given : value;
    return sure || typeof known !== 'number' ? known : MADE['made.at-all'].among(known, -E.BADF, -E.NOTCONN);
  });
  const { memory } = made;
  if (memory === undefined) return { reached: true, returns, cqes: [], rule };
  return { reached: true, returns, cqes: [], memory, ...(sure ? {} : { memory_may_lack: true as const }), rule };
}

function nothing(world: World, aspect: Aspect): PredictedStep {
  const returns = Array.from({ length: ANSWERS[aspect] }, () => -E.BADF);
  return { reached: true, returns, cqes: [], rule: world.hit('seen.nothing-made') };
}
