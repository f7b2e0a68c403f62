/** Every byte, and each bit, of what user space hands over and of what filters see takes part in `run --quick`. */
import { expect, test } from 'vitest';
import { documentedAbi } from '../oracle/probe/abi-documented.ts';
import { opSpecs } from '../oracle/opcodes/index.ts';
import { scenarioAt, SUITE_NAMES } from './scenarios.ts';
import type { SuiteName } from './scenarios.ts';
import { Member, Spread } from './spread.ts';
import { OPENING, turns } from './turns.ts';

const ABI = documentedAbi('7.3');

/** The cases of `run --quick`. */
function quick(): Spread {
  const spread = new Spread();
  const drawn = new Map<SuiteName, number>();
  let left = OPENING;
  for (const suite of turns(SUITE_NAMES)) {
    if (left-- === 0) break;
    const n = drawn.get(suite) ?? 0;
    drawn.set(suite, n + 1);
    spread.add(scenarioAt(suite, ABI, 1, n), ABI);
  }
  return spread;
}

const spread = quick();
const ALL = 0xffff_ffffn;

/** Bits that never differ, and why. */
const STILL: Readonly<Record<string, readonly [bits: bigint, reason: string]>> = {
  'io_uring_register.opcode': [1n << 31n, 'IORING_REGISTER_USE_REGISTERED_RING is the target of a step'],
  'context SOCKET 20': [
    ~0xfn & ALL,
    'a filter sees the type without the flags beside it, and others are refused by prep',
  ],
  'context OPENAT 16': [0xff80_003cn, 'bits that openat(2) drops'],
  'context OPENAT 20': [ALL, 'op_flags has 32 bits'],
  'context OPENAT 24': [~0o7777n & ALL, 'bits of a mode that openat(2) drops'],
  'context OPENAT 28': [ALL, 'len has 32 bits'],
  'context OPENAT 32': [ALL, 'openat(2) has no resolve'],
  'context OPENAT 36': [ALL, 'openat(2) has no resolve'],
  'context CONNECT 16': [0xffff_0000n, 'a family has 16 bits'],
  'context CONNECT 20': [0xffff_0000n, 'a port has 16 bits; padding'],
};

test('the reasons are of members that there are', () => {
  for (const name of Object.keys(STILL)) expect([...spread.members.keys()]).toContain(name);
});

test('a member tells which bits were 0 and 1', () => {
  const member = new Member(16);
  for (const value of [0x0100, 0x0101, 0x8100]) member.add(value);
  expect([member.varied, member.stillBytes]).toEqual([0x8001n, []]);
  expect(new Member(16).stillBytes).toEqual([0, 1]);
});

const array = (name: string, length: number): string[] => Array.from({ length }, (_, i) => `${name}[${i}]`);

/** What user space hands over: members of structures of the feature, of SQEs, arguments of calls (linux/io_uring.h). */
const HANDED_OVER: Readonly<Record<string, readonly string[]>> = {
  io_uring_setup: ['entries'],
  io_uring_params: ['flags'],
  io_uring_register: ['opcode', 'nr_args'],
  io_uring_bpf: ['cmd_type', 'cmd_flags', 'resv'],
  io_uring_bpf_filter: [
    ...['opcode', 'flags', 'filter_len', 'pdu_size', 'filter_ptr'],
    ...array('resv', 3),
    ...array('resv2', 5),
  ],
  sock_filter: ['code', 'jt', 'jf', 'k'],
  io_uring_restriction: ['opcode', 'sqe_op', 'resv', ...array('resv2', 3)],
  io_uring_task_restriction: ['flags', 'nr_res', ...array('resv', 3)],
  sqe: [
    ...['opcode', 'flags', 'ioprio', 'fd', 'off', 'addr', 'len', 'op_flags', 'user_data', 'buf_index', 'personality'],
    ...['file_index', 'addr3', 'pad2'],
  ],
};
const NAMES = Object.entries(HANDED_OVER).flatMap(([structure, members]) =>
  members.map((member) => `${structure}.${member}`),
);

test('what is handed over is what is looked at', () => {
  const seen = [...spread.members.keys()].filter((name) => !/^(context|argument|open_how|sockaddr)/.test(name));
  expect(seen.toSorted()).toEqual(NAMES.toSorted());
});

test.each(NAMES)('%s: each bit is both 0 and 1', (name) => {
  const { bits, varied } = spread.members.get(name)!;
  const all = (1n << BigInt(bits)) - 1n;
  expect((all & ~varied).toString(16)).toBe((STILL[name]?.[0] ?? 0n).toString(16));
});

/** Words of payloads: `context SOCKET 16`. */
const PAYLOADS = opSpecs.flatMap(({ name, payload }) =>
  payload === undefined ? [] : Array.from({ length: payload.size / 4 }, (_, i) => `${name} ${16 + 4 * i}`),
);

test.each(PAYLOADS)('%s: filters see each bit as 0 and as 1', (word) => {
  const name = `context ${word}`;
  expect((ALL & ~spread.members.get(name)!.varied).toString(16)).toBe((STILL[name]?.[0] ?? 0n).toString(16));
});

test.each(['NOP 0', 'NOP 4', ...PAYLOADS])('%s: programs load it and compare it with values of any bit', (word) => {
  expect((ALL & ~(spread.compared.get(word)?.varied ?? 0n)).toString(16)).toBe('0');
});

test('every byte of struct open_how and of addresses', () => {
  for (const [structure, size] of [
    ['open_how', 24],
    ['sockaddr', 28],
  ] as const)
    for (let at = 0; at < size; at++)
      expect(spread.members.get(`${structure}[${at}]`)!.varied, `${structure}[${at}]`).toBe(0xffn);
});

/** sizeof of the structures that io_uring_register(2) takes, by opcode (linux/io_uring.h). */
const ARGUMENTS: Readonly<Record<number, number>> = {
  0: 16,
  2: 4,
  4: 4,
  6: 16,
  7: 4,
  13: 32,
  14: 32,
  15: 32,
  16: 32,
  17: 8,
  19: 8,
  20: 16,
  21: 16,
  22: 40,
  23: 40,
  24: 64,
  25: 16,
  26: 40,
  27: 16,
  29: 16,
  30: 32,
  31: 64,
  33: 64,
  34: 32,
  35: 40,
};

/** Bytes that never differ, and why. */
const STILL_BYTES: Readonly<Record<number, readonly [bytes: readonly number[], reason: string]>> = {
  16: [[16, 17, 18, 19, 20, 21, 22, 23], 'tags of buffers are not modelled'],
  35: [[], 'pointers and sizes: what is elsewhere is not modelled'],
};

test.each(Object.entries(ARGUMENTS))('io_uring_register opcode %s: each byte of %i differs', (opcode, size) => {
  const still = Array.from({ length: size }, (_, at) => at).filter(
    (at) => (spread.members.get(`argument of ${opcode}[${at}]`)?.varied ?? 0n) === 0n,
  );
  const [bytes = []] = STILL_BYTES[Number(opcode)] ?? [];
  if (opcode === '35') expect(still.length).toBeLessThan(32);
  else expect(still.filter((at) => !bytes.includes(at))).toEqual([]);
});
