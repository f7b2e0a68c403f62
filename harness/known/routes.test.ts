/** Routes: every opcode has its row, and each row says where it was decided. */
import { describe, expect, test } from 'vitest';
import { ROUTES } from '../../oracle/model/routes.ts';
import { opSpecs } from '../../oracle/opcodes/index.ts';
import { RULES } from '../../oracle/registry.ts';
import { loadNotes } from './notes.ts';

test('each opcode that a rule can deny has its row, and one alone', () => {
  expect(ROUTES.map(({ denied }) => denied as string).toSorted()).toEqual(opSpecs.map(({ name }) => name).toSorted());
});

const notes = new Map(loadNotes().map((note) => [note.id, note]));

describe.each(ROUTES)('$denied', ({ denied, opcodes, registers, covered, by }) => {
  test('a promise covers it by a rule, a note tells of it, or nothing does', () => {
    expect(RULES[by] ?? notes.get(by), by).toBeDefined();
    if (covered) expect(RULES[by], by).toBeDefined();
    expect(notes.get(by)?.opcodes ?? [denied]).toContain(denied);
  });
  test('is not its own way round', () => {
    expect(opcodes).not.toContain(denied);
    expect(new Set([...opcodes, ...registers]).size).toBe(opcodes.length + registers.length);
  });
});
