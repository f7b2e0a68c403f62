/** What the runner relies on in a scenario; case files are checked with it as well. */
import { ARENA, ARENA_SIZE, FIXTURES } from '../oracle/scenario/layout.ts';
import { TASK_RESTRICTION_HEADER, RESTRICTION_SIZE } from '../oracle/scenario/memory.ts';
import { SCENARIO_VERSION } from '../oracle/scenario/types.ts';
import type { Scenario, Step } from '../oracle/scenario/types.ts';
import { Tracker } from './tracker.ts';

/** Most entries of a restriction array that are written to memory. */
export const MAX_RESTRICTIONS = 512;
const MAX_PATH = 255;

function valuesOk(step: Step): true | string {
  switch (step.do) {
    case 'register_restrictions':
    case 'register_task_restrictions':
      if (step.arg.restrictions.length > MAX_RESTRICTIONS) return `more than ${MAX_RESTRICTIONS} restrictions`;
      return step.arg.restrictions.length * RESTRICTION_SIZE + TASK_RESTRICTION_HEADER <= ARENA.args_size
        ? true
        : 'the restrictions do not fit their area';
    case 'register':
      return (step.bytes?.length ?? 0) <= ARENA.args_size ? true : 'the argument does not fit its area';
    case 'probe_path':
      return step.path.length > 0 &&
        step.path.length <= MAX_PATH &&
        !step.path.startsWith('/') &&
        !step.path.split('/').includes('..')
        ? true
        : 'the path is not inside the scenario directory';
    case 'probe_memory':
      return step.length >= 1 && step.length <= 256 && step.at >= 0 && step.at + step.length <= ARENA_SIZE
        ? true
        : 'the memory range is outside the arena';
    default:
      return true;
  }
}

/** True, or a sentence naming the first thing that the runner could not carry out. */
export function isWellFormed(scenario: Scenario): true | string {
  if (scenario.version !== SCENARIO_VERSION)
    return `scenario version ${String(scenario.version)} is not ${SCENARIO_VERSION}`;
  const fixtures = new Set(scenario.fixtures);
  if (fixtures.size !== scenario.fixtures.length) return 'a fixture is named twice';
  for (const fixture of fixtures) if (!FIXTURES.includes(fixture)) return `there is no fixture ${String(fixture)}`;
  const tracker = new Tracker();
  for (const [index, step] of scenario.steps.entries()) {
    const verdict = tracker.take(step);
    if (verdict !== true) return `step ${index} (${step.do}): ${verdict}`;
    const values = valuesOk(step);
    if (values !== true) return `step ${index} (${step.do}): ${values}`;
  }
  return true;
}
