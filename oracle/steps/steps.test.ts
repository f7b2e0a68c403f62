/** The table of steps is whole: what holds for every kind, whichever there are. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeScenario } from '../case/frame.ts';
import { caseSchema, fromJson, toJson } from '../case/json.ts';
import { ringSlot, taskId } from '../json/parts.ts';
import { predict } from '../predict.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { RULES } from '../registry.ts';
import type { Field } from '../schema/codec.ts';
import { anyStepOf } from '../testing/scenarios.ts';
import { renumbered, STEPS, tasksOf } from './index.ts';
import type { AnySpec, Scenario, Step } from './index.ts';
import { Tracked } from './tracked.ts';
import type { Operation } from './wire.ts';

// A fixed seed: a gate must not flake.
const CHECKS = { seed: 11, numRuns: 150 };
const HEAD = 32;
const STEP_HEAD = 8;
const BYTES = { u8: 1, u32: 4, s32: 4, u64: 8 } as const;

const alone = (step: Step): Scenario => ({ version: 1, fixtures: [], jit: true, steps: [step] });
const encoded = (step: Step): Uint8Array =>
  encodeScenario(alone(step), { id: 1, deadline_ms: 1, waits: [3], wants: [5], owns: [2] }).subarray(HEAD);
const kinds = Object.values(STEPS);

const ajv = new Ajv2020({ strictTuples: false, strictRequired: false, ownProperties: true, unicodeRegExp: false });
ajv.addSchema(caseSchema(), 'case');

/** Bytes of an operation without its tail. */
function fixedSize({ fields }: Operation): number {
  const size = fields.reduce((sum, { type, length = 1 }) => sum + BYTES[type] * length, STEP_HEAD);
  return (size + 7) & ~7;
}

