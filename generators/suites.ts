/** Scenarios of each suite as fast-check arbitraries. */
import * as fc from 'fast-check';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import type { Scenario } from '../oracle/steps/index.ts';
import { Builder } from './builder.ts';
import { Draw } from './draw.ts';
import type { Weighted } from './draw.ts';
import { shrinkScenario } from './shrink/shrink.ts';
import { argumentsSuite } from './suite/arguments.ts';
import { atomicity } from './suite/atomicity.ts';
import { classicRestrictions } from './suite/classic.ts';
import { denyRest } from './suite/deny-rest.ts';
import { escape } from './suite/escape.ts';
import { evaluation } from './suite/evaluation.ts';
import { inheritance } from './suite/inheritance.ts';
import { jitVsInterpreter } from './suite/jit.ts';
import { links } from './suite/links.ts';
import { opcodeContext } from './suite/opcode-context.ts';
import { privilege } from './suite/privilege.ts';
import { stacking } from './suite/stacking.ts';
import { validator } from './suite/validator.ts';
import { isWellFormed } from './well-formed.ts';

/** Each adds its steps; false stands for a run without the JIT. */
const BUILDERS = {
  validator,
  evaluation,
  arguments: argumentsSuite,
  stacking,
  'deny-rest': denyRest,
  'opcode-context': opcodeContext,
  links,
  'classic-restrictions': classicRestrictions,
  privilege,
  inheritance,
  atomicity,
  escape,
  'jit-vs-interpreter': jitVsInterpreter,
} as const satisfies Record<string, (b: Builder) => boolean | void>;

export type SuiteName = keyof typeof BUILDERS;
export const SUITE_NAMES = Object.keys(BUILDERS) as readonly SuiteName[];

/** Draws one scenario of a suite. */
export function drawScenario(suite: SuiteName, abi: AbiProfile, d: Draw): Scenario {
  const b = new Builder(d, abi);
  const jit = BUILDERS[suite](b);
  return b.scenario(suite, jit ?? true);
}

class ScenarioArbitrary extends fc.Arbitrary<Scenario> {
  readonly #suites: Weighted<SuiteName>;
  readonly #abi: AbiProfile;

  constructor(suites: Weighted<SuiteName>, abi: AbiProfile) {
    super();
    this.#suites = suites;
    this.#abi = abi;
  }

  override generate(mrng: fc.Random): fc.Value<Scenario> {
    const word = (): number => mrng.nextInt(-0x8000_0000, 0x7fff_ffff);
    const d = new Draw(word(), word(), word(), word());
    const suite = this.#suites.length === 1 ? this.#suites[0]![1] : d.weighted(this.#suites);
    return new fc.Value(drawScenario(suite, this.#abi, d), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Scenario {
    return typeof value === 'object' && value !== null && 'steps' in value && isWellFormed(value as Scenario) === true;
  }

  override shrink(value: Scenario): fc.Stream<fc.Value<Scenario>> {
    return new fc.Stream(shrinkScenario(value)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

/** Well-formed scenarios of one suite; they shrink without context, so a scenario read from a file shrinks as well. */
export function scenarioArbitrary(suite: SuiteName, abi: AbiProfile): fc.Arbitrary<Scenario> {
  return new ScenarioArbitrary([[1, suite]], abi);
}

/** How often each suite is drawn, by `anyScenario` and in a run (in chunks per round): cheap and rich suites more often. */
export const SUITE_WEIGHTS: { readonly [K in SuiteName]: number } = {
  validator: 2,
  evaluation: 3,
  arguments: 2,
  stacking: 2,
  'deny-rest': 2,
  'opcode-context': 2,
  links: 2,
  'classic-restrictions': 2,
  privilege: 1,
  inheritance: 2,
  atomicity: 1,
  escape: 1,
  'jit-vs-interpreter': 1,
};

/** A mix of all suites. */
export function anyScenario(abi: AbiProfile): fc.Arbitrary<Scenario> {
  return new ScenarioArbitrary(
    SUITE_NAMES.map((suite) => [SUITE_WEIGHTS[suite], suite]),
    abi,
  );
}
