/**
 * The table of io_uring_register opcodes: all families together. A specification added to a family is in the table; a
 * new family takes a line here.
 */
import { bufferRings } from './buffer-rings.ts';
import { buffers } from './buffers.ts';
import { eventfds } from './eventfd.ts';
import { feature } from './feature.ts';
import { files } from './files.ts';
import { messages } from './messages.ts';
import { personalities } from './personality.ts';
import { queries } from './queries.ts';
import { ringDescriptors } from './ring-descriptors.ts';
import { settings } from './settings.ts';
import { workers } from './workers.ts';
import { argBytes, call, task } from './ready-made.ts';
import { commonRules } from './register-rules.ts';
import type { RegisterFamily, RegisterForm, RegisterSpec } from './spec.ts';
import type { Rule } from '../rule.ts';

const FAMILIES = {
  ...bufferRings,
  ...buffers,
  ...eventfds,
  ...feature,
  ...files,
  ...messages,
  ...personalities,
  ...queries,
  ...ringDescriptors,
  ...settings,
  ...workers,
} satisfies RegisterFamily;

/** The specifications with their names, in the order of the header. */
const NAMED = Object.entries<RegisterSpec>(FAMILIES).sort(([, a], [, b]) => a.opcode - b.opcode);

/** io_uring_register(2) opcodes by name; the unregister and update forms carry the header's names. */
export const IORING_REGISTER = Object.fromEntries(NAMED.map(([name, { opcode }]) => [name, opcode])) as {
  readonly [K in keyof typeof FAMILIES]: number;
};

const byOpcode: RegisterSpec[] = [];
for (const [, spec] of NAMED) byOpcode[spec.opcode] = spec;

/** What is known of a register opcode; undefined for opcodes newer than the specification. */
export function registerSpec(opcode: number): RegisterSpec | undefined {
  return byOpcode[opcode];
}

/** Every register opcode's specification, by number. */
export const registerSpecs: readonly RegisterSpec[] = byOpcode.filter((spec) => spec !== undefined);

/** Whether a register opcode exists without a ring (fd = -1). */
export function takesBlind(spec: RegisterSpec): boolean {
  return spec.blind !== undefined || spec.modelAnswersBlind === true;
}

/** With fd = -1 every other opcode is unknown. */
const UNKNOWN_BLIND = call('blind', 1, { ...argBytes(new Uint8Array(64)), ...task });

/** Every ready-made call. */
export const registerForms: readonly RegisterForm[] = [
  ...registerSpecs.flatMap(({ opcode, forms }) => forms.map((one) => ({ ...one, opcode }))),
  ...registerSpecs.filter((spec) => !takesBlind(spec)).map(({ opcode }) => ({ ...UNKNOWN_BLIND, opcode })),
];

/** Every rule of io_uring_register(2) beside those of filters and restrictions. */
export const registerRules: readonly Rule[] = [
  ...Object.values<Rule>(commonRules),
  ...new Set(registerSpecs.map(({ rule }) => rule).filter((rule) => rule !== undefined)),
];
