/** What the rules say of a scenario, as plain data. */
import type { AbiProfile } from '../uapi/abi.ts';
import { predictTraced } from '../predict.ts';
import type { TracedPrediction } from '../predict.ts';
import { Open } from '../open-answer.ts';
import type { PredictedCqe, PredictedStep } from '../scenario/prediction.ts';
import { ruleById } from '../registry.ts';
import type { Rule } from '../rule.ts';
import { effectiveProgram } from '../scenario/memory.ts';
import type { BpfArg } from '../scenario/types.ts';
import { filterOf, requestsOf, specOf } from '../steps/index.ts';
import type { Scenario, Step } from '../steps/index.ts';
import { stepText } from '../case/text.ts';
import { allowedText, bytesText, hex, sqeText } from '../text/index.ts';
import type { TraceEvent } from '../model/trace.ts';
import { contextText } from './context.ts';
import { judgeProgram, listing } from './program.ts';
import type { ProgramVerdict } from './program.ts';

/** What the rules say of a scenario, and which of them. */
export interface Explanation {
  /** Kernel the rules were applied for. */
  readonly release: string;
  readonly steps: readonly StepExplanation[];
  /** The rules that decided something, in order of first use. */
  readonly rules: readonly Rule[];
}

/** What the rules say of one step. */
export interface StepExplanation {
  readonly step: number;
  readonly task: number;
  /** The call. */
  readonly call: string;
  /** False: the task does not exist (any more), nothing happens. */
  readonly reached: boolean;
  /** Return values: `-EACCES`, `1 or more`, `anything`. */
  readonly returns: string;
  readonly rule: string;
  /** Registrations of a filter that get as far as the program. */
  readonly program?: ProgramVerdict;
  /** Lines around the instruction at fault. */
  readonly listing?: readonly string[];
  /** What is written back or read back, where that is known. */
  readonly memory?: string;
  /** False: the rules leave the CQEs of this step open, all of them. */
  readonly judged: boolean;
  readonly requests: readonly RequestExplanation[];
  /** CQEs that no request of this step made: messages from elsewhere. */
  readonly messages: readonly CqeExplanation[];
}

/** One CQE that may come, in text. */
export interface CqeExplanation {
  readonly user_data: string;
  readonly res: string;
  readonly flags: string;
  readonly rule: string;
  /** True where it may be missing. */
  readonly optional: boolean;
}

/** What the rules say of one request of a submit step. */
export interface RequestExplanation {
  readonly sqe: number;
  readonly text: string;
  /** What decided, and its rule; undefined where the rules leave it open. */
  readonly decided:
    | { readonly stage: Extract<TraceEvent, { kind: 'request' }>['stage']; readonly rule: string }
    | undefined;
  /** What the filters saw; undefined when none ran. */
  readonly context: string | undefined;
  /** Filters in the order in which they ran. */
  readonly filters: readonly {
    readonly step: number;
    readonly deny_rest: boolean;
    readonly value: number;
    /** How many filters of that step said so; absent: one. */
    readonly times?: number;
  }[];
  /** Result, also where no CQE tells it. */
  readonly res: string;
  readonly cqes: readonly CqeExplanation[];
}

/** Says what the rules say of the scenario, and why. */
export function explain(
  scenario: Scenario,
  abi: AbiProfile,
  { prediction, events }: TracedPrediction = predictTraced(scenario, abi),
): Explanation {
  const { steps } = prediction;
  const used = new Set<string>();
  const byStep = Map.groupBy(events, (event) => event.step);
  const explained = scenario.steps.map((step, index) =>
    explainStep(step, index, steps[index]!, byStep.get(index) ?? [], abi),
  );
  for (const { rule, program, requests, messages } of explained) {
    used.add(rule);
    if (program !== undefined && !program.accepted) used.add(program.rule);
    for (const request of requests)
      for (const id of [request.decided?.rule, ...request.cqes.map((cqe) => cqe.rule)])
        if (id !== undefined) used.add(id);
    for (const message of messages) used.add(message.rule);
  }
  const rules = [...used].map(ruleById).filter((rule) => rule !== undefined);
  return { release: abi.release, steps: explained, rules };
}

function explainStep(
  step: Step,
  index: number,
  predicted: PredictedStep,
  events: readonly TraceEvent[],
  abi: AbiProfile,
): StepExplanation {
  const { reached, returns, rule } = predicted;
  const filter = filterOf(step);
  const judged = filter !== undefined && events.some(({ kind }) => kind === 'program') ? programOf(filter, abi) : {};
  const memory = reached ? memoryText(step, predicted) : undefined;
  return {
    step: index,
    task: step.task,
    call: stepText(step, abi),
    reached,
    returns: !reached
      ? 'does not run'
      : Open.is(returns)
        ? 'anything'
        : returns.map((allowed) => allowedText(allowed)).join(', then '),
    rule,
    ...judged,
    ...(memory === undefined ? {} : { memory }),
    judged: !Open.is(predicted.cqes),
    requests: reached
      ? requestsOf(step).map((sqe, i) => explainRequest(i, sqeText(sqe, abi), predicted, events, abi))
      : [],
    messages: cqesOf(predicted)
      .filter(({ sqe }) => sqe < 0)
      .map(cqeText),
  };
}

function programOf(arg: BpfArg, abi: AbiProfile): Pick<StepExplanation, 'program' | 'listing'> {
  const program = effectiveProgram(arg);
  const verdict = judgeProgram(program, abi);
  return verdict.accepted
    ? { program: verdict }
    : { program: verdict, listing: listing(program, arg.opcode, abi, { arrow: verdict.pc, around: 3 }) };
}

function memoryText(step: Step, { memory }: PredictedStep): string | undefined {
  if (!(memory instanceof Uint8Array)) return undefined;
  return specOf(step).writtenBack?.(memory) ?? `reads ${bytesText(memory)}`;
}

function cqesOf({ cqes }: PredictedStep): readonly PredictedCqe[] {
  return Open.is(cqes) ? [] : cqes;
}

function cqeText({ user_data, res, flags, rule, optional }: PredictedCqe): CqeExplanation {
  return {
    user_data: hex(user_data),
    res: allowedText(res),
    flags: allowedText(flags, hex),
    rule,
    optional: optional !== undefined,
  };
}

function explainRequest(
  index: number,
  text: string,
  predicted: PredictedStep,
  events: readonly TraceEvent[],
  abi: AbiProfile,
): RequestExplanation {
  const own = events.filter(
    (event): event is Extract<TraceEvent, { kind: 'request' }> => event.kind === 'request' && event.sqe === index,
  );
  const last = own.at(-1);
  const all = own.flatMap((event) => event.filters);
  // Behind a drain the stack is tried with more than one context; the first is the request's own.
  const filters = all.filter(({ ctx }) => ctx === all[0]!.ctx);
  return {
    sqe: index,
    text,
    decided: last === undefined ? undefined : { stage: last.stage, rule: last.rule },
    context: filters[0] === undefined ? undefined : contextText(filters[0].ctx, abi),
    filters: filters.map(({ step, program, value, times }) => ({
      step,
      deny_rest: program === undefined,
      value,
      ...(times === undefined ? {} : { times }),
    })),
    res: last?.res === undefined ? 'anything' : allowedText(last.res),
    cqes: cqesOf(predicted)
      .filter(({ sqe }) => sqe === index)
      .map(cqeText),
  };
}
