/** Arbitrary scenarios for tests of the forms a scenario is written in: any value of any field, no thought of sense. */
import fc from 'fast-check';
import type { Program } from '../bpf/program.ts';
import * as codecs from '../json/parts.ts';
import { FIXTURES } from '../scenario/layout.ts';
import type { Field, JsonSchema } from '../schema/codec.ts';
import { madeBy, STEPS } from '../steps/index.ts';
import type { BpfArg, Placement, Restriction, Sqe, Target } from '../scenario/types.ts';
import type { AnySpec, Scenario, Step } from '../steps/index.ts';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 0xffff_ffff }));
const s32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const slot = fc.integer({ min: 0, max: 15 });
const task = fc.oneof(fc.constant(0), slot);
const codes = fc.oneof(fc.constantFrom(0x20, 0x15, 0x06, 0x16, 0x05, 0x04, 0x60, 0x02, 0x80, 0x0e), u16);

/** Any instructions. */
export const anyProgram: fc.Arbitrary<Program> = fc.array(
  fc.record({ code: codes, jt: fc.oneof(fc.constant(0), u8), jf: fc.oneof(fc.constant(0), u8), k: u32 }),
  { maxLength: 12 },
);

const placement: fc.Arbitrary<Placement> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('normal' as const) },
  fc.constantFrom('page-end' as const, 'straddle' as const, 'read-only' as const),
  fc.record({ raw: u64 }),
);
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ kind: fc.constant('ring' as const), ring: slot }),
  fc.record({ kind: fc.constant('registered' as const), index: s32 }),
  fc.constant<Target>({ kind: 'task' }),
  fc.record({ kind: fc.constant('fd' as const), fd: s32 }),
);
const usually = <T>(value: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, other);
const zeros: readonly [bigint, bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n, 0n];

const bpfArg: fc.Arbitrary<BpfArg> = anyProgram.chain((program) =>
  fc.record({
    cmd_type: usually(1, u16),
    cmd_flags: usually(0, u16),
    resv: usually(0, u32),
    opcode: u32,
    flags: usually(0, u32),
    filter_len: usually(program.length, u32),
    pdu_size: u8,
    resv_filter: usually<readonly [number, number, number]>([0, 0, 0], fc.tuple(u8, u8, u8)),
    resv2: usually(zeros, fc.tuple(u64, u64, u64, u64, u64)),
    program: fc.constant(program),
    placement,
    program_placement: placement,
  }),
);
const restriction: fc.Arbitrary<Restriction> = fc.record({
  opcode: usually(1, u16),
  value: u8,
  resv: usually(0, u8),
  resv2: usually<readonly [number, number, number]>([0, 0, 0], fc.tuple(u32, u32, u32)),
});
const restrictions = fc.array(restriction, { maxLength: 5 });

/** Any SQE; fields that are 0 are absent. */
export const anySqe: fc.Arbitrary<Sqe> = fc
  .record(
    {
      opcode: u8,
      flags: u8,
      ioprio: u16,
      fd: s32,
      off: u64,
      addr: u64,
      len: u32,
      op_flags: u32,
      user_data: u64,
      buf_index: u16,
      personality: u16,
      file_index: u32,
      addr3: u64,
      pad2: u64,
    },
    { requiredKeys: ['opcode'] },
  )
  .map(
    (sqe) =>
      Object.fromEntries(
        Object.entries(sqe).filter(([name, value]) => name === 'opcode' || (value !== 0 && value !== 0n)),
      ) as unknown as Sqe,
  );

type Any = fc.Arbitrary<unknown>;

/** Parts that are more than numbers, by what reads them. */
const BY_CODEC: ReadonlyMap<unknown, Any> = new Map<unknown, Any>([
  [codecs.taskId.decode, task],
  [codecs.cloneFlags.decode, fc.constantFrom(0x400, 0x800, 0x1000, 0x1400, 0x1000_0000, 0x1000_1c00)],
  [codecs.target.decode, target],
  [codecs.bpfArg.decode, bpfArg],
  [codecs.ringRestrictionsArg.decode, fc.record({ restrictions, placement })],
  [
    codecs.taskRestrictionsArg.decode,
    restrictions.chain((list) =>
      fc.record({
        flags: usually(0, u16),
        nr_res: usually(list.length, u16),
        resv: usually<readonly [number, number, number]>([0, 0, 0], fc.tuple(u32, u32, u32)),
        restrictions: fc.constant(list),
        placement,
      }),
    ),
  ],
]);
/** Those that stand in lists, by their name in the schema. */
const BY_NAME: Readonly<Record<string, Any>> = { '#/$defs/sqe': anySqe };
/** Texts are taken from these, as far as their pattern allows. */
const TEXTS = ['n0', 'd0/x', 'no such', 'a..b'];
const HEX = '^([0-9a-fA-F]{2})*$';

