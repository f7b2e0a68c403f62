/** The measure by which a shrunk scenario is smaller. Every part counts, so shrinking ends. */
import { specOf } from '../../oracle/steps/index.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import { targetSize } from '../../oracle/steps/size.ts';

/** Size of one step. */
function stepSize(step: Step): number {
  const common = 100 + (step.task === 0 ? 0 : 2) + ('on' in step ? targetSize(step.on) : 0);
  return common + (specOf(step).size?.(step) ?? 0);
}

/** Size of a scenario. */
export function scenarioSize(scenario: Scenario): number {
  let size = scenario.fixtures.length * 10 + (scenario.jit ? 0 : 1);
  size += (scenario.harden ?? 0) + (scenario.traces === undefined ? 0 : 1);
  for (const step of scenario.steps) size += stepSize(step);
  return size;
}
