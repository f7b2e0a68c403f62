/** All hand-written examples. */
import { argumentsSuite } from './arguments.ts';
import { atomicity } from './atomicity.ts';
import type { Example } from './build.ts';
import { classicRestrictions } from './classic-restrictions.ts';
import { combinations } from './combinations.ts';
import { denyRest } from './deny-rest.ts';
import { escapeSuite } from './escape.ts';
import { evaluation } from './evaluation.ts';
import { inheritance } from './inheritance.ts';
import { jitVsInterpreter } from './jit-vs-interpreter.ts';
import { links } from './links.ts';
import { opcodeContext } from './opcode-context.ts';
import { privilege } from './privilege.ts';
import { refusals } from './refusals.ts';
import { ringPassing } from './ring-passing.ts';
import { stacking } from './stacking.ts';
import { sweep } from './sweep.ts';
import { validator } from './validator.ts';

export type { Example } from './build.ts';
/** All of them, in the order of the suites. */
export const EXAMPLES: readonly Example[] = [
  validator,
  evaluation,
  argumentsSuite,
  stacking,
  denyRest,
  opcodeContext,
  links,
  classicRestrictions,
  privilege,
  inheritance,
  atomicity,
  escapeSuite,
  jitVsInterpreter,
  ringPassing,
  combinations,
  refusals,
  sweep,
].flat();
