import { describe, expect, test } from 'vitest';
import { createProgress, progressLine } from './progress.ts';
import type { Progress } from '../data/progress.ts';
import { COLOUR, PLAIN } from './style.ts';

const STATE: Progress = {
  elapsed_s: 105,
  scenarios: 10921,
  total: 26000,
  outcomes: 437120,
  outcomes_per_s: 4163.2,
  known: 0,
  divergences: 0,
  crashes: 0,
  hangs: 0,
  suite: 'links',
};

function sink(traits: { isTTY?: boolean; columns?: number } = {}): {
  text: string;
  write(text: string): void;
  isTTY?: boolean;
  columns?: number;
} {
  return {
    text: '',
    write(text) {
      this.text += text;
    },
    ...traits,
  };
}

describe('one line', () => {
  test('says how far it is, how fast, and how long it takes', () => {
    expect(progressLine(STATE, 200, PLAIN)).toBe(
      ' 42%  10,921/26,000 scenarios  437,120 answers  4,163/s  1:45  2:25 left  links',
    );
  });
  test('says what went wrong first of all', () => {
    expect(progressLine({ ...STATE, known: 3, divergences: 2, crashes: 1, hangs: 4 }, 200, PLAIN)).toBe(
      ' 42%  10,921/26,000 scenarios  437,120 answers  4,163/s  1:45  2:25 left' +
        '  known 3  DIVERGENT 2  CRASHES 1  HANGS 4  links',
    );
    expect(progressLine({ ...STATE, divergences: 2 }, 200, COLOUR)).toContain('\u001b[31mDIVERGENT 2\u001b[39m');
  });
  test('fits in any width, and keeps the findings longest', () => {
    const bad = { ...STATE, known: 3, divergences: 2, crashes: 1 };
    for (let width = 0; width < 130; width++) {
      const line = progressLine(bad, width, PLAIN);
      expect(line.length).toBeLessThanOrEqual(width);
      if (width >= 24) expect(line).toContain('DIVERGENT 2  CRASHES 1');
    }
  });
  test('a run without end has no percentage', () => {
    expect(progressLine({ ...STATE, total: Infinity }, 200, PLAIN)).toBe(
      '10,921 scenarios  437,120 answers  4,163/s  1:45  links',
    );
    expect(progressLine({ ...STATE, total: 0, scenarios: 0, suite: '' }, 200, PLAIN)).toBe(
      '0/0 scenarios  437,120 answers  4,163/s  1:45',
    );
  });
});

describe('on a terminal', () => {
  test('the line is overwritten, notes stand above it, and nothing stays behind', () => {
    let now = 0;
    const out = sink({ isTTY: true, columns: 60 });
    const progress = createProgress(out, { env: { NO_COLOR: '1' }, now: () => now });
    progress.note('booting');
    progress.update(STATE);
    progress.update({ ...STATE, scenarios: 10922 });
    expect(out.text).toBe('booting\n\r 42%  10,921/26,000 scenarios  437,120 answers  1:45\u001b[K');
    now = 150;
    out.text = '';
    progress.update({ ...STATE, scenarios: 10930 });
    progress.note('known findings: x');
    expect(out.text).toBe(
      '\r 42%  10,930/26,000 scenarios  437,120 answers  1:45\u001b[K\r\u001b[Kknown findings: x\n' +
        '\r 42%  10,930/26,000 scenarios  437,120 answers  1:45\u001b[K',
    );
    out.text = '';
    progress.update({ ...STATE, scenarios: 26000 });
    expect(out.text).toContain('100%');
    out.text = '';
    progress.end();
    progress.end();
    expect(out.text).toBe('\r\u001b[K');
  });
  test('colour only on a terminal and without NO_COLOR', () => {
    const shown = (isTTY: boolean, env: Record<string, string>): string => {
      const out = sink({ isTTY, columns: 200 });
      createProgress(out, { env }).update({ ...STATE, divergences: 1 });
      return out.text;
    };
    expect(shown(true, {})).toContain('\u001b[31m');
    expect(shown(true, { NO_COLOR: '' })).toContain('\u001b[31m');
    expect(shown(true, { NO_COLOR: '1' })).not.toContain('\u001b[31m');
    expect(shown(false, {})).not.toContain('\u001b');
    expect(shown(true, { TERM: 'dumb' })).not.toContain('\u001b');
  });
});

test('notes elsewhere are plain lines, and a terminal of unknown width has 80 columns', () => {
  const out = sink();
  const progress = createProgress(out);
  progress.note('booting');
  progress.end();
  expect(out.text).toBe('booting\n');
  const narrow = sink({ isTTY: true });
  createProgress(narrow, { env: { NO_COLOR: '1' } }).update({ ...STATE, known: 1, divergences: 1, crashes: 1 });
  expect(narrow.text.length).toBeLessThan(85);
});

test('elsewhere there is a plain line at once, then every ten seconds, and the last state', () => {
  let now = 0;
  const out = sink();
  const progress = createProgress(out, { env: {}, now: () => now });
  for (; now <= 25_000; now += 500) progress.update({ ...STATE, scenarios: now });
  expect(out.text.split('\n').map((line) => /(\S+)\/26/.exec(line)?.[1])).toEqual(['0', '10,000', '20,000', undefined]);
  progress.end();
  progress.end();
  expect(out.text.trimEnd().split('\n').at(-1)).toContain('25,000/26,000');
  expect(out.text).not.toMatch(/[\r\u001b]/);
});
