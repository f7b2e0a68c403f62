/** atomicity: a failed registration changes nothing. */
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import { isSubmit } from '../../oracle/steps/kind/submit.ts';
import { FILTER_DENY_REST, spoilBpfArg, bpfArg } from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { spoil } from '../program/invalid.ts';
import { drawProgram } from '../program/valid.ts';
import { hostileRestrictions } from './arguments.ts';
import { drawRegister } from './register-calls.ts';

/** Suite atomicity. */
export const atomicity: Suite = { weight: 1, opening: 3, draw };

/** The same requests before and after registrations that fail, on rings with and without rules of their own. */
function draw(b: Builder): void {
  const { d } = b;
  const disabled = d.chance(0.2);
  const flags = drawRingFlags(d, disabled ? IORING_SETUP.R_DISABLED : 0);
  const crew = b.crew({ count: d.int(2, 6), setup_flags: flags, flags: 0, only: (role) => role.once.length === 0 });
  const onTask = d.chance(0.4);
  if (onTask) firstFilter(b, TASK, crew);
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  const on: Target = onTask ? TASK : onRing(ring);
  if (!onTask) firstFilter(b, on, crew);
  if (!disabled) b.submit(0, ring, crew, d.int(12, 32));
  const last = b.steps.findLast(isSubmit);
  for (let n = d.int(1, 8); n > 0; n--) {
    if (disabled && d.chance(0.4)) hostileRestrictions(b, 0, on, crew);
    else failingRegistration(b, on, crew);
  }
  if (disabled) b.enable(0, ring);
  if (last !== undefined && d.chance(0.7)) b.push({ ...last });
  else b.submit(0, ring, crew, d.int(12, 32));
  const later = b.ring(0, flags);
  if (disabled && later !== undefined) b.enable(0, later);
  b.submit(0, later, crew, d.int(12, 32));
  if (d.chance(0.25)) {
    const child = b.spawn(0, d.pick(['fork', 'thread', 'clone_vm']));
    if (child !== undefined) b.submit(child, b.ring(child, flags & ~IORING_SETUP.R_DISABLED), crew, d.int(8, 24));
  }
}

/** What holds before anything fails. */
function firstFilter(b: Builder, on: Target, crew: Crew): void {
  const { d } = b;
  if (!d.chance(0.7)) return;
  b.drawFilter(0, on, crew, d.pick(crew.opcodes), { share: 0.7 }, d.chance(0.15) ? FILTER_DENY_REST : 0);
}

/** A filter that is refused, for its program or for its argument. */
function failingRegistration(b: Builder, on: Target, crew: Crew): void {
  const { d, abi } = b;
  if (d.chance(0.15)) drawRegister(b, 0, on);
  const opcode = d.pick(crew.opcodes);
  const program = drawProgram(d, crew.contexts(opcode), { share: 0.3, shape: 'compare' });
  // Flags that would do most harm if the call were not undone.
  const rest = d.chance(0.5) ? FILTER_DENY_REST : 0;
  if (d.chance(0.5)) b.registerArg(0, on, bpfArg(abi, opcode, spoil(d, program, abi.ctx_size), rest));
  else b.registerArg(0, on, spoilBpfArg(d, abi, bpfArg(abi, opcode, program, rest)));
}
