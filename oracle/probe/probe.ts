/**
 * Probes the ABI profile of the running kernel by asking it: registrations whose answers
 * tell sizes and bounds. No version string decides anything.
 */
import { OPEN_ARM64, OPEN_X86_64 } from '../uapi/abi.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import type { Program } from '../bpf/program.ts';
import { BPF_PDU_SIZE_OFFSET } from '../scenario/memory.ts';
import type { Observation, StepObservation } from '../scenario/observation.ts';
import { OP } from '../opcodes/index.ts';
import { SOCKADDR, SOCKADDR_LEN } from '../world/arena.ts';
import { FD, RING_SLOTS } from '../scenario/layout.ts';
import { IORING_REGISTER } from '../register/index.ts';
import { IORING_RESTRICTION, IORING_SETUP } from '../uapi/constants.ts';
import type { BpfArg, Target } from '../scenario/types.ts';
import type { Scenario, Step } from '../steps/index.ts';

const RET_1: Program = [{ code: 0x06, jt: 0, jf: 0, k: 1 }];
const SZ_STRICT = 2;
const EMSGSIZE = -90;
const EFAULT = -14;
/** An address at which nothing is mapped. */
const NOWHERE = 0x1000n;

/** Runs one scenario and gives its observation. */
export type RunOne = (scenario: Scenario) => Promise<Observation>;

/** The kernel lacks the feature: nothing to test. */
export class FeatureMissing extends Error {}

const NO_RESV2 = [0, 0, 0] as const;
const RING: Target = { kind: 'ring', ring: 0 };

function arg(fields: Partial<BpfArg>): BpfArg {
  const program = fields.program ?? RET_1;
  return {
    cmd_type: 1,
    cmd_flags: 0,
    resv: 0,
    opcode: 0,
    flags: 0,
    filter_len: program.length,
    pdu_size: 0,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program,
    placement: 'normal',
    program_placement: 'normal',
    ...fields,
  };
}

function register(fields: Partial<BpfArg>): Step {
  return { task: 0, do: 'register_bpf_filter', on: RING, nr_args: 1, arg: arg(fields) };
}

function scenario(steps: readonly Step[]): Scenario {
  return { version: 1, fixtures: [], jit: true, steps };
}

const PLAIN_RING: Step = { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 };

