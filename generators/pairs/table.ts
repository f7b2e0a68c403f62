/** Pairs and refusals as Markdown tables, for DISTRIBUTION.md. */
import { FACTORS, factorOf } from './factors.ts';
import type { Factor } from './factors.ts';
import { CELLS, POSSIBLE_CELLS, REFUSALS, STATES, cellName } from './refusals.ts';
import type { RefusalTally, RefusedCall } from './refusals.ts';
import { PAIRS, POSSIBLE } from './tally.ts';
import type { Pair, PairTally } from './tally.ts';

const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;

/** Pairs drawn of those that can be, factor against factor; a third number counts those that cannot. */
export function pairTable(tally: PairTally): string[] {
  const factors = Object.keys(FACTORS) as Factor[];
  const between = (list: readonly Pair[], one: Factor, other: Factor): readonly Pair[] =>
    list.filter(([a, b]) => factorOf(a) === one && factorOf(b) === other);
  const cell = (one: Factor, other: Factor): string => {
    const possible = between(POSSIBLE, one, other);
    const drawn = possible.filter((pair) => tally.count(pair) > 0).length;
    const never = between(PAIRS, one, other).length - possible.length;
    return `${drawn}/${possible.length}${never === 0 ? '' : ` (${never})`}`;
  };
  const columns = factors.slice(1);
  return [
    row(['', ...columns]),
    row(['---', ...columns.map(() => '---')]),
    ...factors.slice(0, -1).map((one, i) => row([one, ...columns.map((other, j) => (j < i ? '' : cell(one, other)))])),
  ];
}

/** Refusals drawn of those that can be, call against state of its target. */
export function refusalTable(tally: RefusalTally): string[] {
  const calls = Object.keys(REFUSALS) as RefusedCall[];
  const cell = (call: RefusedCall, state: string): string => {
    const possible = POSSIBLE_CELLS.filter((one) => one.call === call && one.state === state);
    const drawn = possible.filter((one) => tally.counts.has(cellName(one))).length;
    const never = CELLS.filter((one) => one.call === call && one.state === state).length - possible.length;
    return `${drawn}/${possible.length}${never === 0 ? '' : ` (${never})`}`;
  };
  return [
    row(['refused', ...STATES]),
    row(['---', ...STATES.map(() => '---')]),
    ...calls.map((call) => row([call, ...STATES.map((state) => cell(call, state))])),
  ];
}
