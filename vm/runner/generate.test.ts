import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { encodeScenario, SCENARIO_FRAME } from '../../oracle/case/frame.ts';
import { FIXTURES } from '../../oracle/scenario/layout.ts';
import { withTables } from '../protocol/describe.ts';
import { FRAME_HEAD, layoutOf, magicOf } from '../protocol/table.ts';
import { generated } from './generate.ts';

const VM = join(import.meta.dirname, '..');

describe('what is made of tables', () => {
  it.each([...generated()])('%s is as `npm run generate` makes it', (path, text) => {
    expect(readFileSync(join(VM, path), 'utf8')).toBe(text);
  });

  it('PROTOCOL.md has all its parts, and no other', () => {
    const text = readFileSync(join(VM, 'protocol/PROTOCOL.md'), 'utf8');
    expect(() => withTables(text.replace('<!-- operations -->', ''))).toThrow(/lacks its part "operations"/);
    expect(() => withTables(`${text}\n<!-- verses -->\n\n<!-- end -->\n`)).toThrow(/no use for a part "verses"/);
  });
});

it('a scenario is written as its frame is described', () => {
  const head = layoutOf(FRAME_HEAD, 0);
  const { at, size } = layoutOf(SCENARIO_FRAME.fields, head.size);
  const frame = Buffer.from(
    encodeScenario({ version: 1, fixtures: [FIXTURES[2]], jit: true, steps: [] }, { id: 7, deadline_ms: 1234 }),
  );
  const read = (offset: number): number => frame.readUInt32LE(offset);
  expect([read(head.at.magic), read(head.at.length), read(head.at.id)]).toEqual([magicOf(SCENARIO_FRAME), size, 7]);
  expect([read(at.deadline_ms), read(at.fixtures), read(at.flags), read(at.nsteps)]).toEqual([1234, 4, 1, 0]);
});

describe('layoutOf', () => {
  it('places fields one behind the other', () => {
    expect(layoutOf({ a: { type: 'u32' }, b: { type: 'char', length: 4 }, c: { type: 'u64' } }, 8)).toEqual({
      at: { a: 8, b: 12, c: 16 },
      size: 24,
    });
  });

  it('refuses a field before which a compiler would leave a hole', () => {
    expect(() => layoutOf({ a: { type: 'u32' }, b: { type: 'u64' } }, 0)).toThrow(/b does not stand at a multiple/);
  });
});