/** Asks everything. @throws FeatureMissing on a kernel without IORING_REGISTER_BPF_FILTER */
export async function probeAbi(
  run: RunOne,
  about: { readonly release: string; readonly machine: string; readonly little_endian: boolean },
): Promise<AbiProfile> {
  const first = await run(scenario([PLAIN_RING, register({})]));
  const ring = ret(first.steps[0]);
  if (ring !== 0) throw new FeatureMissing(`io_uring_setup answers ${ring}: this kernel has no usable io_uring`);
  const ok = ret(first.steps[1]);
  // A pointer to nowhere tells a register opcode that exists from one that does not: the latter is refused first.
  const nowhere = ok === 0 ? undefined : await run(scenario([PLAIN_RING, register({ placement: { raw: NOWHERE } })]));
  if (nowhere !== undefined && ret(nowhere.steps[1]) !== EFAULT)
    throw new FeatureMissing(
      `IORING_REGISTER_BPF_FILTER answers ${ok}: this kernel has no io_uring BPF filters (they came with Linux 7.0)`,
    );

  const ops = await run(
    scenario([PLAIN_RING, ...range(0, 255).map((opcode) => register({ opcode, flags: SZ_STRICT, pdu_size: 255 }))]),
  );
  const pdu_size: number[] = [];
  for (const step of ops.steps.slice(1)) {
    if (ret(step) !== EMSGSIZE) break;
    pdu_size.push(step.memory?.[BPF_PDU_SIZE_OFFSET] ?? 255);
  }
  const words = await run(
    scenario([
      PLAIN_RING,
      ...range(0, 127).map((word) => register({ program: [{ code: 0x20, jt: 0, jf: 0, k: word * 4 }, ...RET_1] })),
    ]),
  );
  const refused = words.steps.slice(1).findIndex((step) => ret(step) !== 0);
  const ctx_size = (refused < 0 ? 128 : refused) * 4;

  const bits = await run(scenario([PLAIN_RING, ...range(0, 31).map((bit) => register({ flags: 2 ** bit }))]));
  const filter_flags =
    bits.steps.slice(1).reduce((mask, step, bit) => (ret(step) === 0 ? mask | (1 << bit) : mask), 0) >>> 0;

  const register_last = await probeRegisterLast(run);

  const flags = await run(
    scenario([
      { task: 0, do: 'ring', ring: 0, entries: 8, flags: 1 << 7 },
      ...range(0, 7).map(
        (bit): Step => ({
          task: 0,
          do: 'submit',
          ring: 0,
          sqes: [{ opcode: 0, flags: 1 << bit, user_data: BigInt(bit + 1) }],
        }),
      ),
    ]),
  );
  let sqe_flags = 0;
  flags.steps.slice(1).forEach((step, bit) => {
    // -EINVAL: unknown bit. A successful CQE_SKIP posts nothing; unsupported combinations answer otherwise.
    if (step.cqes[0]?.res !== -22) sqe_flags |= 1 << bit;
  });

  const SETUP_PROBE: readonly (readonly [bit: number, flags: number])[] = [
    [0, 1],
    [1, 2],
    [6, 64],
    [7, 128],
    [8, 256],
    [9, 256 | 512],
    [10, 1024],
    [11, 2048],
    [12, 4096],
    [13, 4096 | 8192],
    [16, 65536],
    [18, 1 << 18],
    [19, 1 << 19],
  ];
  const setup = await run(
    scenario(
      SETUP_PROBE.map(
        ([, setup_flags], slot): Step => ({ task: 0, do: 'ring', ring: slot, entries: 8, flags: setup_flags }),
      ),
    ),
  );
  let setup_flags = 0;
  SETUP_PROBE.forEach(([bit], i) => {
    if (ret(setup.steps[i]) === 0) setup_flags |= 1 << bit;
  });

  // A filter that denies exactly what shows IOSQE_FIXED_FILE, and a NOP that asks for a fixed file in its own flags.
  const FIXED = about.little_endian ? 0x100 : 0x1_0000;
  const deny_fixed: Program = [
    { code: 0x20, jt: 0, jf: 0, k: 8 },
    { code: 0x45, jt: 0, jf: 1, k: FIXED },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
    ...RET_1,
  ];
  const nop = await run(
    scenario([
      PLAIN_RING,
      register({ program: deny_fixed }),
      { task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 0, op_flags: 4 }] },
    ]),
  );
  const nop_shows_fixed_file = nop.steps[2]?.cqes[0]?.res === -13;

  // In the same way: a filter that denies what shows IOSQE_ASYNC, and a BIND of a path. The descriptor is looked up
  // later.
  const ASYNC = about.little_endian ? 0x1000 : 0x10_0000;
  const deny_async: Program = [
    { code: 0x20, jt: 0, jf: 0, k: 8 },
    { code: 0x45, jt: 0, jf: 1, k: ASYNC },
    { code: 0x06, jt: 0, jf: 0, k: 0 },
    ...RET_1,
  ];
  const bind = await run(
    scenario([
      PLAIN_RING,
      register({ opcode: OP.BIND, program: deny_async }),
      {
        task: 0,
        do: 'submit',
        ring: 0,
        sqes: [{ opcode: OP.BIND, fd: FD.closed, addr: SOCKADDR.unix_new, off: BigInt(SOCKADDR_LEN.unix_new) }],
      },
    ]),
  );
  const bind_shows_async = bind.steps[2]?.cqes[0]?.res === -13;

  const arm64 = about.machine === 'aarch64';
  const open = arm64 ? OPEN_ARM64 : OPEN_X86_64;
  return {
    ...about,
    op_last: pdu_size.length,
    register_last,
    ctx_size,
    pdu_size,
    filter_flags,
    sqe_flags,
    setup_flags: setup_flags >>> 0,
    nop_shows_fixed_file,
    bind_shows_async,
    open_force_flags: open.O_LARGEFILE,
    open,
  };
}

/** IORING_REGISTER_LAST: an allowlist entry names its opcode in one byte; the first that is refused is the bound. */
async function probeRegisterLast(run: RunOne): Promise<number> {
  // The newest opcode that every kernel with filters has is there for certain.
  for (let from = IORING_REGISTER.REGISTER_BPF_FILTER - 1; from <= 0xff; from += RING_SLOTS - 1) {
    const slots = range(1, Math.min(RING_SLOTS - 1, 0x100 - from));
    const { steps } = await run(
      scenario([
        ...slots.map((slot): Step => ({ task: 0, do: 'ring', ring: slot, entries: 1, flags: IORING_SETUP.R_DISABLED })),
        ...slots.map((slot): Step => {
          const entry = { opcode: IORING_RESTRICTION.REGISTER_OP, value: from + slot - 1, resv: 0, resv2: NO_RESV2 };
          return {
            task: 0,
            do: 'register_restrictions',
            on: { kind: 'ring', ring: slot },
            nr_args: 1,
            arg: { restrictions: [entry], placement: 'normal' },
          };
        }),
      ]),
    );
    const bound = steps.slice(slots.length).findIndex((step) => ret(step) !== 1 && ret(step) !== 0);
    if (bound >= 0) return from + bound;
  }
  return 0x100;
}

function ret(step: StepObservation | undefined): number {
  return step?.returns[0] ?? NaN;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