describe.each(kinds.map((spec) => [spec.kind, spec] as const))('%s', (kind, spec) => {
  const steps = anyStepOf(spec);
  const always = (holds: (step: Step) => void): void =>
    fc.assert(
      fc.property(steps, (step) => {
        holds(step);
      }),
      CHECKS,
    );

  test('comes back from JSON, and the schema takes it', () => {
    const valid = ajv.getSchema(`case#/$defs/${kind}`)!;
    always((step) => {
      const json = JSON.parse(JSON.stringify(toJson(alone(step)))) as { readonly steps: readonly unknown[] };
      expect(fromJson(json)).toEqual({ ok: true, scenario: alone(step) });
      expect([valid(json.steps[0]), valid.errors]).toEqual([true, null]);
      expect(valid({ ...(json.steps[0] as object), other: 1 })).toBe(false);
    });
  });

  test('goes to the runner as its operation says', () => {
    const { operation } = spec.wire;
    always((step) => {
      const bytes = encoded(step);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      expect([bytes[0], bytes[1], view.getUint16(2), view.getUint32(4, true)]).toEqual([
        operation.number,
        step.task,
        0,
        bytes.length,
      ]);
      const rest = bytes.length - fixedSize(operation);
      expect(rest % 8).toBe(0);
      if (operation.tail === undefined) expect(rest).toBe(0);
      else expect(rest % (BYTES[operation.tail.type] * (operation.tail.length ?? 1))).toBe(0);
    });
  });

  test.each(Object.keys(spec.json))('the runner is told of %s', (member) => {
    const told = fc.sample(fc.tuple(steps, steps), { seed: 12, numRuns: 200 }).some(([one, other]) => {
      const value = (other as unknown as Record<string, unknown>)[member];
      const changed = { ...one, [member]: value } as Step;
      return !Buffer.from(encoded(one)).equals(encoded(changed));
    });
    expect(told).toBe(true);
  });

  test('is one line of text', () => {
    always((step) => expect(spec.text(step, ABI_7_0)).toMatch(/^(?!.*(undefined|NaN|\[object))\S.*\S$/));
  });

  test('is predicted by rules that exist', () => {
    always((step) => {
      const by = { ...step, task: 0 };
      const { steps: predicted, hits } = predict(alone(by), ABI_7_0);
      expect(predicted[0]!.reached).toBe(true);
      for (const rule of [predicted[0]!.rule, ...hits.keys()]) expect(RULES[rule], rule).toBeDefined();
      expect(predict(alone({ ...step, task: 9 }), ABI_7_0).steps[0]!.reached).toBe(false);
    });
  });

  test('its own rules are in the registry', () => {
    for (const [id, rule] of Object.entries(spec.rules ?? {})) expect(RULES[id]).toBe(rule);
  });

  test('a refused step leaves no trace', () => {
    always((step) => {
      const tracked = new Tracked();
      const verdict = spec.track?.(tracked, tracked.tasks.get(0)!, step);
      if (typeof verdict === 'string') expect(tracked).toEqual(new Tracked());
    });
  });

  test('smaller ones are of its kind, can be carried out, and come to an end', () => {
    always((step) => {
      let least = step;
      for (let rounds = 0; ; rounds++) {
        expect(rounds).toBeLessThan(1000);
        const next = [...(spec.shrink?.(least) ?? [])].find((one) => size(spec, one) < size(spec, least));
        if (next === undefined) break;
        expect([next.do, next.task]).toEqual([kind, step.task]);
        if (carried(spec, least)) expect(carried(spec, next)).toBe(true);
        expect(fromJson(toJson(alone(next))).ok).toBe(true);
        least = next;
      }
      expect(size(spec, least)).toBeLessThanOrEqual(size(spec, step));
    });
  });

  test('numbers of tasks and rings can be changed, and changed back', () => {
    always((step) => {
      const up = renumbered(
        step,
        (task) => task + 20,
        (ring) => ring + 20,
      );
      expect(tasksOf(up)).toEqual(tasksOf(step).map((task) => task + 20));
      expect(tasksOf(up)).toContain(up.task);
      const back = renumbered(
        up,
        (task) => task - 20,
        (ring) => ring - 20,
      );
      expect(back).toEqual(step);
      // Whatever is a number of a task or a ring has been moved.
      const made = spec.makes?.(step) ?? {};
      expect(spec.makes?.(up) ?? {}).toEqual({
        ...made,
        ...(made.ring === undefined ? {} : { ring: made.ring + 20 }),
        ...(made.task === undefined ? {} : { task: made.task + 20 }),
      });
    });
  });

  test('members that number tasks and rings are known as such', () => {
    for (const [member, { codec }] of Object.entries<Field<unknown>>(spec.json)) {
      if (codec.decode === taskId.decode) expect(spec.tasks).toContain(member);
      if (codec.decode === ringSlot.decode) expect(member).toBe('ring');
    }
  });

  test('its SQEs can be replaced', () => {
    expect(spec.withRequests === undefined).toBe(spec.requests === undefined);
    always((step) => {
      const sqes = [{ opcode: 7 }];
      const replaced = spec.withRequests?.(step, sqes);
      if (replaced !== undefined) expect(spec.requests!(replaced)).toEqual(sqes);
    });
  });
});

function size(spec: AnySpec, step: Step): number {
  const own = spec.size?.(step) ?? 0;
  return own + ('on' in step && step.on.kind !== 'ring' ? 1 : 0);
}

function carried(spec: AnySpec, step: Step): boolean {
  const tracked = new Tracked();
  return (spec.check?.(step) ?? true) === true && (spec.track?.(tracked, tracked.tasks.get(0)!, step) ?? true) === true;
}

test('operations and calls have a number and a name of their own, and fields that C can lay out', () => {
  const operations = new Set(kinds.map(({ wire }) => wire.operation));
  const numbers = [...operations].map(({ number }) => number);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(numbers.map((_, i) => i + 1));
  expect(new Set([...operations].map(({ name }) => name)).size).toBe(operations.size);
  const calls = new Set(kinds.flatMap(({ wire }) => wire.call ?? []));
  expect(new Set([...calls].map(({ number }) => number)).size).toBe(calls.size);
  expect(new Set([...calls].map(({ name }) => name)).size).toBe(calls.size);
  for (const { name, fields, tail } of operations) {
    const names = [...fields.map((field) => field.name), ...(tail === undefined ? [] : [tail.name])];
    expect(new Set(names).size, name).toBe(names.length);
    for (const one of [name, ...names]) expect(one).toMatch(/^[a-z][a-z0-9_]*$/);
    let at = STEP_HEAD;
    for (const { name: field, type, length = 1 } of fields) {
      expect(at % BYTES[type], `${name}.${field}`).toBe(0);
      at += BYTES[type] * length;
    }
  }
});

test('a kind stands under its own name', () => {
  for (const [kind, spec] of Object.entries(STEPS)) expect(spec.kind).toBe(kind);
});
