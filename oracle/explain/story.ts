/** Tells a judged scenario as plain data, for the pictures of reports. */
import { Open } from '../open-answer.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { asmLines } from '../bpf/asm.ts';
import { cRow } from '../bpf/carray.ts';
import { trace } from '../bpf/trace.ts';
import { contextFields } from './context.ts';
import { judgeProgram, verdictText } from './program.ts';
import { opName, opSpec } from '../opcodes/index.ts';
import { predictTraced } from '../predict.ts';
import type { TracedPrediction } from '../predict.ts';
import { allows } from '../scenario/prediction.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type { Cqe, Observation, StepObservation } from '../scenario/observation.ts';
import { effectiveProgram } from '../scenario/memory.ts';
import { jitText, stepText } from '../case/text.ts';
import { allowedText, bytesText, hex, resultText, sqeText } from '../text/index.ts';
import type { BpfArg, Sqe } from '../scenario/types.ts';
import { filterOf, madeBy, requestsOf, specOf } from '../steps/index.ts';
import type { Scenario, Step } from '../steps/index.ts';
import type { FilterVerdict, TraceEvent } from '../model/trace.ts';
import type { Story, StoryFilter, StoryProgram, StoryRequest, StoryStep } from './story-data.ts';

/** Instructions of a program, and of a trace, that are kept: shrunk cases have a handful. */
const MOST = 512;

type RequestEvent = Extract<TraceEvent, { kind: 'request' }>;

/** The scenario, what the rules say of it, and what the kernel answered where that was kept. */
export function storyOf(
  scenario: Scenario,
  abi: AbiProfile,
  observation?: Observation,
  { prediction, events }: TracedPrediction = predictTraced(scenario, abi),
): Story {
  const { steps } = prediction;
  const setting = jitText(scenario);
  const requests = events.filter((event): event is RequestEvent => event.kind === 'request');
  return {
    fixtures: [...scenario.fixtures],
    jit: scenario.jit,
    ...(setting === undefined ? {} : { setting }),
    steps: scenario.steps.map((step, i) =>
      storyStep(
        step,
        steps[i]!,
        requests.filter((event) => event.step === i),
        abi,
        observation?.steps[i],
      ),
    ),
    programs: scenario.steps.flatMap((step, i) => {
      const filter = filterOf(step);
      return filter === undefined ? [] : [programOf(filter, i, abi)];
    }),
  };
}

function storyStep(
  step: Step,
  predicted: PredictedStep,
  events: readonly RequestEvent[],
  abi: AbiProfile,
  observed: StepObservation | undefined,
): StoryStep {
  const { reached, returns, rule } = predicted;
  const { task: child, how } = madeBy(step);
  const sqes = reached ? requestsOf(step) : [];
  const asked = new Set(sqes.map((sqe) => sqe.user_data ?? 0n));
  const answers = observed === undefined ? undefined : answersOf(sqes, predicted, observed.cqes);
  const strays = observed?.cqes.filter(({ user_data }) => !asked.has(user_data)).map((cqe) => cqeText(cqe, true)) ?? [];
  return {
    task: step.task,
    do: step.do,
    call: stepText(step, abi),
    ...(child === undefined ? {} : { child }),
    ...(how === undefined ? {} : { how }),
    predicted: !reached
      ? 'does not run'
      : Open.is(returns)
        ? 'anything'
        : [...returns.map((allowed) => allowedText(allowed)), ...memory(step, predicted.memory)].join(', '),
    ...(observed === undefined
      ? {}
      : {
          observed: !observed.reached
            ? 'did not run'
            : [...observed.returns.map(resultText), ...memory(step, observed.memory)].join(', '),
        }),
    rule,
    requests: sqes.map((sqe, i) =>
      storyRequest(
        i,
        sqeText(sqe, abi),
        predicted,
        events.filter((event) => event.sqe === i),
        abi,
        answers?.[i],
      ),
    ),
    ...(strays.length === 0 ? {} : { strays }),
  };
}

function memory(step: Step, bytes: Uint8Array | Open | undefined): string[] {
  if (!(bytes instanceof Uint8Array)) return [];
  return [specOf(step).writtenBack?.(bytes) ?? `bytes ${bytesText(bytes, 32)}`];
}

