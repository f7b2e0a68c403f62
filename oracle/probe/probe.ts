/**
 * Probes the ABI profile of the running kernel by asking it: registrations whose answers
 * tell sizes and bounds. No version string decides anything.
 */
import type { AbiProfile } from '../uapi/abi.ts';
import type { Program } from '../bpf/program.ts';
import { OP } from '../opcodes/index.ts';
import { IORING_REGISTER } from '../register/index.ts';
import { FD, RING_SLOTS } from '../scenario/layout.ts';
import { BPF_PDU_SIZE_OFFSET } from '../scenario/memory.ts';
import type { Observation, StepObservation } from '../scenario/observation.ts';
import type { Sqe } from '../scenario/types.ts';
import type { Scenario, Step } from '../steps/index.ts';
import { E, IORING_NOP, IORING_SETUP, IOSQE } from '../uapi/constants.ts';
import { SOCKADDR, SOCKADDR_LEN } from '../world/arena.ts';
import { FILTER_SZ_STRICT } from '../model/filter-registration.ts';
import { ALLOW, allowRegisterOp, load, makeRing, registerFilter } from './questions.ts';

/** An address at which nothing is mapped. */
const NOWHERE = 0x1000n;

/** What is known before anything is asked: the kernel's own words, and what its architecture decides. */
export type MachineAbi = Pick<AbiProfile, 'release' | 'machine' | 'little_endian' | 'open' | 'open_force_flags'>;

/** Runs one scenario and gives its observation. */
export type RunOne = (scenario: Scenario) => Promise<Observation>;

/** The kernel lacks the feature: nothing to test. */
export class FeatureMissing extends Error {}

/** Runs steps and gives their answers. */
type Ask = (steps: readonly Step[]) => Promise<readonly StepObservation[]>;

/** Asks everything. @throws FeatureMissing on a kernel without IORING_REGISTER_BPF_FILTER */
export async function probeAbi(run: RunOne, about: MachineAbi): Promise<AbiProfile> {
  const ask: Ask = async (steps) => (await run({ version: 1, fixtures: [], jit: true, steps })).steps;
  await demandFilters(ask);
  const { release, machine, little_endian, open, open_force_flags } = about;
  const sizes = await payloadSizes(ask);
  const contextBytes = await contextSize(ask);
  const filterMask = await filterFlags(ask);
  return {
    release,
    machine,
    little_endian,
    op_last: sizes.length,
    register_last: await registerLast(ask),
    ctx_size: contextBytes,
    pdu_size: sizes,
    filter_flags: filterMask,
    sqe_flags: await sqeFlags(ask),
    setup_flags: await setupFlags(ask),
    nop_shows_fixed_file: await nopShowsFixedFile(ask, little_endian),
    bind_shows_async: await bindShowsAsync(ask, little_endian),
    pbuf_min_left: await hasMinLeft(ask, little_endian),
    open_force_flags,
    open,
  };
}

/** Is there a ring, and a register opcode for filters? */
async function demandFilters(ask: Ask): Promise<void> {
  const [ring, filter] = await ask([makeRing(), registerFilter({})]);
  if (ret(ring) !== 0)
    throw new FeatureMissing(`io_uring_setup answers ${ret(ring)}: this kernel has no usable io_uring`);
  if (ret(filter) === 0) return;
  // A pointer to nowhere tells a register opcode that exists from one that does not: the latter is refused first.
  const [, nowhere] = await ask([makeRing(), registerFilter({ placement: { raw: NOWHERE } })]);
  if (ret(nowhere) === -E.FAULT) return;
  throw new FeatureMissing(
    `IORING_REGISTER_BPF_FILTER answers ${ret(filter)}: ` +
      'this kernel has no io_uring BPF filters (they came with Linux 7.0)',
  );
}

/** Payload size of each opcode, as the kernel writes it back where a program is registered with a wrong one. */
async function payloadSizes(ask: Ask): Promise<readonly number[]> {
  const wrong = 255;
  const answers = await ask([
    makeRing(),
    ...range(0, 255).map((opcode) => registerFilter({ opcode, flags: FILTER_SZ_STRICT, pdu_size: wrong })),
  ]);
  const sizes: number[] = [];
  for (const answer of answers.slice(1)) {
    if (ret(answer) !== -E.MSGSIZE) break;
    sizes.push(answer.memory?.[BPF_PDU_SIZE_OFFSET] ?? wrong);
  }
  return sizes;
}

/** sizeof(struct io_uring_bpf_ctx): loads from below it are taken. */
async function contextSize(ask: Ask): Promise<number> {
  const words = 128;
  const answers = await ask([
    makeRing(),
    ...range(0, words - 1).map((word) => registerFilter({ program: [load(word * 4), ...ALLOW] })),
  ]);
  const refused = answers.slice(1).findIndex((answer) => ret(answer) !== 0);
  return (refused < 0 ? words : refused) * 4;
}

/** Which flags may a filter have? */
async function filterFlags(ask: Ask): Promise<number> {
  const answers = await ask([makeRing(), ...range(0, 31).map((bit) => registerFilter({ flags: 2 ** bit }))]);
  return maskOf(answers.slice(1), (answer) => ret(answer) === 0);
}

