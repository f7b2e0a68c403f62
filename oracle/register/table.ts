/** The table of io_uring_register opcodes. */
import { REGISTER_PBUF_RING, UNREGISTER_PBUF_RING, REGISTER_PBUF_STATUS } from './buffer-rings.ts';
import {
  REGISTER_BUFFERS,
  UNREGISTER_BUFFERS,
  REGISTER_BUFFERS2,
  REGISTER_BUFFERS_UPDATE,
  REGISTER_CLONE_BUFFERS,
} from './buffers.ts';
import { REGISTER_EVENTFD, UNREGISTER_EVENTFD, REGISTER_EVENTFD_ASYNC } from './eventfd.ts';
import { REGISTER_RESTRICTIONS, REGISTER_ENABLE_RINGS, REGISTER_BPF_FILTER } from './feature.ts';
import {
  REGISTER_FILES,
  UNREGISTER_FILES,
  REGISTER_FILES_UPDATE,
  REGISTER_FILES2,
  REGISTER_FILES_UPDATE2,
  REGISTER_FILE_ALLOC_RANGE,
} from './files.ts';
import { REGISTER_SYNC_CANCEL, REGISTER_SEND_MSG_RING } from './messages.ts';
import { REGISTER_PERSONALITY, UNREGISTER_PERSONALITY } from './personality.ts';
import { REGISTER_PROBE, REGISTER_QUERY } from './queries.ts';
import { REGISTER_RING_FDS, UNREGISTER_RING_FDS } from './ring-descriptors.ts';
import {
  REGISTER_NAPI,
  UNREGISTER_NAPI,
  REGISTER_CLOCK,
  REGISTER_ZCRX_IFQ,
  REGISTER_RESIZE_RINGS,
  REGISTER_MEM_REGION,
  REGISTER_ZCRX_CTRL,
} from './settings.ts';
import { REGISTER_IOWQ_AFF, UNREGISTER_IOWQ_AFF, REGISTER_IOWQ_MAX_WORKERS } from './workers.ts';
import { bytes, form, task } from './ready-made.ts';
import { commonRules } from './register-rules.ts';
import type { RegisterForm, RegisterSpec } from './spec.ts';
import type { Rule } from '../rule.ts';

/** The specifications by name, in the order of the header. */
const SPECS = {
  REGISTER_BUFFERS,
  UNREGISTER_BUFFERS,
  REGISTER_FILES,
  UNREGISTER_FILES,
  REGISTER_EVENTFD,
  UNREGISTER_EVENTFD,
  REGISTER_FILES_UPDATE,
  REGISTER_EVENTFD_ASYNC,
  REGISTER_PROBE,
  REGISTER_PERSONALITY,
  UNREGISTER_PERSONALITY,
  REGISTER_RESTRICTIONS,
  REGISTER_ENABLE_RINGS,
  REGISTER_FILES2,
  REGISTER_FILES_UPDATE2,
  REGISTER_BUFFERS2,
  REGISTER_BUFFERS_UPDATE,
  REGISTER_IOWQ_AFF,
  UNREGISTER_IOWQ_AFF,
  REGISTER_IOWQ_MAX_WORKERS,
  REGISTER_RING_FDS,
  UNREGISTER_RING_FDS,
  REGISTER_PBUF_RING,
  UNREGISTER_PBUF_RING,
  REGISTER_SYNC_CANCEL,
  REGISTER_FILE_ALLOC_RANGE,
  REGISTER_PBUF_STATUS,
  REGISTER_NAPI,
  UNREGISTER_NAPI,
  REGISTER_CLOCK,
  REGISTER_CLONE_BUFFERS,
  REGISTER_SEND_MSG_RING,
  REGISTER_ZCRX_IFQ,
  REGISTER_RESIZE_RINGS,
  REGISTER_MEM_REGION,
  REGISTER_QUERY,
  REGISTER_ZCRX_CTRL,
  REGISTER_BPF_FILTER,
} satisfies Readonly<Record<string, RegisterSpec>>;

const NAMED: readonly (readonly [name: string, spec: RegisterSpec])[] = Object.entries<RegisterSpec>(SPECS);

/** io_uring_register(2) opcodes by name; the unregister and update forms carry the header's names. */
export const IORING_REGISTER = Object.fromEntries(NAMED.map(([name, { opcode }]) => [name, opcode])) as {
  readonly [K in keyof typeof SPECS]: number;
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
const UNKNOWN_BLIND = form('blind', 1, { ...bytes(new Uint8Array(64)), ...task });

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
