/**
 * A scenario and what the rules say of it, as plain data for pictures: made by the oracle when the
 * case was judged (oracle/explain/story.ts), so that a report shows what was judged, not what a later oracle thinks.
 */

export interface Story {
  readonly fixtures: readonly string[];
  readonly jit: boolean;
  /** How the kernel is told to run programs, where that is not as usual. */
  readonly setting?: string;
  readonly steps: readonly StoryStep[];
  readonly programs: readonly StoryProgram[];
}

/** One step, drawn in the lane of its task. */
export interface StoryStep {
  readonly task: number;
  /** Kind of step, as in the scenario: spawn, exec, submit ... */
  readonly do: string;
  /** The call, as C people write it. */
  readonly call: string;
  /** Task that a spawn makes. */
  readonly child?: number;
  /** How it is made: fork, vfork, thread, clone_vm, clone3. */
  readonly how?: string;
  /** What the rules say: "-EACCES", "0", "does not run". */
  readonly predicted: string;
  /** What the kernel answered, in the same form; absent when it was not kept. */
  readonly observed?: string;
  readonly rule: string;
  readonly requests: readonly StoryRequest[];
  /** CQEs that the kernel posted and no request of this step asked for. */
  readonly strays?: readonly string[];
}

/** One request of a submit step. */
export interface StoryRequest {
  readonly text: string;
  readonly predicted: string;
  readonly observed?: string;
  /** What decided: init, classic, prep, filter, link or issue; absent where the rules leave it open. */
  readonly stage?: string;
  readonly rule?: string;
  /** What filters see of the request, name and value; absent when none is asked. */
  readonly context?: readonly (readonly [name: string, value: string])[];
  /** Filters in the order in which they run. */
  readonly filters: readonly StoryFilter[];
}

/** What one filter says of a request, and how it came to say it. */
export interface StoryFilter {
  /** Step that registered it. */
  readonly step: number;
  /** True for the deny filter that DENY_REST attached: it has no program. */
  readonly deny_rest: boolean;
  /** Returned value, u32; 0 denies. */
  readonly value: number;
  /** How the program ended: ret, div-by-zero-x or stopped. */
  readonly ended?: string;
  /** Executed instructions: index, A and X afterwards, and 1 or 0 for a jump that was taken or not. */
  readonly trace: readonly (readonly [pc: number, a: number, x: number, taken?: 0 | 1])[];
}

/** A program that a step registers. */
export interface StoryProgram {
  /** Step that registers it. */
  readonly step: number;
  readonly opcode: string;
  /** Length in instructions; `lines` may be cut. */
  readonly length: number;
  readonly accepted: boolean;
  /** What the checks say. */
  readonly verdict: string;
  /** Instruction at fault, from 0; only for a refused program. */
  readonly fault?: number;
  /** Assembler, C row and comment per instruction. */
  readonly lines: readonly (readonly [asm: string, row: string, comment: string])[];
}