/** IORING_REGISTER_LAST: an allowlist entry names its opcode in one byte; the first that is refused is the bound. */
async function registerLast(ask: Ask): Promise<number> {
  // The newest opcode that every kernel with filters has is there for certain.
  for (let from = IORING_REGISTER.REGISTER_BPF_FILTER - 1; from <= 0xff; from += RING_SLOTS - 1) {
    const slots = range(1, Math.min(RING_SLOTS - 1, 0x100 - from));
    const answers = await ask([
      ...slots.map((slot) => makeRing(IORING_SETUP.R_DISABLED, slot, 1)),
      ...slots.map((slot) => allowRegisterOp(from + slot - 1, slot)),
    ]);
    const bound = answers.slice(slots.length).findIndex((answer) => ret(answer) !== 1 && ret(answer) !== 0);
    if (bound >= 0) return from + bound;
  }
  return 0x100;
}

/** Which IOSQE bits are known? */
async function sqeFlags(ask: Ask): Promise<number> {
  const answers = await ask([
    makeRing(IORING_SETUP.SUBMIT_ALL),
    ...range(0, 7).map((bit) => submit({ opcode: OP.NOP, flags: 1 << bit, user_data: BigInt(bit + 1) })),
  ]);
  // A successful CQE_SKIP_SUCCESS posts nothing; combinations that are not supported answer otherwise.
  return maskOf(answers.slice(1), ({ cqes }) => cqes[0]?.res !== -E.INVAL);
}

const S = IORING_SETUP;
/** Setup flags that scenarios use, and others that a ring with them must have. */
const SETUP_QUESTIONS: readonly (readonly [flag: number, needs: number])[] = [
  [S.IOPOLL, 0],
  [S.SQPOLL, 0],
  [S.R_DISABLED, 0],
  [S.SUBMIT_ALL, 0],
  [S.COOP_TASKRUN, 0],
  [S.TASKRUN_FLAG, S.COOP_TASKRUN],
  [S.SQE128, 0],
  [S.CQE32, 0],
  [S.SINGLE_ISSUER, 0],
  [S.DEFER_TASKRUN, S.SINGLE_ISSUER],
  [S.NO_SQARRAY, 0],
  [S.CQE_MIXED, 0],
  [S.SQE_MIXED, 0],
  [S.SQ_REWIND, S.NO_SQARRAY],
  [S.HYBRID_IOPOLL, S.IOPOLL],
  [S.CLAMP, 0],
];

/** Which of the setup flags does io_uring_setup take? */
/** Older than filters, and of no use without a further parameter. */
const WITH_ARGUMENT = S.CQSIZE | S.ATTACH_WQ;

async function setupFlags(ask: Ask): Promise<number> {
  const answers = await ask(SETUP_QUESTIONS.map(([flag, needs], slot) => makeRing(flag | needs, slot)));
  return SETUP_QUESTIONS.reduce((mask, [flag], i) => (ret(answers[i]) === 0 ? mask | flag : mask), WITH_ARGUMENT) >>> 0;
}

/** Does a NOP that asks for a fixed file in its own flags show IOSQE_FIXED_FILE to filters? */
async function nopShowsFixedFile(ask: Ask, littleEndian: boolean): Promise<boolean> {
  const nop: Sqe = { opcode: OP.NOP, op_flags: IORING_NOP.FIXED_FILE };
  return await shows(ask, IOSQE.FIXED_FILE, nop, littleEndian);
}

/** Does a BIND of a path show IOSQE_ASYNC to filters? (Its descriptor is looked up later.) */
async function bindShowsAsync(ask: Ask, littleEndian: boolean): Promise<boolean> {
  const bind: Sqe = {
    opcode: OP.BIND,
    fd: FD.closed,
    addr: SOCKADDR.unix_new,
    off: BigInt(SOCKADDR_LEN.unix_new),
  };
  return await shows(ask, IOSQE.ASYNC, bind, littleEndian);
}

/** Is what was reserved in struct io_uring_buf_reg looked at, or min_left, which means nothing to who unregisters? */
async function hasMinLeft(ask: Ask, littleEndian: boolean): Promise<boolean> {
  const bytes = new Uint8Array(40);
  new DataView(bytes.buffer).setUint32(16, 1, littleEndian);
  const opcode = IORING_REGISTER.UNREGISTER_PBUF_RING;
  const call: Step = { task: 0, do: 'register', on: { kind: 'ring', ring: 0 }, opcode, nr_args: 1, bytes };
  const [, answer] = await ask([makeRing(), call]);
  return ret(answer) !== -E.INVAL;
}

/** Whether a request shows filters an IOSQE bit: one that denies exactly what shows it is asked. */
async function shows(ask: Ask, flag: number, sqe: Sqe, littleEndian: boolean): Promise<boolean> {
  // sqe_flags is byte 9 of the context, the second one of its third word.
  const mask = littleEndian ? flag << 8 : flag << 16;
  const program: Program = [
    load(8),
    { code: 0x45, jt: 0, jf: 1, k: mask },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
    ...ALLOW,
  ];
  const [, , answer] = await ask([makeRing(), registerFilter({ opcode: sqe.opcode, program }), submit(sqe)]);
  return answer?.cqes[0]?.res === -E.ACCES;
}

function submit(sqe: Sqe): Step {
  return { task: 0, do: 'submit', ring: 0, sqes: [sqe] };
}

/** The bits whose answers are good, the first answer being that of bit 0. */
function maskOf(answers: readonly StepObservation[], good: (answer: StepObservation) => boolean): number {
  return answers.reduce((mask, answer, bit) => (good(answer) ? mask | (1 << bit) : mask), 0) >>> 0;
}

function ret(step: StepObservation | undefined): number {
  return step?.returns[0] ?? NaN;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
