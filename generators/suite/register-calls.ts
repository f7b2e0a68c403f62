/** Other io_uring_register calls. */
import { SPECIFIED } from '../../oracle/quirks/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { registerForms, registerOutcome, registerSpec } from '../../oracle/register/index.ts';
import type { RegisterForm } from '../../oracle/register/index.ts';
import { ARENA, ARENA_BASE, RING_FD } from '../../oracle/scenario/layout.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { Sandbox } from '../../oracle/world/sandbox.ts';
import { stray } from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Draw } from '../draw.ts';
import { drawMask } from '../variants.ts';

const BY_OPCODE: readonly (readonly RegisterForm[])[] = (() => {
  const table = new Map<number, RegisterForm[]>();
  for (const form of registerForms) {
    const key = form.opcode * 2 + (form.on === 'task' ? 1 : 0);
    table.set(key, [...(table.get(key) ?? []), form]);
  }
  return [...table.values()];
})();
const ON_RING = BY_OPCODE.filter((forms) => forms[0]!.on === 'ring');
const ON_TASK = registerForms.filter((form) => form.on === 'task');
/** Task-wide calls that do something; the others only show that nothing else exists without a ring. */
const BLIND = ON_TASK.filter((form) => form.name !== 'blind');
const MAKING = ON_RING.filter((forms) => registerSpec(forms[0]!.opcode)?.suppliesRequests === true);

/** Arguments of IORING_REGISTER_ENABLE_RINGS: right once, wrong twice. */
const TO_ENABLE = [{}, { nr_args: 1 }, { raw_arg: BigInt(ARENA_BASE + ARENA.args) }] as const;

/** Whether the rules know what a call answers, on a ring that has nothing of its own. */
export function isKnown(form: RegisterForm, abi: AbiProfile, setupFlags: number): boolean {
  const ring = { slot: 0, setup_flags: setupFlags, disabled: false };
  const { ret } = registerOutcome(form, {
    abi,
    ring: form.on === 'ring' ? ring : undefined,
    sandbox: new Sandbox(form.fixtures, abi),
    registered: new Map(),
    used_io_uring: true,
    decide: (point) => SPECIFIED[point],
    ringAt: (fd) => (fd === RING_FD ? ring : undefined),
  });
  return typeof ret === 'number';
}

/** A byte of the argument, its address or nr_args in some bits another, where the rules know what comes of it. */
function varied(d: Draw, form: RegisterForm, abi: AbiProfile, setupFlags: number): RegisterForm {
  const spec = registerSpec(form.opcode);
  if (spec === undefined || spec.setsRules !== undefined || spec.enablesRing === true) return form;
  for (let attempt = 0; attempt < 4; attempt++) {
    const { bytes, raw_arg: address } = form;
    const changed =
      bytes !== undefined && bytes.length > 0 && d.chance(0.8)
        ? { ...form, bytes: bytes.with(d.below(bytes.length), stray(d, 8)) }
        : address !== undefined && d.chance(0.5)
          ? { ...form, raw_arg: address ^ drawMask(d, 64) }
          : { ...form, nr_args: (form.nr_args ^ stray(d, 32)) >>> 0 };
    if (isKnown(changed, abi, setupFlags)) return changed;
  }
  return form;
}

/** How often a call is varied. */
const VARIED = 0.25;

function push(b: Builder, task: number, on: Target, given: RegisterForm): void {
  const setupFlags = on.kind === 'ring' ? (b.tracker.rings.get(on.ring)?.flags ?? 0) : 0;
  pushRegister(b, task, on, b.d.chance(VARIED) ? varied(b.d, given, b.abi, setupFlags) : given);
}

/** Makes a ready-made call. */
export function pushRegister(b: Builder, task: number, on: Target, form: RegisterForm): void {
  for (const fixture of form.fixtures) b.fixtures.add(fixture);
  const { opcode, nr_args, bytes, raw_arg } = form;
  b.push({
    do: 'register',
    task,
    on,
    opcode,
    nr_args,
    ...(bytes === undefined ? {} : { bytes }),
    ...(raw_arg === undefined ? {} : { raw_arg }),
  });
}

/** One call of a register opcode that is not part of the feature. */
export function drawRegister(b: Builder, task: number, on: Target): void {
  const { d } = b;
  if (d.chance(0.06)) {
    const { register_last: unknown } = b.abi;
    const enable = IORING_REGISTER.REGISTER_ENABLE_RINGS;
    const opcode = d.pick([unknown, unknown + 1, 99, 0x7fff_ffff, enable, enable]);
    // It takes neither a pointer nor a count.
    b.push({ do: 'register', task, on, opcode, nr_args: 0, ...(opcode === enable ? d.pick(TO_ENABLE) : {}) });
    return;
  }
  if (on.kind === 'task') {
    push(b, task, on, d.pick(d.chance(0.6) ? BLIND : ON_TASK));
    return;
  }
  const form = d.pick(d.pick(ON_RING));
  const flags = on.kind === 'ring' ? (b.tracker.rings.get(on.ring)?.flags ?? 0) : 0;
  if ((flags & (form.avoid_setup ?? 0)) === 0) push(b, task, on, form);
}

/** One call of this register opcode, with or without a ring. */
export function drawRegisterOf(b: Builder, task: number, on: Target, opcode: number): void {
  const forms = registerForms.filter((form) => form.opcode === opcode && form.name !== 'blind');
  if (forms.length === 0) return;
  const form = b.d.pick(forms);
  pushRegister(b, task, form.on === 'task' ? { kind: 'task' } : on, form);
}

/** Gives a ring resources of its own: buffers, direct descriptors, a personality, which requests of the crew name. */
export function drawResources(b: Builder, task: number, on: Target, crew: Crew): void {
  for (let n = b.d.int(1, 3); n > 0; n--) {
    const form = b.d.pick(b.d.pick(MAKING));
    push(b, task, on, form);
    if (form.opcode === IORING_REGISTER.REGISTER_PERSONALITY) crew.hasPersonality = true;
  }
}

const FILES = registerForms.find((form) => form.opcode === IORING_REGISTER.REGISTER_FILES && form.name === 'two')!;

/** Gives a ring two direct descriptors. */
export function registerFiles(b: Builder, task: number, on: Target): void {
  pushRegister(b, task, on, FILES);
}
