import { expect, test } from 'vitest';
import { CONTEXT_OFFSETS, OP, opSpec, opSpecs } from '../opcodes/index.ts';
import { contextOffsets, fieldName } from './context.ts';

const plain = undefined;
const { payload: socket } = opSpec(OP.SOCKET)!;
const { payload: open } = opSpec(OP.OPENAT)!;
const { payload: connect } = opSpec(OP.CONNECT)!;

test('opcodes with a payload', () => {
  const structs = [OP.CONNECT, OP.OPENAT, OP.OPENAT2, OP.SOCKET, OP.NOP].map((op) => opSpec(op)?.payload?.struct);
  expect(structs).toEqual(['connect', 'open', 'open', 'socket', undefined]);
});

test('the common words have the same name for every opcode', () => {
  for (const payload of [plain, socket, open, connect]) {
    expect([0, 4, 8, 12].map((at) => fieldName(payload, at, true))).toEqual([
      'user_data low',
      'user_data high',
      'opcode/sqe_flags/pdu_size',
      'pad',
    ]);
  }
});

test('payload words', () => {
  expect([16, 20, 24, 28].map((at) => fieldName(socket, at, true))).toEqual([
    'socket.family',
    'socket.type',
    'socket.protocol',
    null,
  ]);
  expect(fieldName(open, 32, true)).toBe('open.resolve low');
  expect([20, 24, 28, 32, 36].map((at) => fieldName(connect, at, true))).toEqual([
    'connect.port',
    'connect.v4_addr/v6_addr[0..3]',
    'connect.v6_addr[4..7]',
    'connect.v6_addr[8..11]',
    'connect.v6_addr[12..15]',
  ]);
  expect(fieldName(plain, 16, true)).toBeNull();
});

test('halves swap on a big-endian machine', () => {
  expect([0, 4].map((at) => fieldName(plain, at, false))).toEqual(['user_data high', 'user_data low']);
  expect([24, 28].map((at) => fieldName(open, at, false))).toEqual(['open.mode high', 'open.mode low']);
});

test('no name inside a word or outside the context', () => {
  expect(fieldName(open, 17, true)).toBeNull();
  expect(fieldName(open, 40, true)).toBeNull();
  expect(fieldName(open, 0xfffff000, true)).toBeNull();
});

test('members fill the size that the payload states, and no word twice but in a union', () => {
  for (const { payload } of opSpecs) {
    if (payload === undefined) continue;
    expect(Math.max(...payload.members.map(({ offset, size }) => offset + size))).toBe(payload.size);
  }
});

test('offsets agree with the names of the words', () => {
  expect(contextOffsets()).toEqual({ user_data: 0, opcode: 8, sqe_flags: 9, pdu_size: 10, pad: 11 });
  expect(CONTEXT_OFFSETS).toMatchObject({ 'socket.type': 20, 'open.resolve': 32, 'connect.v6_addr': 24 });
  for (const payload of [socket!, open!, connect!]) {
    for (const [name, offset] of Object.entries(CONTEXT_OFFSETS)) {
      if (name.startsWith(`${payload.struct}.`) && name !== 'connect.v6_addr')
        expect(fieldName(payload, offset, true)).toContain(name);
    }
  }
});
