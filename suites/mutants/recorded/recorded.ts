/** What faulty kernels answered to the cases that killed them, and what the kernel without a fault answers. */
import type { Json } from '../../../oracle/case/json.ts';
import type { PackedStep } from '../../../oracle/scenario/packed.ts';
import type { AbiProfile } from '../../../oracle/uapi/abi.ts';

/** The file that `record.ts` writes. */
export const RECORDED = new URL('killed.json', import.meta.url);

/** One mutant. */
export interface RecordedKill {
  /** Id of the mutant. */
  readonly mutant: string;
  readonly class: string;
  /** The rule that the wrong answer breaks. */
  readonly rule: string;
  readonly scenario: Json;
  readonly wrong: readonly PackedStep[];
  readonly right: readonly PackedStep[];
}

/** All of them, on one kernel. */
export interface RecordedKills {
  readonly abi: AbiProfile;
  /** Findings that the kernel shows without a fault. */
  readonly findings: readonly string[];
  readonly kills: readonly RecordedKill[];
}
