/**
 * An opcode is one new file and one line of a table, a register opcode a row of its family: all else follows. No
 * released kernel has one that the specification lacks, so made-up ones are added to a copy of the sources.
 */
import { plainStep } from '../oracle/testing/plain.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { bpfArg, restriction, ringRestrictions } from '../generators/args.ts';
import { SUITE_NAMES } from '../generators/scenarios.ts';
import { obedient } from '../harness/testing/fake-guest.ts';
import { PAYLOAD_OFFSET } from '../oracle/bpf/context.ts';
import { parseAsm } from '../oracle/bpf/asm.ts';
import { ABI_7_0 } from '../oracle/probe/abi-documented.ts';
import type { PredictedStep } from '../oracle/scenario/prediction.ts';
import type { Sqe, Target } from '../oracle/scenario/types.ts';
import type { Scenario, Step } from '../oracle/steps/index.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { E, IORING_RESTRICTION, IORING_SETUP } from '../oracle/uapi/constants.ts';
import { run } from '../vm/host/processes.ts';
import type { ToolResult } from '../vm/host/processes.ts';
import { BEACON } from './growth/beacon.ts';
import { Workshop } from './workshop.ts';

/** What the copies are asked. */
const MODULES = [
  'oracle/case/json.ts',
  'oracle/case/text.ts',
  'oracle/explain/index.ts',
  'oracle/opcodes/index.ts',
  'oracle/predict.ts',
  'oracle/probe/abi-documented.ts',
  'oracle/probe/probe.ts',
  'oracle/register/index.ts',
  'oracle/registry.ts',
  'generators/scenarios.ts',
] as const;
type House = typeof import('../oracle/case/json.ts') &
  typeof import('../oracle/case/text.ts') &
  typeof import('../oracle/explain/index.ts') &
  typeof import('../oracle/opcodes/index.ts') &
  typeof import('../oracle/predict.ts') &
  typeof import('../oracle/probe/abi-documented.ts') &
  typeof import('../oracle/probe/probe.ts') &
  typeof import('../oracle/register/index.ts') &
  typeof import('../oracle/registry.ts') &
  typeof import('../generators/scenarios.ts');

interface Grown {
  readonly house: House;
  /** What became of the compiler that checked its types. */
  readonly checked: ToolResult;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const workshop = new Workshop('suites/growth/beacon.ts', ...MODULES);
afterAll(() => workshop.dispose());

/** The exports of all these modules of a copy with these files changed or added. */
async function grown(changes: Readonly<Record<string, string>>): Promise<Grown> {
  const copy = workshop.copy(new Map(Object.entries(changes)));
  const modules = await Promise.all(MODULES.map((module) => copy.load<Partial<House>>(module)));
  const config = JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include: ['.'] });
  writeFileSync(join(copy.directory, 'tsconfig.json'), config);
  const checked = await run([join(ROOT, 'node_modules/.bin/tsc'), '-p', copy.directory]);
  return { house: Object.assign({}, ...modules) as House, checked };
}

/** The source with lines added in front of the one place where `before` stands. */
function withLines(file: string, before: string, lines: string): string {
  const parts = workshop.sources.get(file)!.split(before);
  expect(parts.length, `places in ${file} to add a line`).toBe(2);
  return `${parts[0]}${lines}${before}${parts[1]}`;
}

/** What the documents say of a release: its profile. */
function documented({ judgedAbi }: House, release: string): AbiProfile {
  return judgedAbi({ ...ABI_7_0, release, op_last: 0, register_last: 0, pdu_size: [] }).abi;
}

/** What a kernel that does as this oracle says is found to be when it is asked. */
async function probed({ predict, probeAbi }: House, abi: AbiProfile): Promise<AbiProfile> {
  return await probeAbi(async (scenario) => ({ steps: obedient(predict(scenario, abi).steps) }), abi);
}

const RING: Target = { kind: 'ring', ring: 0 };

function scenario(...steps: readonly Step[]): Scenario {
  return { version: 1, fixtures: [], jit: true, steps };
}

function ring(flags = 0): Step {
  return { task: 0, do: 'ring', ring: 0, entries: 8, flags };
}

function results(step: PredictedStep): readonly (readonly [res: unknown, rule: string])[] | 'any' {
  const { cqes } = plainStep(step);
  return cqes === 'any' ? cqes : cqes.map(({ res, rule }) => [res, rule] as const);
}

