/** The runner's `protocol.h`, as text: the wire and the fixed world of a scenario, in the runner's own format. */
import { MAX_DEADLINE_MS, MAX_STEPS, SCENARIO_FLAGS } from '../../oracle/case/frame.ts';
import { opSpecs } from '../../oracle/opcodes/index.ts';
import { ARENA, ARENA_BASE, ARENA_SIZE, FD, FILE_CONTENT, FIXTURES, MAX_TASKS } from '../../oracle/scenario/layout.ts';
import { RING_FD, RING_SLOTS } from '../../oracle/scenario/layout.ts';
import { MAX_FRAME } from '../../oracle/scenario/writer.ts';
import type { Operation } from '../../oracle/steps/wire.ts';
import { choicesOf, countOf, OPERATIONS, payloadOf, SYSTEM_CALLS } from './operations.ts';
import type { Frame, FrameFields } from './table.ts';
import {
  ANNOUNCED,
  ANSWER_HEAD,
  BENCH_LOOPS,
  FEATURES,
  FILE_KINDS,
  FRAME_HEAD,
  FRAMES,
  layoutOf,
  magicOf,
  MAX_GUEST_FRAME,
  PORT_NAME,
  PROTOCOL_VERSION,
  RUNNER_ERRORS,
  STATUS,
  WRITE_HEAD,
} from './table.ts';

/** The whole file. Pure. */
export function protocolHeader(): string {
  return [
    '/*',
    ' * What travels between host and guest, and the fixed world that every scenario finds. Made by `npm run generate`',
    ' * of vm/protocol/table.ts, oracle/steps/kind/ and oracle/scenario/layout.ts: change those, not this.',
    ' */',
    '#ifndef RINGFENCE_PROTOCOL_H',
    '#define RINGFENCE_PROTOCOL_H',
    '',
    '#include "sys.h"',
    '',
    ...[frames(), steps(), answers(), world()].flatMap((part) => part.flatMap((block) => [block, ''])),
    '#endif',
    '',
  ].join('\n');
}

/** Flexible members behind the fields. */
const TAILS: Readonly<Record<string, readonly string[]>> = {
  scenario: ['u8 steps[];'],
  result: ['u8 steps[];'],
  write: ['u8 bytes[];'],
  file: ['u8 bytes[];'],
};

function frames(): readonly string[] {
  const head = size(FRAME_HEAD);
  return [
    macros({
      PROTOCOL_VERSION: String(PROTOCOL_VERSION),
      PORT_NAME: JSON.stringify(PORT_NAME),
      MAX_FRAME: hex(MAX_FRAME, 'u'),
      MAX_GUEST_FRAME: hex(MAX_GUEST_FRAME, 'u'),
      MAX_STEPS: String(MAX_STEPS),
      MAX_DEADLINE_MS: `${MAX_DEADLINE_MS}u`,
    }),
    enumeration(
      'FRAME',
      mapValues(FRAMES, (frame) => hex(magicOf(frame))),
    ),
    structure('frame', fieldLines(FRAME_HEAD)),
    ...Object.entries(FRAMES).flatMap(([name, { fields }]: [string, Frame]) => {
      if (Object.keys(fields).length === 0) return [];
      const tail = TAILS[name] ?? [];
      const lines = ['struct frame frame;', ...fieldLines(fields), ...tail];
      return [structure(`${name}_frame`, lines, layoutOf(fields, head).size)];
    }),
    enumeration('SCENARIO', mapValues(SCENARIO_FLAGS, String)),
    enumeration('FEATURE', mapValues(FEATURES, String)),
    enumeration('KIND', mapValues(FILE_KINDS, String)),
    enumeration('BENCH', Object.fromEntries(Object.keys(BENCH_LOOPS).map((name, i) => [name, String(i)]))),
  ];
}

function steps(): readonly string[] {
  const fields = OPERATIONS.flatMap((operation) => operation.fields.map((field) => ({ operation, field })));
  const values = new Map(fields.map(({ field }) => [field.name, field.values]));
  return [
    structure('step', ['u8 op;', 'u8 task;', 'u16 flags;', 'u32 length;', 'u8 payload[];'], STEP_HEAD),
    enumeration('OP', {
      ...byNumber(OPERATIONS),
      end: String(Math.max(...OPERATIONS.map(({ number }) => number)) + 1),
    }),
    ...OPERATIONS.map(operationStructure),
    enumeration('CALL', byNumber(SYSTEM_CALLS)),
    ...[...values].flatMap(([name, named]) =>
      named === undefined ? [] : [enumeration(name, mapValues(named, String))],
    ),
    structure('write_head', [...fieldLines(WRITE_HEAD), 'u8 bytes[];'], size(WRITE_HEAD)),
    list(
      'X(NAME, name) for each operation.',
      'OPERATIONS',
      OPERATIONS.map(({ name }) => [name.toUpperCase(), name]),
    ),
    list(
      'X(NAME, name, field, limit) for each field that must be less than its limit.',
      'LIMITED_FIELDS',
      fields.flatMap(({ operation, field }) => {
        const below = field.below ?? choicesOf(field)?.length;
        return below === undefined ? [] : [[operation.name.toUpperCase(), operation.name, field.name, String(below)]];
      }),
    ),
    list(
      'X(NAME, name, field, size) for each field that counts items of `size` bytes, which fill the rest of the step.',
      'COUNTING_FIELDS',
      OPERATIONS.flatMap((operation) => {
        const count = countOf(operation);
        return count === undefined
          ? []
          : [[operation.name.toUpperCase(), operation.name, count.field, String(count.size)]];
      }),
    ),
    list(
      'X(opcode) for each request whose entry takes 128 bytes.',
      'WIDE_OPCODES',
      opSpecs.filter(({ takesTwoSlots }) => takesTwoSlots).map(({ opcode }) => [String(opcode)]),
    ),
  ];
}