/**
 * CQEs per request. Where requests share their user_data, those that are as predicted go first and the others take what
 * is left.
 */
function answersOf(sqes: readonly Sqe[], { cqes }: PredictedStep, observed: readonly Cqe[]): Cqe[][] {
  const left = new Set(observed);
  const answers = sqes.map((): Cqe[] => []);
  for (const { sqe, user_data, res } of Open.is(cqes) ? [] : cqes) {
    const found = [...left].find((cqe) => cqe.user_data === user_data && allows(res, cqe.res));
    if (found === undefined || answers[sqe] === undefined) continue;
    answers[sqe].push(found);
    left.delete(found);
  }
  for (const cqe of left) {
    const own = sqes.flatMap((sqe, i) => ((sqe.user_data ?? 0n) === cqe.user_data ? [i] : []));
    const taker = own.find((i) => answers[i]!.length === 0) ?? own.at(-1);
    if (taker !== undefined) answers[taker]!.push(cqe);
  }
  return answers;
}

function storyRequest(
  index: number,
  text: string,
  { cqes }: PredictedStep,
  events: readonly RequestEvent[],
  abi: AbiProfile,
  seen: readonly Cqe[] | undefined,
): StoryRequest {
  const last = events.at(-1);
  const all = events.flatMap((event) => event.filters);
  // Behind a drain the stack is tried with more than one context; the first is the request's own.
  const filters = all.filter(({ ctx }) => ctx === all[0]!.ctx);
  const own = Open.is(cqes) ? [] : cqes.filter(({ sqe }) => sqe === index);
  return {
    text,
    predicted: Open.is(cqes)
      ? 'not judged'
      : own.length === 0
        ? 'no CQE'
        : own
            .map(({ res, optional }) => `${allowedText(res)}${optional !== undefined ? ' (may be missing)' : ''}`)
            .join(', '),
    ...(seen === undefined
      ? {}
      : { observed: seen.length === 0 ? 'no CQE' : seen.map((cqe) => cqeText(cqe, false)).join(', ') }),
    ...(last === undefined ? {} : { stage: last.stage, rule: last.rule }),
    ...(filters[0] === undefined ? {} : { context: contextFields(filters[0].ctx, abi) }),
    filters: filters.map((filter) => storyFilter(filter, abi)),
  };
}

function cqeText({ user_data, res, flags }: Cqe, whole: boolean): string {
  const named = whole ? `user_data=${hex(user_data)} res=` : '';
  return `${named}${resultText(res)}${flags === 0 ? '' : ` flags=${hex(flags)}`}`;
}

function storyFilter({ step, program, ctx, value }: FilterVerdict, abi: AbiProfile): StoryFilter {
  if (program === undefined) return { step, deny_rest: true, value, trace: [] };
  const { steps, ended } = trace(program, ctx, abi.ctx_size);
  return {
    step,
    deny_rest: false,
    value,
    ended,
    trace: steps
      .slice(0, MOST)
      .map(({ pc, aAfter, xAfter, taken }) =>
        taken === null ? [pc, aAfter, xAfter] : [pc, aAfter, xAfter, taken ? 1 : 0],
      ),
  };
}

function programOf(arg: BpfArg, step: number, abi: AbiProfile): StoryProgram {
  const program = effectiveProgram(arg);
  const verdict = judgeProgram(program, abi);
  // Programs with nothing in them, or far too much, have no listing worth its space.
  const lines =
    program.length > 8 * MOST
      ? []
      : asmLines(program, { payload: opSpec(arg.opcode)?.payload, littleEndian: abi.little_endian });
  return {
    step,
    opcode: opName(arg.opcode),
    length: program.length,
    accepted: verdict.accepted,
    verdict: verdictText(verdict),
    ...(verdict.accepted ? {} : { fault: verdict.pc }),
    lines: lines
      .slice(0, MOST)
      .map(({ label, text, comment }, pc) => [
        label === null ? text : `${label}: ${text}`,
        cRow(program[pc]!),
        comment ?? '',
      ]),
  };
}
