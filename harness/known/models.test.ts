/** Findings and their models: one id each, and each model decides what its finding is about. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compare } from '../../oracle/judge/compare.ts';
import { predict } from '../../oracle/predict.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { pointsOf, QUIRK_IDS } from '../../oracle/quirks/index.ts';
import { obedient } from '../testing/fake-guest.ts';
import { loadFindings, quirksOf } from './findings.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-findings-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('each finding has a model, and each model a finding', () => {
  expect(loadFindings().map(({ id }) => id)).toEqual([...QUIRK_IDS].sort());
});

describe.each(loadFindings())('$id', (finding) => {
  // CONNECT shows filters its address from 7.2 on.
  const abi = { ...ABI_7_0, pdu_size: ABI_7_0.pdu_size.map((size, opcode) => (opcode === 16 ? 24 : size)) };
  const { scenario } = finding;
  const pure = predict(scenario, abi);
  const faulty = { steps: obedient(predict(scenario, abi, { quirks: quirksOf([finding]) }).steps) };

  test('its case asks for what its model decides', () => {
    expect(pointsOf(finding.id).filter((point) => pure.asked.has(point))).toEqual(pointsOf(finding.id));
  });
  test('its model answers otherwise there, and its rule had a say', () => {
    expect(compare(pure, faulty).difference).toBeDefined();
    expect(pure.hits.has(finding.rule)).toBe(true);
  });
});

test('a finding of an earlier version names its model as well; one that has none is an error', () => {
  const [known] = QUIRK_IDS;
  const text = readFileSync(new URL(`../../suites/findings/${known!}.json`, import.meta.url), 'utf8');
  writeFileSync(join(dir, 'a.json'), text.replace('"rule":', '"model": "former-name", "rule":'));
  expect(loadFindings(dir).map(({ id }) => id)).toEqual([known]);
  writeFileSync(join(dir, 'a.json'), text.replace(`"id": "${known!}"`, '"id": "other"'));
  expect(() => loadFindings(dir)).toThrow('has no model of "other"');
});