const STEP_HEAD = 8;

function operationStructure(operation: Operation): string {
  const fields = payloadOf(operation);
  const { tail } = operation;
  const tailLines =
    tail === undefined ? [] : [`${tail.type} ${tail.name}[]${tail.length === undefined ? '' : `[${tail.length}]`};`];
  const lines = fields.map(({ type, name, length }) => `${type} ${name}${length === undefined ? '' : `[${length}]`};`);
  const layout = layoutOf(Object.fromEntries(fields.map((field) => [field.name, field])), STEP_HEAD);
  return structure(`step_${operation.name}`, ['struct step step;', ...lines, ...tailLines], layout.size);
}

function answers(): readonly string[] {
  return [
    macros({
      ANNOUNCED_WARM_UP: hex(ANNOUNCED.warm_up, 'u'),
      ANNOUNCED_POWER_OFF: hex(ANNOUNCED.power_off, 'u'),
    }),
    enumeration('STATUS', mapValues(STATUS, String)),
    enumeration(
      'ERR',
      mapValues(RUNNER_ERRORS, ({ code }) => String(code)),
    ),
    structure('answer_head', fieldLines(ANSWER_HEAD), size(ANSWER_HEAD)),
  ];
}

function world(): readonly string[] {
  const fixed = { ...FD, rings: RING_FD };
  return [
    macros({
      ARENA_BASE: hex(ARENA_BASE, 'UL'),
      ARENA_SIZE: hex(ARENA_SIZE, 'UL'),
      ARENA_ARGS: hex(ARENA.args, 'UL'),
      ARENA_ARGS_SIZE: hex(ARENA.args_size, 'UL'),
      ARENA_PROGRAM: hex(ARENA.program, 'UL'),
      MAX_TASKS: String(MAX_TASKS),
      RING_SLOTS: String(RING_SLOTS),
    }),
    '/* Fixtures, by bit; their descriptors, and that of the first ring. */\n' +
      enumeration('FIXTURE', Object.fromEntries(FIXTURES.map((name, i) => [name, String(i)]))),
    enumeration('FD', mapValues(fixed, String)),
    `/* Content of the fixture file and of the full pipe. */\n#define FILE_CONTENT ${JSON.stringify(FILE_CONTENT)}`,
  ];
}

function size(fields: FrameFields): number {
  return layoutOf(fields, 0).size;
}

function hex(value: number, suffix = ''): string {
  return `0x${value.toString(16)}${suffix}`;
}

function mapValues<T>(from: Readonly<Record<string, T>>, to: (value: T) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]));
}

function byNumber(all: readonly { readonly number: number; readonly name: string }[]): Record<string, string> {
  return Object.fromEntries(all.map(({ name, number }) => [name, String(number)]));
}

function fieldLines(fields: FrameFields): readonly string[] {
  return Object.entries(fields).map(
    ([name, { type, length }]) => `${type} ${name}${length === undefined ? '' : `[${length}]`};`,
  );
}

function structure(name: string, lines: readonly string[], bytes?: number): string {
  const check = bytes === undefined ? [] : [`_Static_assert(sizeof(struct ${name}) == ${bytes}, "${name}");`];
  return [`struct ${name} {`, ...lines.map((line) => `\t${line}`), '};', ...check].join('\n');
}

function enumeration(prefix: string, values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([name, value]) => `\t${`${prefix}_${name}`.toUpperCase()} = ${value},`);
  return ['enum {', ...lines, '};'].join('\n');
}

function macros(values: Readonly<Record<string, string>>): string {
  const longest = Math.max(...Object.keys(values).map((name) => name.length));
  return Object.entries(values)
    .map(([name, value]) => `#define ${name.padEnd(longest)} ${value}`)
    .join('\n');
}

/** A macro that applies another one to each row. */
function list(about: string, name: string, rows: readonly (readonly string[])[]): string {
  const lines = [`#define ${name}(X)`, ...rows.map((row) => `\tX(${row.join(', ')})`)];
  // clang-format would fill the lines.
  return [`/* ${about} */`, '/* clang-format off */', lines.join(' \\\n'), '/* clang-format on */'].join('\n');
}
