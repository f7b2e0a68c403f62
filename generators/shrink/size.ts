/** The measure by which a shrunk scenario is smaller. Every part counts, so shrinking ends. */
import type { BpfArg, Placement, Restriction, Scenario, Sqe, Step, Target } from '../../oracle/scenario/types.ts';
import type { Program } from '../../oracle/bpf/program.ts';

function bits(value: number): number {
  let n = 0;
  for (let v = value >>> 0; v !== 0; v &= v - 1) n++;
  return n;
}

/** 0 for 0, 1 for 1, and more for what is longer to read. */
export function numberSize(value: number | bigint): number {
  if (value === 0 || value === 0n) return 0;
  if (value === 1 || value === 1n) return 1;
  return 1 + value.toString(16).length;
}

export function sqeSize(sqe: Sqe): number {
  let size = 40 + (sqe.opcode === 0 ? 0 : 5);
  size += 2 * bits(sqe.flags ?? 0);
  const { opcode: _opcode, flags: _flags, ...rest } = sqe;
  for (const value of Object.values(rest)) if (value !== undefined) size += numberSize(value);
  return size;
}

export function programSize(program: Program): number {
  let size = 0;
  for (const { code, jt, jf, k } of program) {
    size += 20 + (jt !== 0 ? 1 : 0) + (jf !== 0 ? 1 : 0) + numberSize(k) + (code === 0x06 ? 0 : 1);
  }
  return size;
}

function placementSize(placement: Placement): number {
  return placement === 'normal' ? 0 : typeof placement === 'string' ? 3 : 4 + numberSize(placement.raw);
}

function targetSize(on: Target): number {
  return on.kind === 'ring' ? 0 : on.kind === 'task' ? 1 : 3;
}

function bpfArgSize(arg: BpfArg): number {
  let size = programSize(arg.program) + placementSize(arg.placement) + placementSize(arg.program_placement);
  size +=
    numberSize(arg.cmd_type) +
    numberSize(arg.cmd_flags) +
    numberSize(arg.resv) +
    2 * bits(arg.flags) +
    numberSize(arg.pdu_size);
  size += arg.opcode === 0 ? 0 : 3;
  size += arg.filter_len === arg.program.length ? 0 : 3 + numberSize(arg.filter_len);
  for (const byte of arg.resv_filter) size += numberSize(byte);
  for (const word of arg.resv2) size += numberSize(word);
  return size;
}

function restrictionsSize(list: readonly Restriction[]): number {
  let size = 0;
  for (const { opcode, value, resv, resv2 } of list) {
    size += 15 + numberSize(opcode) + numberSize(value) + numberSize(resv);
    for (const word of resv2) size += numberSize(word);
  }
  return size;
}

/** Size of one step. */
export function stepSize(step: Step): number {
  let size = 100 + (step.task === 0 ? 0 : 2);
  if ('on' in step) size += targetSize(step.on);
  switch (step.do) {
    case 'ring':
      return size + 2 * bits(step.flags) + numberSize(step.entries);
    case 'register_bpf_filter':
      return size + bpfArgSize(step.arg) + (step.nr_args === 1 ? 0 : 3);
    case 'register_restrictions':
      return (
        size +
        restrictionsSize(step.arg.restrictions) +
        placementSize(step.arg.placement) +
        (step.nr_args === step.arg.restrictions.length ? 0 : 3)
      );
    case 'register_task_restrictions': {
      const { arg } = step;
      size +=
        restrictionsSize(arg.restrictions) +
        placementSize(arg.placement) +
        numberSize(arg.flags) +
        (step.nr_args === 1 ? 0 : 3);
      for (const word of arg.resv) size += numberSize(word);
      return size + (arg.nr_res === arg.restrictions.length ? 0 : 3);
    }
    case 'register':
      for (const byte of step.bytes ?? []) if (byte !== 0) size += 1;
      return size + (step.bytes?.length ?? 0) + (step.raw_arg === undefined ? 0 : 3) + numberSize(step.nr_args);
    case 'submit':
      for (const sqe of step.sqes) size += sqeSize(sqe);
      return size + (step.registered === undefined ? 0 : 3);
    case 'spawn':
      return size + (step.how === 'fork' ? 0 : 1);
    case 'take_ring':
      return size + (step.from === 0 ? 0 : 2);
    case 'probe_memory':
      return size + numberSize(step.length);
    case 'no_new_privs':
      return size - 5;
    default:
      return size;
  }
}

/** Size of a scenario. */
export function scenarioSize(scenario: Scenario): number {
  let size = scenario.fixtures.length * 10 + (scenario.jit ? 0 : 1);
  for (const step of scenario.steps) size += stepSize(step);
  return size;
}
