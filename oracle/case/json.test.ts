import { readFileSync, writeFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, caseSchema, formatJson, fromJson, parseCaseFile, printCaseFile, toJson } from './json.ts';
import type { Json } from './json.ts';
import { anyScenario } from '../testing/scenarios.ts';
import type { Scenario } from '../steps/index.ts';

// A fixed seed: a gate must not flake.
fc.configureGlobal({ seed: 7 });

const SCHEMA_FILE = new URL('../scenario/schema.json', import.meta.url);
const schema = caseSchema();
const ajv = new Ajv2020({ strictRequired: false, unicodeRegExp: false, ownProperties: true }).compile(schema);
/** The first violation of the schema as text, or undefined. */
const schemaFault = (value: unknown): string | undefined =>
  ajv(value) ? undefined : `${ajv.errors![0]!.instancePath} ${ajv.errors![0]!.message}`;

const SMALL: Scenario = {
  version: 1,
  fixtures: ['file'],
  jit: true,
  steps: [
    { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0x40 },
    {
      task: 0,
      do: 'register_bpf_filter',
      on: { kind: 'ring', ring: 0 },
      nr_args: 1,
      arg: {
        cmd_type: 1,
        cmd_flags: 0,
        resv: 0,
        opcode: 45,
        flags: 1,
        filter_len: 3,
        pdu_size: 12,
        resv_filter: [0, 0, 0],
        resv2: [0n, 0n, 0n, 0n, 0n],
        program: [
          { code: 0x20, jt: 0, jf: 0, k: 16 },
          { code: 0x15, jt: 0, jf: 0, k: 2 },
          { code: 0x16, jt: 0, jf: 0, k: 0 },
        ],
        placement: 'normal',
        program_placement: { raw: 0xffff_ffff_ffff_ffffn },
      },
    },
    {
      task: 0,
      do: 'submit',
      ring: 0,
      sqes: [
        { opcode: 0, flags: 0x14, user_data: 1n },
        { opcode: 200, flags: 0x80 },
      ],
    },
  ],
};

test('a case file is short and readable', () => {
  expect(printCaseFile({ ringfence: 1, suite: 'stacking', note: 'x', scenario: SMALL })).toMatchInlineSnapshot(`
    "{
      "ringfence": 1,
      "suite": "stacking",
      "note": "x",
      "scenario": {
        "version": 1,
        "fixtures": ["file"],
        "steps": [
          { "task": 0, "do": "ring", "ring": 0, "flags": "R_DISABLED" },
          {
            "task": 0,
            "do": "register_bpf_filter",
            "on": { "ring": 0 },
            "arg": {
              "opcode": "SOCKET",
              "flags": "DENY_REST",
              "pdu_size": 12,
              "program": ["    ld [16] ; socket.family", "    jeq #0x2, l2, l2", "l2: ret a"],
              "program_placement": { "raw": "0xffffffffffffffff" }
            }
          },
          {
            "task": 0,
            "do": "submit",
            "ring": 0,
            "sqes": [
              { "opcode": "NOP", "flags": "IO_LINK|ASYNC", "user_data": "0x1" },
              { "opcode": 200, "flags": "0x80" }
            ]
          }
        ]
      }
    }
    "
  `);
});

test('the round trip is exact', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      const text = formatJson(toJson(scenario));
      expect(fromJson(JSON.parse(text))).toEqual({ ok: true, scenario });
    }),
    { numRuns: 1000 },
  );
});

test('JSON is laid out by width', () => {
  expect(formatJson({ a: [], b: {}, c: [1, 'x', null], d: { e: true } })).toBe(
    '{ "a": [], "b": {}, "c": [1, "x", null], "d": { "e": true } }',
  );
  expect(formatJson({ a: [1, 2], b: {} }, 12)).toBe('{\n  "a": [\n    1,\n    2\n  ],\n  "b": {}\n}');
});

test('SQE fields that are 0 are left out, the rest is kept', () => {
  const scenario: Scenario = {
    ...SMALL,
    steps: [{ task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 0, flags: 0, fd: 0, off: 0n, len: 7 }] }],
  };
  const back = fromJson(toJson(scenario));
  expect(back).toEqual({ ok: true, scenario: canonical(scenario) });
  const other: Scenario = { ...SMALL, steps: SMALL.steps.slice(0, 2) };
  expect(canonical(other)).toEqual(other);
  expect(canonical(scenario).steps[0]).toEqual({ task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 0, len: 7 }] });
});

