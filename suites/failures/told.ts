/** What a run must tell of each fault, and what runs on real guests told. */
import { readFileSync } from 'node:fs';
import type { RunResult } from '../../reports/data/result.ts';

/** What a run must tell of a fault. */
interface Expected {
  /** Of the kernel's command line, beside the choice of the fault. */
  readonly append?: string;
  readonly verdict: 'crash' | 'hang';
  /** Of the report, where it is a crash. */
  readonly kind?: string;
  /** A regular expression: the title of the report, or where a task stands. */
  readonly words: string;
}

/** One crash or hang of a run. */
export interface Told {
  readonly verdict: 'crash' | 'hang';
  readonly kind?: string;
  readonly title: string;
  readonly reproduced: string;
  /** Steps of the smallest case. */
  readonly steps: number;
  /** What the kernel said, as its console had it. */
  readonly console: string;
}

/** What a run on a real guest told of a fault. */
export interface Recorded {
  readonly code: number | null;
  /** Seconds until the first crash or hang was told, as it happened. */
  readonly firstTold: number | null;
  readonly seconds: number;
  readonly reason: string;
  readonly told: readonly Told[];
}

const json = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** What must be told, by fault. */
export const TOLD = json('told.json') as Readonly<Record<string, Expected>>;

/** What real guests said, by fault: made by `failures.ts --record`. */
export function readRecorded(): Readonly<Record<string, Recorded>> {
  return json('recorded.json') as Readonly<Record<string, Recorded>>;
}

const stepsOf = (scenario: unknown): number => (scenario as { readonly steps: readonly unknown[] }).steps.length;

/** Lines of a console that are kept. */
const LINES = 40;

const headOf = (text: string): string => text.replaceAll('\r', '').split('\n').slice(0, LINES).join('\n');

/** The crashes and hangs of a result. */
export function toldOf({ crashes, hangs, reason = '' }: RunResult): Pick<Recorded, 'reason' | 'told'> {
  const told = [
    ...crashes.map(({ kind, title, reproduced, scenario, console }): Told => {
      return { verdict: 'crash', kind, title, reproduced, steps: stepsOf(scenario), console: headOf(console) };
    }),
    ...hangs.map(({ detail, reproduced, scenario, console = '' }): Told => {
      return { verdict: 'hang', title: detail, reproduced, steps: stepsOf(scenario), console: headOf(console) };
    }),
  ];
  return { reason, told };
}

/** What is wrong with what was told of a fault; undefined: nothing. */
export function judge(id: string, { code, told }: Recorded): string | undefined {
  const { verdict, kind, words } = TOLD[id]!;
  if (code !== 1) return `NOT TOLD (exit code ${code})`;
  const right = told.some((one) => one.verdict === verdict && one.kind === kind && new RegExp(words).test(one.title));
  const found = told.map((one) => `${one.kind ?? one.verdict}: ${one.title}`).join('; ');
  return right ? undefined : `TOLD OTHERWISE: ${found}`;
}
