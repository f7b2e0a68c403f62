import { expect, test } from 'vitest';
import { contextKind, FIELD_OFFSETS, fieldName } from './context.ts';

test('opcodes with a payload', () => {
  expect([0, 16, 18, 28, 45].map(contextKind)).toEqual(['plain', 'connect', 'open', 'open', 'socket']);
});

test('the common words have the same name for every opcode', () => {
  for (const kind of ['plain', 'socket', 'open', 'connect'] as const) {
    expect([0, 4, 8, 12].map((at) => fieldName(kind, at, true))).toEqual([
      'user_data low',
      'user_data high',
      'opcode/sqe_flags/pdu_size',
      'pad',
    ]);
  }
});

test('payload words', () => {
  expect([16, 20, 24, 28].map((at) => fieldName('socket', at, true))).toEqual([
    'socket.family',
    'socket.type',
    'socket.protocol',
    null,
  ]);
  expect(fieldName('open', 32, true)).toBe('open.resolve low');
  expect(fieldName('connect', 20, true)).toBe('connect.port');
  expect(fieldName('plain', 16, true)).toBeNull();
});

test('halves swap on a big-endian machine', () => {
  expect([0, 4].map((at) => fieldName('plain', at, false))).toEqual(['user_data high', 'user_data low']);
  expect([24, 28].map((at) => fieldName('open', at, false))).toEqual(['open.mode high', 'open.mode low']);
});

test('no name inside a word or outside the context', () => {
  expect(fieldName('open', 17, true)).toBeNull();
  expect(fieldName('open', 40, true)).toBeNull();
  expect(fieldName('open', 0xfffff000, true)).toBeNull();
});

test('offsets agree with the names of the words', () => {
  for (const kind of ['socket', 'open', 'connect'] as const) {
    for (const [name, offset] of Object.entries(FIELD_OFFSETS)) {
      if (name.startsWith(`${kind}.`) && name !== 'connect.v6_addr')
        expect(fieldName(kind, offset, true)).toContain(name);
    }
  }
});