/** The keywords that say what a value may be. */
interface Known {
  readonly $ref?: string;
  readonly const?: boolean;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly [JsonSchema];
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

function ofSchema(schema: JsonSchema): Any {
  const {
    $ref,
    const: only,
    enum: words,
    anyOf,
    type,
    minimum = 0,
    maximum = 0,
    items = {},
    pattern = '',
  } = schema as Known;
  const { minItems = 0, maxItems = 6 } = schema as Known;
  if ($ref !== undefined) return known(BY_NAME[$ref], $ref);
  if (only !== undefined) return fc.constant(only);
  if (words !== undefined) return fc.constantFrom(...words);
  if (anyOf !== undefined) {
    const [first] = anyOf;
    // A 64-bit number is a text first, others are numbers first.
    return first['type'] === 'string' ? u64 : ofSchema(first);
  }
  switch (type) {
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return usually(minimum, fc.integer({ min: minimum, max: maximum }));
    case 'array':
      return fc.array(ofSchema(items), { minLength: minItems, maxLength: Math.min(6, maxItems) });
    default: {
      if (pattern === HEX) return fc.uint8Array({ maxLength: 80 });
      const texts = TEXTS.filter((text) => new RegExp(pattern).test(text));
      return known(texts.length === 0 ? undefined : fc.constantFrom(...texts), JSON.stringify(schema));
    }
  }
}

function known(arbitrary: Any | undefined, what: string): Any {
  if (arbitrary === undefined) throw new Error(`no arbitrary values for ${what}: say here what they are`);
  return arbitrary;
}

/** Any step of a kind: every member that may be absent is absent now and then, every usual value is usual. */
export function anyStepOf(spec: AnySpec): fc.Arbitrary<Step> {
  const fields = Object.entries<Field<unknown>>(spec.json);
  const always = fields.filter(([, field]) => field.required || field.absent !== undefined).map(([name]) => name);
  const members = fields.map(([name, { codec }]) => [name, BY_CODEC.get(codec.decode) ?? ofSchema(codec.schema)]);
  const usual = fc.record(Object.fromEntries(always.map((name) => [name, fc.nat({ max: 3 })])));
  return fc
    .tuple(fc.record(Object.fromEntries(members) as Record<string, Any>, { requiredKeys: always }), usual, task)
    .map(([own, odd, by]) => {
      const step: Record<string, unknown> = { task: by, do: spec.kind, ...own };
      for (const [name, { absent }] of fields) if (odd[name] !== 0 && absent !== undefined) step[name] = absent(step);
      return step as unknown as Step;
    })
    .filter((step) => spec.jsonFault?.(step) === undefined);
}

/** Steps in which no ring slot and no task is made twice. */
const steps = fc.array(fc.oneof(...Object.values(STEPS).map(anyStepOf)), { maxLength: 25 }).map((all) => {
  const seen = new Set<string>();
  return all.filter((step) => {
    const made = madeBy(step);
    const what = made.ring !== undefined ? `r${made.ring}` : made.task !== undefined ? `t${made.task}` : undefined;
    if (what === undefined) return true;
    const fresh = !seen.has(what);
    seen.add(what);
    return fresh;
  });
});

/** Any scenario. */
export const anyScenario: fc.Arbitrary<Scenario> = fc.record(
  {
    version: fc.constant(1 as const),
    suite: fc.constantFrom('stacking', 'links'),
    fixtures: fc.subarray([...FIXTURES]),
    jit: fc.boolean(),
    harden: fc.constantFrom(1 as const, 2 as const),
    traces: fc.constant(true as const),
    steps,
  },
  { requiredKeys: ['version', 'fixtures', 'jit', 'steps'] },
);
