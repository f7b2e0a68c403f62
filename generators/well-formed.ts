/** What the runner relies on in a scenario; case files are checked with it as well. */
import { FIXTURES } from '../oracle/scenario/layout.ts';
import { SCENARIO_VERSION } from '../oracle/scenario/types.ts';
import { specOf } from '../oracle/steps/index.ts';
import type { Scenario } from '../oracle/steps/index.ts';
import { Tracker } from './tracker.ts';

/** True, or a sentence naming the first thing that the runner could not carry out. */
export function isWellFormed(scenario: Scenario): true | string {
  const version: number = scenario.version;
  if (version !== SCENARIO_VERSION) return `scenario version ${version} is not ${SCENARIO_VERSION}`;
  const fixtures = new Set(scenario.fixtures);
  if (fixtures.size !== scenario.fixtures.length) return 'a fixture is named twice';
  for (const fixture of fixtures) if (!FIXTURES.includes(fixture)) return `there is no fixture ${String(fixture)}`;
  const tracker = new Tracker();
  for (const [index, step] of scenario.steps.entries()) {
    const verdict = tracker.take(step);
    if (verdict !== true) return `step ${index} (${step.do}): ${verdict}`;
    const values = specOf(step).check?.(step) ?? true;
    if (values !== true) return `step ${index} (${step.do}): ${values}`;
  }
  return true;
}
