/** register: any io_uring_register call, its argument being bytes. */
import { rawOnRing, rawOnTask } from '../../model/raw-call.ts';
import { IORING_REGISTER, registerSpec } from '../../register/index.ts';
import { predictRegister } from '../../model/register.ts';
import type { RegisterHandler } from '../../model/register.ts';
import { registerOpcode } from '../../json/parts.ts';
import { ARENA, ARENA_BASE } from '../../scenario/layout.ts';
import type { RawCall, Target } from '../../scenario/types.ts';
import { bytes as bytesJson, maybe, required, u32, u64, withDefault, yes } from '../../schema/codec.ts';
import { placementText, rawArgumentText, registerName, registerText } from '../../text/index.ts';
import { ON } from '../fields.ts';
import { REGISTER, registerArgs } from '../register-call.ts';
import { numberSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { MODE, systemCall } from '../system-call.ts';

/** Any io_uring_register opcode; `bytes` are written to ARENA.args, and the argument points there but for `raw_arg`. */
export interface RegisterStep extends AnyStep, RawCall {
  readonly do: 'register';
  readonly on: Target;
}

const HANDLER: RegisterHandler<RegisterStep> = {
  opcode: ({ opcode }) => opcode,
  onRing: rawOnRing,
  onTask: rawOnTask,
};

/** See RegisterStep. */
export const register: StepSpec<RegisterStep> = {
  kind: 'register',
  json: {
    on: ON,
    opcode: required(registerOpcode, 'io_uring_register opcode, u32'),
    nr_args: withDefault(u32, 0, 'nr_args of the call'),
    bytes: maybe(bytesJson(ARENA.args_size), 'Argument memory, hex'),
    raw_arg: maybe(u64, 'Pointer passed instead of the address of bytes'),
    read_only: maybe(yes, 'The argument cannot be written while the call runs'),
  },
  wire: systemCall(REGISTER, ({ on, opcode, nr_args, bytes, raw_arg, read_only }: RegisterStep) => {
    const args = registerArgs(on, opcode, raw_arg ?? (bytes ? BigInt(ARENA_BASE + ARENA.args) : 0n), nr_args);
    if (bytes === undefined) return { args };
    const written = bytes.subarray(0, ARENA.args_size);
    return {
      args,
      writes: [{ offset: ARENA.args, bytes: written }],
      read: { at: ARENA.args, length: written.length },
      ...(read_only === undefined ? {} : { mode: MODE.read_only }),
    };
  }),
  predict: (world, task, step) => predictRegister(world, task, step, HANDLER),
  track: (tracked, _task, { on, opcode, bytes }) => {
    const ring = on.kind === 'ring' ? tracked.rings.get(on.ring) : undefined;
    if (ring === undefined || opcode !== IORING_REGISTER.REGISTER_RESIZE_RINGS || bytes === undefined) return true;
    // Whether the kernel takes it or not: no more than there is room for either way.
    const wanted = bytes.length < 4 ? 0 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    if (wanted > 0 && wanted < ring.entries) ring.entries = 2 ** Math.ceil(Math.log2(wanted));
    return true;
  },
  text: (step, abi) => {
    const where = step.read_only === true ? placementText('read-only') : '';
    return registerText(step.on, registerName(step.opcode), rawArgumentText(step, abi) + where, step.nr_args);
  },
  check: ({ opcode, bytes, raw_arg, read_only }) => {
    if ((bytes?.length ?? 0) > ARENA.args_size) return 'the argument does not fit its area';
    if (read_only === undefined) return true;
    if (bytes === undefined || raw_arg !== undefined) return 'what is read-only is no argument of its own';
    return registerSpec(opcode)?.takesReadOnly === true ? true : 'nobody knows what comes of a read-only argument';
  },
  size: ({ nr_args, bytes, raw_arg }) => {
    let size = (bytes?.length ?? 0) + (raw_arg === undefined ? 0 : 3) + numberSize(nr_args);
    for (const byte of bytes ?? []) if (byte !== 0) size += 1;
    return size;
  },
  *shrink(step) {
    const { bytes, read_only: readOnly, ...others } = step;
    if (readOnly !== undefined) yield { ...others, ...(bytes === undefined ? {} : { bytes }) };
    if (bytes?.some((byte) => byte !== 0) === true) yield { ...step, bytes: new Uint8Array(bytes.length) };
    if (step.nr_args > 1) yield { ...step, nr_args: 1 };
  },
  refersTo: ({ bytes }) => ({ rings: bytes !== undefined, data: true }),
};
