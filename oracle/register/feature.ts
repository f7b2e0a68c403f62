/** The opcodes of the feature itself, which the model answers: restrictions, filters, the start of a disabled ring. */
import type { RegisterFamily } from './spec.ts';

/** The opcodes of this family. */
export const feature = {
  /** IORING_REGISTER_RESTRICTIONS: restricts a ring or a task to some requests. */
  REGISTER_RESTRICTIONS: {
    opcode: 11,
    since: '5.10',
    modelAnswersBlind: true,
    setsRules: 'classic-reg.kind',
    forms: [],
  },

  /** IORING_REGISTER_ENABLE_RINGS: starts a ring that was made disabled. */
  REGISTER_ENABLE_RINGS: { opcode: 12, since: '5.10', enablesRing: true, forms: [] },

  /** IORING_REGISTER_BPF_FILTER: registers a filter on an opcode. */
  REGISTER_BPF_FILTER: {
    opcode: 37,
    since: '7.0',
    modelAnswersBlind: true,
    setsRules: 'filter-reg.fault',
    forms: [],
  },
} satisfies RegisterFamily;
