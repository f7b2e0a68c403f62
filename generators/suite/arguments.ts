/** arguments: every field of every registration structure, off by one step. */
import { IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import type { Restriction, Target } from '../../oracle/scenario/types.ts';
import {
  bpfArg,
  drawPlacement,
  oddCount,
  restriction,
  ringRestrictions,
  spoilBpfArg,
  spoilRestriction,
  spoilTaskRestrictions,
  taskRestrictions,
  wrongTarget,
} from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { drawProgram } from '../program/valid.ts';
import { spoil } from '../program/invalid.ts';
import {
  ARGUMENT_PARTS,
  everyArgumentByte,
  everyEntriesBit,
  everyFilterBit,
  everyRestrictionBit,
  everySetupBit,
  everySize,
} from './every-byte.ts';
import { everyPduSize } from './every-opcode.ts';
import { drawRegister } from './register-calls.ts';

/** One registration with zero to three things wrong. */
function hostileFilter(b: Builder, task: number, on: Target, crew: Crew): void {
  const { d, abi } = b;
  const opcode = d.chance(0.8) ? d.pick(crew.opcodes) : d.below(abi.op_last);
  let program = drawProgram(d, crew.contexts(opcode), {
    shape: d.pick(['compare', 'tree', 'constant', 'body']),
    share: 0.6,
    quick: true,
  });
  // Two faults at once show the order of the checks.
  if (d.chance(0.15)) program = spoil(d, program, abi.ctx_size);
  let arg = bpfArg(abi, opcode, program, d.chance(0.03) ? 1 : 0);
  for (
    let n = d.weighted<number>([
      [2, 0],
      [10, 1],
      [4, 2],
      [1, 3],
    ]);
    n > 0;
    n--
  )
    arg = spoilBpfArg(d, abi, arg);
  const target = d.chance(0.06) ? wrongTarget(d) : on;
  b.registerArg(task, target, arg, d.chance(0.06) ? oddCount(d) : 1);
}

/** A list of restrictions; short, mostly sensible. */
function drawRestrictions(b: Builder, crew: Crew): Restriction[] {
  const { d, abi } = b;
  const out: Restriction[] = [];
  for (let n = d.geometric(0, 12, 3); n > 0; n--) {
    switch (d.below(4)) {
      case 0:
        out.push(restriction(IORING_RESTRICTION.REGISTER_OP, d.below(abi.register_last)));
        break;
      case 1:
        out.push(restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, d.below(0x80)));
        break;
      default:
        out.push(restriction(IORING_RESTRICTION.SQE_OP, d.chance(0.8) ? d.pick(crew.opcodes) : d.below(abi.op_last)));
    }
  }
  return out;
}

/** Classic restrictions with things wrong, on a ring or a task. */
export function hostileRestrictions(b: Builder, task: number, on: Target, crew: Crew): void {
  const { d, abi } = b;
  let list = drawRestrictions(b, crew);
  const target = d.chance(0.06) ? wrongTarget(d) : on;
  const asTask = d.chance(0.06) ? target.kind !== 'task' : target.kind === 'task';
  if (asTask) {
    let arg = taskRestrictions(list);
    for (
      let n = d.weighted<number>([
        [1, 0],
        [6, 1],
        [2, 2],
      ]);
      n > 0;
      n--
    )
      arg = spoilTaskRestrictions(d, abi, arg);
    b.push({ do: 'register_task_restrictions', task, on: target, nr_args: d.chance(0.12) ? oddCount(d) : 1, arg });
    return;
  }
  if (list.length > 0 && d.chance(0.4)) {
    const at = d.below(list.length);
    list = list.map((entry, i) => (i === at ? spoilRestriction(d, abi, entry) : entry));
  }
  const arg = { ...ringRestrictions(list), placement: d.chance(0.35) ? drawPlacement(d) : ('normal' as const) };
  const most = 4 + abi.op_last + abi.register_last;
  const nrArgs = d.chance(0.6) ? list.length : d.pick([0, list.length + 1, most, most + 1, 0xffff_ffff, 0x8000_0000]);
  b.push({ do: 'register_restrictions', task, on: target, nr_args: nrArgs, arg });
}

/** Suite arguments. */
export const argumentsSuite: Suite = {
  weight: 2,
  opening: 6,
  draw,
  planned: [
    ...[0, 1, 2].map((part) => everyFilterBit(part, 3)),
    everyPduSize,
    everyRestrictionBit,
    everyEntriesBit,
    everySize,
    everySetupBit,
    ...Array.from({ length: ARGUMENT_PARTS }, (_, part) => everyArgumentByte(part)),
  ],
};

function draw(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(2, 6), setup_flags: flags, flags: 0 });
  b.oddRing(0, crew);
  const disabled = d.chance(0.35);
  if (d.chance(0.1)) b.push({ do: 'no_new_privs', task: 0 });
  const ring = b.ring(0, disabled ? (flags | IORING_SETUP.R_DISABLED) >>> 0 : flags);
  if (ring === undefined) return;
  const classic = d.chance(0.4);
  for (let n = d.int(10, 28); n > 0; n--) {
    const on: Target = d.chance(0.3) ? TASK : onRing(ring);
    if (d.chance(0.1)) drawRegister(b, 0, on);
    else if (classic && d.chance(0.4)) hostileRestrictions(b, 0, on, crew);
    else hostileFilter(b, 0, on, crew);
  }
  if (disabled) b.enable(0, ring);
  // What was taken in spite of all shows here.
  b.submit(0, ring, crew, d.int(16, 48));
  if (d.chance(0.4)) {
    const later = b.ring(0, flags);
    b.submit(0, later, crew, d.int(8, 32));
  }
}