describe('the schema', () => {
  test('schema.json is what the tables say', () => {
    const text = `${formatJson(schema)}\n`;
    if (process.env['UPDATE_SCHEMA'] !== undefined) writeFileSync(SCHEMA_FILE, text);
    expect(readFileSync(SCHEMA_FILE, 'utf8')).toBe(text);
  });

  test('takes every scenario that is written', () => {
    fc.assert(
      fc.property(anyScenario, (scenario) => {
        expect(schemaFault({ ringfence: 1, scenario: toJson(scenario) })).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  test('takes everything that fromJson takes', () => {
    let taken = 0;
    fc.assert(
      fc.property(anyScenario, mutations, (scenario, changes) => {
        const json = mutate(toJson(scenario), changes);
        if (!fromJson(json).ok) return;
        taken++;
        expect(schemaFault({ ringfence: 1, scenario: json })).toBeUndefined();
      }),
      { numRuns: 1500 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test('refuses what fromJson refuses, but for programs and what needs counting', () => {
    let refused = 0;
    fc.assert(
      fc.property(anyScenario, mutations, (scenario, changes) => {
        const json = mutate(toJson(scenario), changes);
        const read = fromJson(json);
        if (
          read.ok ||
          /program\[|restrictions\[\d+\]\.value|a second time|at \+ length|at most 8192|do: expected/.test(read.error)
        )
          return;
        refused++;
        expect([read.error, schemaFault({ ringfence: 1, scenario: json })]).not.toContain(undefined);
      }),
      { numRuns: 1500 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

const values = fc.oneof(
  fc.constantFrom<Json>(
    null,
    true,
    -1,
    0,
    1,
    255,
    256,
    65536,
    2 ** 32,
    2 ** 53,
    1.5,
    '',
    '0x',
    '0x10',
    '-1',
    'NOP',
    'task',
    'fork',
    [],
    {},
    [1],
    '00f',
    { raw: '0x0' },
    { ring: 3 },
  ),
  fc.jsonValue() as fc.Arbitrary<Json>,
);
const mutations = fc.array(fc.tuple(fc.nat(), fc.constantFrom('replace', 'drop', 'add', 'proto'), values), {
  minLength: 1,
  maxLength: 3,
});

function addTo(holder: Record<string, Json>, value: Json): void {
  if (Array.isArray(holder)) (holder as Json[]).push(value);
  else holder['extra'] = value;
}

/** Changes the JSON at a place picked by a number. */
function mutate(json: Json, changes: readonly (readonly [number, string, Json])[]): Json {
  const copy = JSON.parse(JSON.stringify(json)) as Json;
  for (const [where, how, put] of changes) {
    const value = JSON.parse(JSON.stringify(put)) as Json;
    const places: [Record<string, Json>, string][] = [];
    const walk = (node: Json): void => {
      if (typeof node !== 'object' || node === null) return;
      for (const key of Object.keys(node)) {
        places.push([node as Record<string, Json>, key]);
        walk((node as Record<string, Json>)[key]!);
      }
    };
    walk(copy);
    const place = places[where % places.length];
    if (place === undefined) continue;
    const [holder, key] = place;
    if (how === 'replace') holder[key] = value;
    else if (how === 'drop') Array.isArray(holder) ? (holder as Json[]).splice(Number(key), 1) : delete holder[key];
    else if (how === 'add') addTo(holder, value);
    else Object.defineProperty(holder, '__proto__', { value, enumerable: true, configurable: true, writable: true });
  }
  return copy;
}

describe('bad input', () => {
  test('no JSON at all makes it throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => void fromJson(value)),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(anyScenario, mutations, (scenario, changes) => void fromJson(mutate(toJson(scenario), changes))),
      { numRuns: 3000 },
    );
  });

  test('no text makes it throw', () => {
    const text = printCaseFile({ ringfence: 1, scenario: SMALL });
    fc.assert(
      fc.property(fc.nat({ max: text.length }), fc.nat({ max: text.length }), fc.string(), (from, length, put) => {
        const read = parseCaseFile(text.slice(0, from) + put + text.slice(from + length));
        if (!read.ok)
          expect(read.error).toMatch(/expected|missing|unknown field|a second time|line \d+, column \d+|column \d+:/);
      }),
      { numRuns: 1000 },
    );
  });

  const change = (path: readonly (string | number)[], value: unknown): unknown => {
    const copy = JSON.parse(JSON.stringify(toJson(SMALL))) as Record<string | number, unknown>;
    let node = copy;
    for (const key of path.slice(0, -1)) node = node[key] as typeof node;
    if (value === undefined) delete node[path.at(-1)!];
    else node[path.at(-1)!] = value;
    return copy;
  };
  test.each<[string, readonly (string | number)[], unknown]>([
    ['version: expected 1, the version of the scenario language this program speaks, found 2', ['version'], 2],
    ['the field "steps" is missing', ['steps'], undefined],
    ['unknown field "colour"; known are version, suite, fixtures, jit, harden, traces, steps', ['colour'], 'red'],
    [
      'fixtures[0]: expected one of file, pipe, socketpair, eventfd, epoll, listener, datagram, stream, dir, ' +
        'pipe_full, loopback, inet, found "teapot"',
      ['fixtures'],
      ['teapot'],
    ],
    ['steps[0].ring: expected a ring slot from 0 to 15, found 16', ['steps', 0, 'ring'], 16],
    ['steps[0].task: expected a task from 0 to 15, found -1', ['steps', 0, 'task'], -1],
    [
      'steps[0].flags: expected IORING_SETUP_ flags such as "IOPOLL|SQPOLL", or a number, found "SQPOL"',
      ['steps', 0, 'flags'],
      'SQPOL',
    ],
    ['steps[1].arg.pdu_size: expected an integer from 0 to 255, found 300', ['steps', 1, 'arg', 'pdu_size'], 300],
    [
      'steps[1].arg.opcode: expected a known IORING_OP_ name or a number, found "SOKET"',
      ['steps', 1, 'arg', 'opcode'],
      'SOKET',
    ],
    [
      "steps[1].arg.program[1]: column 13: no instruction has the label 'nowhere'",
      ['steps', 1, 'arg', 'program', 1],
      '  jeq #0x2, nowhere, l2',
    ],
    [
      'steps[1].arg.program[1]: line 2, column 4: unexpected',
      ['steps', 1, 'arg', 'program'],
      ['ret #1', 'ret #1\nld ?', 'ret #1'],
    ],
    [
      'steps[1].arg.program: expected an array of assembler lines, or of [code, jt, jf, k] rows, found "ret #1"',
      ['steps', 1, 'arg', 'program'],
      'ret #1',
    ],
    [
      'steps[1].arg.program: expected at most 8192 instructions, found an array of 8193',
      ['steps', 1, 'arg', 'program'],
      Array.from({ length: 8193 }, () => 'ret #1'),
    ],
    [
      'steps[1].arg.program: expected at most 8192 instructions, found 8193',
      ['steps', 1, 'arg', 'program'],
      ['ret #1\n'.repeat(8193)],
    ],
    [`steps[0].do: expected one of no_new_privs`, ['steps', 0, 'do'], 'x'.repeat(100)],
    [`found "${'x'.repeat(56)}...`, ['steps', 0, 'do'], 'x'.repeat(100)],
    [
      'steps[1].arg.program[0][1]: expected jt from 0 to 255, found 256',
      ['steps', 1, 'arg', 'program'],
      [[6, 256, 0, 1]],
    ],
    [
      'steps[1].arg.program[1]: expected an array of 4, found "ret #1"',
      ['steps', 1, 'arg', 'program'],
      [[6, 0, 0, 1], 'ret #1'],
    ],
    [
      'steps[1].arg.program_placement.raw: expected a 64-bit number as "0x..." string, found -1',
      ['steps', 1, 'arg', 'program_placement', 'raw'],
      -1,
    ],
    ['steps[1].on: expected "task", { "ring": N }, { "registered": N } or { "fd": N }, found 3', ['steps', 1, 'on'], 3],
    [
      'steps[2].sqes[0].user_data: expected a 64-bit number as "0x..." string, found "0x10000000000000000"',
      ['steps', 2, 'sqes', 0, 'user_data'],
      '0x10000000000000000',
    ],
    [
      'steps[2].sqes[0].user_data: expected a 64-bit number as "0x..." string, found "18446744073709551616"',
      ['steps', 2, 'sqes', 0, 'user_data'],
      '18446744073709551616',
    ],
    ['steps[2].do: expected one of', ['steps', 2, 'do'], 'submitt'],
    ['steps[3]: ring slot 0 is made a second time (first by steps[0])', ['steps', 3], { task: 1, do: 'ring', ring: 0 }],
    [
      "steps[3]: at + length is 98400, beyond the arena's 98304 bytes",
      ['steps', 3],
      { task: 1, do: 'probe_memory', at: 98300, length: 100 },
    ],
    ['steps[3].path: expected a path below', ['steps', 3], { task: 0, do: 'probe_path', path: '../x' }],
    [
      'steps[3].bytes: expected at most 16384 bytes as hex digits, found "abc"',
      ['steps', 3],
      { task: 0, do: 'register', on: 'task', opcode: 3, bytes: 'abc' },
    ],
  ])('%s', (error, path, value) => {
    const read = fromJson(change(path, value));
    expect(read.ok ? 'accepted' : read.error).toContain(error);
  });

  test.each([
    ['', 'the file is empty; expected a case file such as `ringfence run --out DIR` writes to DIR/divergences'],
    [
      '{ "ringfence": 1,\n  "scen',
      'line 2, column 8: the JSON text ends too early, the file looks truncated; copy or write it again',
    ],
    [
      '{ "ringfence": 1,\n  "scenario": { "version": 1, "steps": [',
      'line 2, column 41: the JSON text ends too early, the file looks truncated; copy or write it again',
    ],
    [
      '{ "ringfence": 1,\n  "scenario": }',
      "line 2, column 15: this is not JSON: Unexpected token '}'; correct it there, or write the file again",
    ],
    [
      '{ "ringfence": 1 } }',
      'line 1, column 20: this is not JSON: Unexpected non-whitespace character after the end of the JSON text; ' +
        'correct it there, or write the file again',
    ],
    [
      '\u007fELF',
      "line 1, column 1: this is not JSON: Unexpected token '\u007f'; correct it there, or write the file again",
    ],
    ['[]', 'expected an object, found an array of 0'],
    [
      '{ "ringfence": 2, "scenario": {} }',
      'ringfence: expected 1, the version of case files this program reads, found 2',
    ],
    ['{ "scenario": {} }', 'the field "ringfence" is missing'],
  ])('%j', (text, error) => {
    const read = parseCaseFile(text);
    expect(read.ok ? 'accepted' : read.error).toBe(error);
  });

  test('a bare scenario is taken as a case file', () => {
    expect(parseCaseFile(JSON.stringify(toJson(SMALL)))).toEqual({ ok: true, file: { ringfence: 1, scenario: SMALL } });
    expect(parseCaseFile(`\ufeff${printCaseFile({ ringfence: 1, note: 'n', scenario: SMALL })}`)).toEqual({
      ok: true,
      file: { ringfence: 1, note: 'n', scenario: SMALL },
    });
  });
});

describe('names and numbers mean the same', () => {
  const step = (json: unknown): unknown => {
    const read = fromJson({ version: 1, steps: [json] });
    return read.ok ? read.scenario.steps[0] : read.error;
  };
  test('flags', () => {
    for (const flags of [0x1040, '0x1040', 'SINGLE_ISSUER|R_DISABLED', 'IORING_SETUP_R_DISABLED|0x1000']) {
      expect(step({ task: 0, do: 'ring', ring: 0, flags })).toEqual({
        task: 0,
        do: 'ring',
        ring: 0,
        entries: 8,
        flags: 0x1040,
      });
    }
  });
  test('opcodes', () => {
    for (const opcode of [45, '0x2d', 'SOCKET', 'IORING_OP_SOCKET'])
      expect(step({ task: 0, do: 'submit', ring: 0, sqes: [{ opcode }] })).toMatchObject({ sqes: [{ opcode: 45 }] });
    for (const opcode of [12, 'REGISTER_ENABLE_RINGS', 'IORING_REGISTER_ENABLE_RINGS'])
      expect(step({ task: 0, do: 'register', on: { ring: 0 }, opcode })).toMatchObject({ opcode: 12 });
  });
  test('64-bit numbers', () => {
    for (const userData of [17, '17', '0x11'])
      expect(step({ task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 0, user_data: userData }] })).toMatchObject({
        sqes: [{ user_data: 17n }],
      });
  });
  test('restrictions', () => {
    const restrictions = [
      { opcode: 'SQE_OP', value: 'SOCKET' },
      { opcode: 'REGISTER_OP', value: 'REGISTER_BUFFERS' },
      { opcode: 3, value: 'ASYNC|IO_LINK' },
      { opcode: 9, value: 1, resv2: [1, 2, 3] },
    ];
    expect(step({ task: 0, do: 'register_restrictions', on: 'task', arg: { restrictions } })).toMatchObject({
      nr_args: 4,
      arg: { restrictions: [{ value: 45 }, { value: 0 }, { value: 20 }, { value: 1, resv2: [1, 2, 3] }] },
    });
    expect(
      step({ task: 0, do: 'register_restrictions', on: 'task', arg: { restrictions: [{ opcode: 9, value: 'NOP' }] } }),
    ).toBe('steps[0].arg.restrictions[0].value: expected an integer from 0 to 255, found "NOP"');
  });
  test('programs as rows, lines, or lines that hold several', () => {
    const program = [{ code: 6, jt: 0, jf: 0, k: 1 }];
    for (const form of [[[6, 0, 0, 1]], ['ret #1'], ['; a comment\nret #0x1 ; allow'], ['.raw 0x0006, 0, 0, 0x1']]) {
      expect(step({ task: 0, do: 'register_bpf_filter', on: 'task', arg: { opcode: 0, program: form } })).toMatchObject(
        { arg: { program, filter_len: 1 } },
      );
    }
  });
});
