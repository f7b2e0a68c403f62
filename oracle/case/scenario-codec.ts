/** Codecs of the steps, one per kind, and of the scenario. */
import { define, taskId } from '../json/parts.ts';
import { FIXTURES } from '../scenario/layout.ts';
import { SCENARIO_VERSION } from '../scenario/types.ts';
import {
  boolean,
  constant,
  expected,
  int,
  list,
  maybe,
  DecodeError,
  record,
  required,
  tagged,
  text,
  withDefault,
  word,
  yes,
} from '../schema/codec.ts';
import type { Codec } from '../schema/codec.ts';
import { madeBy, STEPS } from '../steps/index.ts';
import type { AnySpec, Scenario, Step } from '../steps/index.ts';

/** Most steps that a case file may have. */
const STEPS_MAX = 4096;

function stepCodec(spec: AnySpec): Codec<Step> {
  const common = { task: required(taskId, 'Task that does it, 0 (root) to 15'), do: required(word(spec.kind)) };
  const codec = record<Step>({ ...common, ...spec.json } as Parameters<typeof record<Step>>[0]);
  const decode = (value: unknown, at: string): Step => {
    const found = codec.decode(value, at);
    const fault = spec.jsonFault?.(found);
    if (fault !== undefined) throw new DecodeError(at, fault);
    return found;
  };
  return define(spec.kind, { ...codec, decode });
}

const anyStep: Codec<Step> = tagged<Step>(
  'do',
  Object.fromEntries(Object.entries(STEPS).map(([kind, spec]) => [kind, stepCodec(spec)])),
);

const hardening: Codec<1 | 2> = {
  ...int(1, 2),
  decode: (value, at) => (value === 1 || value === 2 ? value : expected(at, '1 or 2', value)),
};
const scenarioFields = record<Scenario>({
  version: required(
    constant(SCENARIO_VERSION, `${SCENARIO_VERSION}, the version of the scenario language this program speaks`),
    'Version of the scenario language',
  ),
  suite: maybe(text(100), 'Suite that drew it'),
  fixtures: withDefault(list(word(...FIXTURES), FIXTURES.length), [], 'What exists before the first step'),
  jit: withDefault(boolean, true, 'net.core.bpf_jit_enable'),
  harden: maybe(hardening, 'net.core.bpf_jit_harden; absent: 0'),
  traces: maybe(yes, 'net.core.bpf_jit_enable is 2, and what the compiler tells is counted'),
  steps: required(list(anyStep, STEPS_MAX), 'In the order in which they run, whichever task does them'),
});

/** A scenario. */
export const scenario: Codec<Scenario> = define('scenario', {
  ...scenarioFields,
  decode: (value, at) => {
    const found = scenarioFields.decode(value, at);
    onceEach(found, at === '' ? 'steps' : `${at}.steps`);
    return found;
  },
});

/** Ring slots and tasks are made at most once. */
function onceEach({ steps: all }: Scenario, at: string): void {
  const made = new Map<string, number>();
  all.forEach((entry, i) => {
    const { ring, task } = madeBy(entry);
    const what = ring !== undefined ? `ring slot ${ring}` : task !== undefined ? `task ${task}` : undefined;
    if (what === undefined) return;
    const first = made.get(what);
    if (first !== undefined)
      throw new DecodeError(`${at}[${i}]`, `${what} is made a second time (first by ${at}[${first}])`);
    made.set(what, i);
  });
}
