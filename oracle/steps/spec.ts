/** What is known of one kind of step; each has a file of its own in `kind/`, and `index.ts` lists them. */
import type { AbiProfile } from '../uapi/abi.ts';
import type { Task, World } from '../model/world.ts';
import type { Rule } from '../rule.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type { AnyStep, BpfArg, RingSlot, Sqe, TaskId } from '../scenario/types.ts';
import type { Field } from '../schema/codec.ts';
import type { Tracked, TrackedTask } from './tracked.ts';
import type { Wire } from './wire.ts';

export type { AnyStep };

/** The members of a step's JSON form beside `task` and `do`, in the order in which they are written. */
export type OwnFields<S extends AnyStep> = {
  readonly [F in keyof Omit<S, 'do' | 'task'>]-?: Field<Exclude<Omit<S, 'do' | 'task'>[F], undefined>>;
};

/** What a step brings into being, if it succeeds. */
export interface Made {
  readonly ring?: RingSlot;
  readonly task?: TaskId;
  /** How the task is made. */
  readonly how?: string;
}

/** A kind of step. What is absent does not apply to it. */
export interface StepSpec<S extends AnyStep> {
  readonly kind: S['do'];
  /** Its own members in JSON. */
  readonly json: OwnFields<S>;
  /** Its form on the way to the runner. */
  readonly wire: Wire<S>;
  /** The rules that are of this kind alone. */
  readonly rules?: Readonly<Record<string, Rule>>;
  /** What it may answer, and what it changes in the model; its task exists and lives. */
  predict(world: World, task: Task, step: S): PredictedStep;
  /** The call it makes, on one line, without the task that makes it. */
  text(step: S, abi: AbiProfile): string;

  /** What is wrong with its members together, in JSON. */
  jsonFault?(step: S): string | undefined;
  /** True, or a sentence naming a value that the runner could not carry out. */
  check?(step: S): true | string;
  /** Takes it into account; a sentence when it does not fit what exists, which stays as it was. Its task can act. */
  track?(tracked: Tracked, task: TrackedTask, step: S): true | string;
  /** What it adds to the size of a step (see `size.ts`). */
  size?(step: S): number;
  /** Smaller ones, boldest first; not every one of them is smaller by the measure. */
  shrink?(step: S): Iterable<S>;
  /** The step as it comes back from its JSON form, where that leaves something out. */
  canonical?(step: S): S;

  /** What it makes. */
  makes?(step: S): Made;
  /** It ends its task. */
  readonly ends?: true;
  /** Its members that are numbers of tasks, in the order in which they are read. Absent: `task`. */
  readonly tasks?: readonly (keyof S & string)[];
  /** Whether it may name rings, or requests by their user_data, in a way that renumbering cannot follow. */
  refersTo?(step: S): { readonly rings?: boolean; readonly data?: boolean };
  /** It does nothing worth keeping. */
  idle?(step: S): boolean;
  /** The same through the ring's own descriptor, where it goes through a registered one. */
  direct?(step: S): S | undefined;
  /** The SQEs it submits. */
  requests?(step: S): readonly Sqe[];
  /** The same step with other SQEs. */
  withRequests?(step: S, sqes: readonly Sqe[]): S;
  /** The filter it registers. */
  filter?(step: S): BpfArg;
  /** What memory that was written back says, where that is more than bytes. */
  writtenBack?(bytes: Uint8Array): string | undefined;
  /** A positive return value is the number of something: equal scenarios differ in it. */
  readonly answersNumber?: true;
}
