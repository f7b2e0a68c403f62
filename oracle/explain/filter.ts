/** A simulator for people who write filters: is it taken, and what does it say to which request. */
import type { AbiProfile } from '../uapi/abi.ts';
import { asmLines } from '../bpf/asm.ts';
import { instructionOf, registerSet } from '../bpf/instructions.ts';
import type { Program } from '../bpf/program.ts';
import { trace } from '../bpf/trace.ts';
import type { Trace } from '../bpf/trace.ts';
import { contextWords } from '../model/evaluate.ts';
import { opName, opSpec } from '../opcodes/index.ts';
import { resultText, sqeText } from '../text/index.ts';
import type { Sqe } from '../scenario/types.ts';
import { contextFields } from './context.ts';
import { judgeProgram } from './program.ts';
import type { ProgramVerdict } from './program.ts';
import { prepare, sampleRequests } from './samples.ts';

/** A filter to be tried. */
export interface FilterInput {
  readonly program: Program;
  /** Opcode the filter is registered on. */
  readonly opcode: number;
  /** Requests to try; default: samples of the opcode. */
  readonly requests?: readonly Sqe[];
}

/** What the checks say of a filter, and what it says of requests. */
export interface FilterExplanation {
  readonly opcode: number;
  readonly opcode_name: string;
  readonly little_endian: boolean;
  readonly program: Program;
  readonly verdict: ProgramVerdict;
  /** pdu_size to register it with, in bytes. */
  readonly pdu_size: number;
  readonly requests: readonly FilterRun[];
  /** Instructions that no request reached, where some were tried. */
  readonly unreached: readonly number[];
}

/** One request shown to the filter. */
export interface FilterRun {
  readonly request: string;
  /** Context members, name and value. Absent when the filter is not asked. */
  readonly context?: readonly (readonly [name: string, value: string])[];
  /** Why the filter is not asked: prep's error, or an SQE of unknown shape. */
  readonly skipped?: string;
  /** Returned value, u32. */
  readonly result?: number;
  readonly allowed?: boolean;
  readonly ended?: Trace['ended'];
  readonly steps: readonly RunStep[];
}

/** One executed instruction. */
export interface RunStep {
  readonly pc: number;
  readonly text: string;
  /** Field name of the word that is loaded. */
  readonly comment: string | null;
  /** A and X after the instruction. */
  readonly a: number;
  readonly x: number;
  /** Register that the instruction sets, if any. */
  readonly sets: 'a' | 'x' | null;
  /** Conditional jumps: whether the comparison held. */
  readonly taken: boolean | null;
  /** Instruction that runs next; undefined at the end. */
  readonly next?: number;
}

/** Judges the program, and runs it when it is taken. */
export function explainFilter({ program, opcode, requests }: FilterInput, abi: AbiProfile): FilterExplanation {
  const verdict = judgeProgram(program, abi);
  const lines = asmLines(program, { payload: opSpec(opcode)?.payload, littleEndian: abi.little_endian });
  const runs = verdict.accepted
    ? (requests ?? sampleRequests(opcode, abi)).map((sqe) => runOne(program, lines, sqe, abi))
    : [];
  const reached = new Set(runs.flatMap(({ steps }) => steps.map(({ pc }) => pc)));
  return {
    opcode,
    opcode_name: opName(opcode),
    little_endian: abi.little_endian,
    program,
    verdict,
    pdu_size: abi.pdu_size[opcode] ?? 0,
    requests: runs,
    unreached: reached.size === 0 ? [] : program.map((_, pc) => pc).filter((pc) => !reached.has(pc)),
  };
}

function runOne(program: Program, lines: ReturnType<typeof asmLines>, sqe: Sqe, abi: AbiProfile): FilterRun {
  const request = sqeText(sqe, abi);
  const prep = prepare(sqe, abi);
  if (prep.ok === 'unknown') return { request, skipped: 'what prep makes of this request is not specified', steps: [] };
  if (!prep.ok)
    return { request, skipped: `prep refuses it with ${resultText(-prep.errno)}; the filter is not asked`, steps: [] };
  const ctx = contextWords(
    abi,
    sqe.opcode,
    ((sqe.flags ?? 0) | prep.adds_flags) & abi.sqe_flags,
    sqe.user_data ?? 0n,
    prep.payload,
  );
  const { steps, result, ended } = trace(program, ctx, abi.ctx_size);
  return {
    request,
    context: contextFields(ctx, abi),
    result,
    allowed: result !== 0,
    ended,
    steps: steps.map(({ pc, filter, aAfter, xAfter, taken }, i) => {
      const next = steps[i + 1]?.pc;
      const { text, comment } = lines[pc]!;
      return {
        pc,
        text,
        comment,
        a: aAfter,
        x: xAfter,
        sets: registerSet(instructionOf(filter.code)!) ?? null,
        taken,
        ...(next === undefined ? {} : { next }),
      };
    }),
  };
}
