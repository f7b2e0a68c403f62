/** The oracle's open answers: each has a reason, those that are drawn are few, and the document has them all. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openPlaces } from '../oracle/open-answer.ts';
import { documentedAbi } from '../oracle/probe/abi-documented.ts';
import { RULES } from '../oracle/registry.ts';
import { measureOpen } from './open-sample.ts';
import { SUITE_NAMES } from './scenarios.ts';

/** Cases of each suite. */
const CASES = 400;
/** Requests of a suite that may be left open because nobody modelled them, or no source says. */
const LIMIT = 0.001;
/** It draws sockets of every family: which of them a kernel was built with, the oracle does not know. */
const MORE: Readonly<Partial<Record<(typeof SUITE_NAMES)[number], number>>> = { 'opcode-context': 0.0025 };
/** Suites above the limit, all kinds together, with what they stay below; to be emptied. */
const ABOVE: Readonly<Partial<Record<(typeof SUITE_NAMES)[number], number>>> = {
  // One batch of 54 in which a cancel meets what others race over.
  validator: 0.004,
  // Sockets and connects, and opens of what a kernel may not know.
  'opcode-context': 0.003,
  escape: 0.0025,
  // A batch in which one request of a race is open itself: so is what it may have changed.
  arguments: 0.002,
};

const { places, suites } = measureOpen(CASES, 1, documentedAbi('7.3'));

/** Requests of all suites together that a kind leaves open. */
function share(kind: 'timing' | 'not-modelled' | 'silent'): number {
  const all = Object.values(suites);
  const requests = all.reduce((sum, one) => sum + one.requests, 0);
  return all.reduce((sum, { kinds }) => sum + kinds[kind], 0) / requests;
}

describe('shares', () => {
  test.each(SUITE_NAMES)('%s: hardly any request is not modelled, or of those that no source decides', (suite) => {
    const { requests, kinds } = suites[suite]!;
    expect(kinds['not-modelled'] / requests).toBeLessThan(MORE[suite] ?? LIMIT);
    expect(kinds.silent / requests).toBeLessThan(LIMIT);
  });

  test.each(SUITE_NAMES)('%s: fewer than 1 request in 1,000 is left open', (suite) => {
    const { requests, open } = suites[suite]!;
    expect(open / requests).toBeLessThan(ABOVE[suite] ?? LIMIT);
    // Who is below leaves the list.
    if (ABOVE[suite] !== undefined) expect(open / requests).toBeGreaterThanOrEqual(LIMIT);
  });

  test('over all suites, timing leaves fewer than 1 request in 2,000 open', () => {
    expect(share('timing')).toBeLessThan(0.0005);
    expect(share('not-modelled')).toBeLessThan(0.0005);
    expect(share('silent')).toBeLessThan(0.0001);
  });
});

describe('places', () => {
  const all = [...openPlaces().values()];

  test('have an id, one line of what is open, and what their kind asks for', () => {
    for (const { id, kind, reason, orders, read } of all) {
      expect(id).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*\.[a-z0-9-]+$/);
      expect(reason.length, id).toBeGreaterThan(10);
      expect([id, orders !== undefined, read !== undefined]).toEqual([id, kind === 'timing', kind === 'silent']);
      if (orders !== undefined) expect(orders[0], id).not.toBe(orders[1]);
      expect(Object.hasOwn(RULES, id), `${id} is a rule's id too`).toBe(false);
    }
    for (const id of Object.keys(places)) expect(openPlaces().has(id), id).toBe(true);
  });

  test('all stand in oracle/OPEN.md (npm run open)', () => {
    const page = readFileSync(new URL('../oracle/OPEN.md', import.meta.url), 'utf8');
    const listed = [...page.matchAll(/^\| `([^`]+)` \|/gmu)].map(([, id]) => id);
    expect(new Set(listed)).toEqual(new Set(all.map(({ id }) => id)));
    expect(listed).toHaveLength(all.length);
  });
});
