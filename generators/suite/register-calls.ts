/** Other io_uring_register calls. */
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { registerForms, registerSpec } from '../../oracle/register/index.ts';
import type { RegisterForm } from '../../oracle/register/index.ts';
import { ARENA, ARENA_BASE } from '../../oracle/scenario/layout.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import type { Builder } from '../builder.ts';

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
    pushRegister(b, task, on, d.pick(d.chance(0.6) ? BLIND : ON_TASK));
    return;
  }
  const form = d.pick(d.pick(ON_RING));
  const flags = on.kind === 'ring' ? (b.tracker.rings.get(on.ring)?.flags ?? 0) : 0;
  if ((flags & (form.avoid_setup ?? 0)) === 0) pushRegister(b, task, on, form);
}

/** One call of this register opcode, with or without a ring. */
export function drawRegisterOf(b: Builder, task: number, on: Target, opcode: number): void {
  const forms = registerForms.filter((form) => form.opcode === opcode && form.name !== 'blind');
  if (forms.length === 0) return;
  const form = b.d.pick(forms);
  pushRegister(b, task, form.on === 'task' ? { kind: 'task' } : on, form);
}

/** Gives a ring resources of its own: buffers, direct descriptors, a personality. */
export function drawResources(b: Builder, task: number, on: Target): void {
  for (let n = b.d.int(1, 3); n > 0; n--) pushRegister(b, task, on, b.d.pick(b.d.pick(MAKING)));
}