describe('an opcode with a payload: one file, and its line in the table', async () => {
  const table = 'oracle/opcodes/table.ts';
  const row = '  BEACON,\n';
  const named = "import { BEACON } from './beacon.ts';\n";
  const changes = {
    'oracle/opcodes/beacon.ts': workshop.sources
      .get('suites/growth/beacon.ts')!
      .replaceAll("'../../oracle/opcodes/", "'./")
      .replaceAll("'../../oracle/", "'../"),
    [table]: withLines(table, '} satisfies Readonly<Record<string, OpSpec>>;', row).replace(
      'import ',
      `${named}import `,
    ),
  };
  const { house, checked } = await grown(changes);
  const abi = documented(house, BEACON.since);
  const { opcode } = BEACON;

  // Only channel 1 may be lit.
  const parsed = parseAsm('ld [16]\n jeq #1, allow\n ret #0\n allow: ret #1');
  const program = parsed.ok ? parsed.program : [];
  const lit = (userData: bigint, fields: Partial<Sqe>): Sqe => ({ opcode, user_data: userData, ...fields });
  const filtered = scenario(
    ring(IORING_SETUP.SUBMIT_ALL),
    { task: 0, do: 'register_bpf_filter', on: RING, nr_args: 1, arg: bpfArg(abi, opcode, program) },
    {
      task: 0,
      do: 'submit',
      ring: 0,
      sqes: [lit(1n, { len: 1, op_flags: 0xff }), lit(2n, { len: 2 }), lit(3n, { len: 1, addr: 1n })],
    },
  );

  it('two files are touched: a new one, and the table with two lines more', () => {
    const [own, ...others] = Object.keys(changes);
    expect(workshop.sources.has(own!)).toBe(false);
    expect(others).toEqual([table]);
    const before = workshop.sources.get(table)!.split('\n');
    const after = changes[table].split('\n');
    expect(after.filter((line) => !before.includes(line))).toEqual([named.trim(), row.trimEnd()]);
    expect(after.length).toBe(before.length + 2);
  });

  it('the types follow', () => {
    expect(checked).toMatchObject({ ok: true, stdout: '' });
  });

  it('the documented interface has it from its release on', () => {
    expect([house.ABI_7_0.op_last, documented(house, '7.3').op_last]).toEqual([opcode, opcode]);
    expect(house.ABI_7_0).toEqual(ABI_7_0);
    expect(abi).toMatchObject({ op_last: opcode + 1, pdu_size: [...documented(house, '7.3').pdu_size, 8] });
    expect(house.judgedAbi({ ...abi, pdu_size: abi.pdu_size.with(opcode, 12) }).oddities).toMatchObject([
      { field: 'pdu_size', opcode, documented: 8, accepted: false },
    ]);
  });

  it('a kernel that has it is seen to have it', async () => {
    const found = await probed(house, abi);
    expect(found).toMatchObject({ op_last: opcode + 1, pdu_size: abi.pdu_size });
    expect(house.judgedAbi(found).oddities).toEqual([]);
  });

  it('a filter allows and denies by its payload, and prep refuses before', () => {
    const [, registered, submitted] = house.predict(filtered, abi).steps;
    expect(registered!.returns).toEqual([0]);
    expect(results(submitted!)).toEqual([
      [0, 'op.beacon'],
      [-E.ACCES, 'filter.deny'],
      [-E.INVAL, 'op.beacon.prep'],
    ]);
  });

  it('its rules are registered', () => {
    expect(house.ruleById('op.beacon')).toMatchObject({ source: 'io_uring_enter(2), IORING_OP_BEACON' });
    expect(house.ruleById('op.beacon.prep')).toBeDefined();
  });

  it('case files name it', () => {
    const text = house.printCaseFile({ ringfence: 1, scenario: filtered });
    expect(text.match(/"BEACON"/g)).toHaveLength(4);
    expect(text).toContain('beacon.channel');
    expect(house.parseCaseFile(text)).toEqual({ ok: true, file: { ringfence: 1, scenario: filtered } });
    expect(JSON.stringify(house.caseSchema())).toContain('|BEACON)');
  });

  it('text names it, its payload and what it means', () => {
    const text = house.printScenario(filtered, abi);
    expect(text).toContain('{opcode=BEACON, pdu_size=8, prog: 4 insns}');
    expect(text).toContain('beacon.channel');
    expect(text).toContain('BEACON user_data=0x1 len=1 op_flags=255 ; beacon(1, 0xff)');
    expect(house.CONTEXT_OFFSETS).toMatchObject({ 'beacon.channel': 16, 'beacon.colour': 20 });
  });

  it('explain tells its payload, of a scenario and of a filter alone', () => {
    const told = house.formatExplanation(house.explain(filtered, abi));
    expect(told).toContain('opcode=BEACON sqe_flags=0 pdu_size=8 channel=1 colour=255');
    const alone = house.explainFilter({ program, opcode }, abi);
    expect(alone).toMatchObject({ opcode_name: 'BEACON', pdu_size: 8 });
    expect(alone.requests.map(({ context, allowed }) => [context!.at(-2), allowed])).toEqual([
      [['channel', '1'], true],
      [['channel', '2'], false],
      [['channel', '3'], false],
    ]);
  });

  it('generators draw it, behind filters that read its payload', () => {
    const drawn = Array.from({ length: 400 }, (_, n) => house.scenarioAt('opcode-context', abi, 1, n)).map(
      ({ steps }) => steps,
    );
    const reads = (step: Step): boolean =>
      step.do === 'register_bpf_filter' &&
      step.arg.opcode === opcode &&
      step.arg.program.some(({ code, k }) => code === 0x20 && k >= PAYLOAD_OFFSET && k < PAYLOAD_OFFSET + 8);
    const submits = (step: Step): boolean => step.do === 'submit' && step.sqes.some((sqe) => sqe.opcode === opcode);
    expect(drawn.filter((steps) => steps.some(reads) && steps.some(submits)).length).toBeGreaterThan(3);
    // Kernels that do not have it are not asked for it.
    for (const suite of SUITE_NAMES) {
      for (let n = 0; n < 8; n++) expect(house.scenarioAt(suite, house.ABI_7_0, 1, n).suite).toBe(suite);
    }
  });
});

