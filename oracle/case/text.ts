/** A scenario as a kernel developer reads it: the task tree over time, one call per step. */
import type { AbiProfile } from '../uapi/abi.ts';
import { printAsm } from '../bpf/asm.ts';
import { printSideBySide } from '../bpf/carray.ts';
import type { Program } from '../bpf/program.ts';
import { opName, opSpec } from '../opcodes/index.ts';
import { filterOf, requestsOf, specOf } from '../steps/index.ts';
import type { Scenario, Step } from '../steps/index.ts';
import { sqeText } from '../text/index.ts';
import { lanes } from './lanes.ts';

/** What is printed of a scenario. */
export interface ScenarioTextOptions {
  /** `full`: assembler and the C array beside it; `asm`: assembler alone; `none`: only their length. Default `full`. */
  readonly programs?: 'full' | 'asm' | 'none';
  /** Lines to put under a step, by its index. */
  readonly notes?: ReadonlyMap<number, readonly string[]>;
  /** Programs are cut after so many instructions. Default 128. */
  readonly instructions?: number;
}

/** The call that a step makes, without the task that makes it. */
export function stepText(step: Step, abi: AbiProfile): string {
  return specOf(step).text(step, abi);
}

/** The scenario, several lines without a final newline. */
export function printScenario(scenario: Scenario, abi: AbiProfile, options: ScenarioTextOptions = {}): string {
  const lines: string[] = [];
  if (scenario.fixtures.length > 0) lines.push(`fixtures: ${scenario.fixtures.join(', ')}`);
  const setting = jitText(scenario);
  if (setting !== undefined) lines.push(setting);
  const columns = lanes(scenario);
  const number = String(scenario.steps.length - 1).length;
  scenario.steps.forEach((step, i) => {
    const head = `[${i}]`.padStart(number + 2);
    const lane = columns[i]!;
    const indent = ' '.repeat(head.length + 1 + lane.length);
    lines.push(`${head} ${lane}${stepText(step, abi)}`);
    for (const line of detailLines(step, abi, options)) lines.push(`${indent}  ${line}`);
    for (const note of options.notes?.get(i) ?? []) lines.push(`${indent}  > ${note}`);
  });
  if (scenario.steps.length === 0) lines.push('(no steps)');
  return lines.join('\n');
}

/** How the kernel is told to run programs, where that is not as usual. */
export function jitText({ jit, harden, traces }: Scenario): string | undefined {
  const parts = [
    ...(jit ? [] : ['BPF JIT: off']),
    ...(harden === undefined ? [] : [`bpf_jit_harden: ${harden}`]),
    ...(traces === undefined ? [] : ['the BPF JIT tells what it compiles']),
  ];
  return parts.length === 0 ? undefined : parts.join('; ');
}

/** What a step's one line has no room for: its SQEs, its program. */
function detailLines(step: Step, abi: AbiProfile, options: ScenarioTextOptions): string[] {
  const sqes = requestsOf(step);
  const width = Math.max(0, ...sqes.map(({ opcode }) => opName(opcode).length));
  const digits = String(sqes.length - 1).length;
  const filter = filterOf(step);
  return [
    ...sqes.map((sqe, i) => `#${String(i).padEnd(digits)} ${sqeText(sqe, abi, width)}`),
    ...(filter === undefined ? [] : programLines(filter.program, filter.opcode, abi, options)),
  ];
}

/** A program as indented text. */
function programLines(
  program: Program,
  opcode: number,
  abi: AbiProfile,
  { programs = 'full', instructions = 128 }: ScenarioTextOptions,
): string[] {
  if (programs === 'none' || program.length === 0) return [];
  const print = { payload: opSpec(opcode)?.payload, littleEndian: abi.little_endian };
  const text = programs === 'full' ? printSideBySide(program, print) : printAsm(program, print);
  const lines = text.split('\n');
  return lines.length <= instructions
    ? lines
    : [...lines.slice(0, instructions), `... ${lines.length - instructions} more instructions`];
}
