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
import { combinations } from './suite/combinations.ts';
import { denyRest } from './suite/deny-rest.ts';
import { escapeSuite } from './suite/escape.ts';
import { evaluation } from './suite/evaluation.ts';
import { inheritance } from './suite/inheritance.ts';
import { jitVsInterpreter } from './suite/jit.ts';
import { links } from './suite/links.ts';
import { opcodeContext } from './suite/opcode-context.ts';
import { privilege } from './suite/privilege.ts';
import { refusals } from './suite/refusals.ts';
import { ringPassing } from './suite/ring-passing.ts';
import { PLANNED_EVERY } from './suite/spec.ts';
import type { Suite, Turn } from './suite/spec.ts';
import { stacking } from './suite/stacking.ts';
import { sweep } from './suite/sweep.ts';
import { validator } from './suite/validator.ts';
import { isWellFormed } from './well-formed.ts';

/** Every suite, in the order in which a run goes through them. */
const SUITES = {
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
  escape: escapeSuite,
  'jit-vs-interpreter': jitVsInterpreter,
  'ring-passing': ringPassing,
  combinations,
  refusals,
  sweep,
} as const satisfies Readonly<Record<string, Suite>>;

/** Name of a suite. */
export type SuiteName = keyof typeof SUITES;
/** Their names, in this order. */
export const SUITE_NAMES = Object.keys(SUITES) as readonly SuiteName[];

/** How often a suite is drawn, by `anyScenario` and in a run (in chunks per round). */
export function weightOf(suite: SuiteName): number {
  return SUITES[suite].weight;
}

/** Its share of the cases that a run begins with, relative to the others'. */
export function openingOf(suite: SuiteName): number {
  return SUITES[suite].opening;
}

/** Draws one scenario of a suite. */
export function drawScenario(suite: SuiteName, abi: AbiProfile, d: Draw, turn: Turn): Scenario {
  const b = new Builder(d, abi);
  const { draw, planned = [] }: Suite = SUITES[suite];
  const which = (turn.n + 1) / PLANNED_EVERY - 1;
  (planned[which] ?? draw)(b, turn);
  return b.scenario(suite);
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
    return new fc.Value(drawScenario(suite, this.#abi, d, { n: d.below(2048), seed: 1 }), undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is Scenario {
    return typeof value === 'object' && value !== null && 'steps' in value && isWellFormed(value as Scenario) === true;
  }

  override shrink(value: Scenario): fc.Stream<fc.Value<Scenario>> {
    return new fc.Stream(shrinkScenario(value)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

/** Well-formed scenarios of one suite. They shrink without context: so does a scenario that was read from a file. */
export function scenarioArbitrary(suite: SuiteName, abi: AbiProfile): fc.Arbitrary<Scenario> {
  return new ScenarioArbitrary([[1, suite]], abi);
}

/** A mix of all suites. */
export function anyScenario(abi: AbiProfile): fc.Arbitrary<Scenario> {
  return new ScenarioArbitrary(
    SUITE_NAMES.map((suite) => [weightOf(suite), suite]),
    abi,
  );
}