describe('a register opcode: a row of its family', async () => {
  const family = 'oracle/register/personality.ts';
  const opcode = 38;
  const changes = {
    [family]: withLines(
      family,
      '} satisfies RegisterFamily;',
      `
  /** IORING_REGISTER_BEACONS: says how many beacons there are. */
  REGISTER_BEACONS: {
    opcode: ${opcode},
    since: '7.4',
    rule: rule('register.beacons', 'man', 'Registering beacons answers their number.', 'io_uring_register(2), BEACONS'),
    onRing: ({ nr_args }) => reply(nr_args),
    forms: [call('three', 3, NULL)],
  },
`,
    ),
  };
  const { house, checked } = await grown(changes);
  const abi = documented(house, '7.4');
  const call = (nrArgs: number, on: Target = RING): Step => ({ task: 0, do: 'register', on, opcode, nr_args: nrArgs });
  const restricted = scenario(
    ring(IORING_SETUP.R_DISABLED),
    {
      task: 0,
      do: 'register_restrictions',
      on: RING,
      nr_args: 1,
      arg: ringRestrictions([restriction(IORING_RESTRICTION.REGISTER_OP, opcode)]),
    },
    { task: 0, do: 'register', on: RING, opcode: house.IORING_REGISTER.REGISTER_ENABLE_RINGS, nr_args: 0 },
    call(5),
    { task: 0, do: 'register', on: RING, opcode: house.IORING_REGISTER.REGISTER_PERSONALITY, nr_args: 0 },
  );

  it('one file is touched', () => {
    expect(Object.keys(changes)).toEqual([family]);
    expect(changes[family].length).toBeGreaterThan(workshop.sources.get(family)!.length);
  });

  it('the types follow', () => {
    expect(checked).toMatchObject({ ok: true, stdout: '' });
  });

  it('the documented interface has it from its release on', () => {
    expect([house.ABI_7_0.register_last, documented(house, '7.3').register_last]).toEqual([opcode, opcode]);
    expect(abi.register_last).toBe(opcode + 1);
  });

  it('a kernel that has it is seen to have it: the probed window covers it', async () => {
    const found = await probed(house, abi);
    expect(found.register_last).toBe(opcode + 1);
    expect(house.judgedAbi(found).oddities).toEqual([]);
  });

  it('the prediction answers by it, and by its rule', () => {
    const [, answered, blind] = house.predict(scenario(ring(), call(3), call(3, { kind: 'task' })), abi).steps;
    expect(answered).toMatchObject({ returns: [3], rule: 'register.beacons' });
    expect(blind!.returns).toEqual([-E.INVAL]);
    expect(house.ruleById('register.beacons')?.statement).toBe('Registering beacons answers their number.');
    const [, older] = house.predict(scenario(ring(), call(3)), house.ABI_7_0).steps;
    expect(older!.returns).toEqual([-E.INVAL]);
  });

  it('an allowlist can name it', () => {
    const { steps } = house.predict(restricted, abi);
    expect(steps.slice(1).map(({ returns }) => returns)).toEqual([[0], [0], [5], [-E.ACCES]]);
    expect(house.predict(restricted, house.ABI_7_0).steps[1]!.returns).toEqual([-E.INVAL]);
  });

  it('case files and text name it', () => {
    const text = house.printCaseFile({ ringfence: 1, scenario: restricted });
    expect(text.match(/"REGISTER_BEACONS"/g)).toHaveLength(2);
    expect(house.parseCaseFile(text)).toEqual({ ok: true, file: { ringfence: 1, scenario: restricted } });
    const printed = house.printScenario(restricted, abi);
    expect(printed).toContain('REGISTER_OP REGISTER_BEACONS');
    expect(printed).toContain('io_uring_register(ring 0, IORING_REGISTER_BEACONS, NULL, nr_args=5)');
  });

  it('generators draw it', () => {
    const drawn = Array.from({ length: 400 }, (_, n) => house.scenarioAt('arguments', abi, 1, n));
    const calls = drawn.flatMap(({ steps }) => steps).filter((step) => step.do === 'register');
    expect(calls.some((step) => step.opcode === opcode && step.nr_args === 3)).toBe(true);
  });
});
