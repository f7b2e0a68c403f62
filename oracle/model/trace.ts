/** Events of a prediction, for `explain`: what was asked, which rule decided, which filter said what. */
import type { Program } from '../bpf/program.ts';
import type { Allowed } from '../scenario/prediction.ts';

/** What decided about a request. */
export type Stage = 'init' | 'classic' | 'prep' | 'filter' | 'issue' | 'link';

/** What one filter said of a request. */
export interface FilterVerdict {
  /** Step that registered the filter. */
  readonly step: number;
  /** Undefined: the deny filter that DENY_REST attached. */
  readonly program: Program | undefined;
  readonly ctx: Uint32Array;
  readonly value: number;
  /** How many filters of that step, one behind the other, said so; absent: one. */
  times?: number;
}

/** One thing that was decided on the way. */
export type TraceEvent =
  | {
      readonly kind: 'call';
      readonly step: number;
      readonly what: string;
      readonly ret: Allowed;
      readonly rule: string;
    }
  | {
      readonly kind: 'program';
      readonly step: number;
      readonly accepted: boolean;
      readonly rule?: string;
      readonly pc?: number;
    }
  | {
      readonly kind: 'request';
      readonly step: number;
      readonly sqe: number;
      readonly opcode: number;
      readonly stage: Stage;
      /** Undefined: it passed the stage. */
      readonly res: Allowed | undefined;
      readonly rule: string;
      readonly filters: readonly FilterVerdict[];
    };

/** Takes the events, in the order in which they happen. */
export type TraceSink = (event: TraceEvent) => void;
