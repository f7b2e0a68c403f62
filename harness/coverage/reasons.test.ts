import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readFeature, readReasons } from './reasons.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-reasons-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;
const file = (content: unknown): string => {
  const path = join(dir, `${++files}.json`);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const REASON = {
  file: 'net/tea.c',
  function: 'pour',
  line: '0123abcd#2',
  branches: [0, 3],
  kind: 'impossible',
  why: 'There is always tea.',
};
const reasons = (...list: readonly object[]): object => ({ linux: '7.3.4', compiler: 'gcc 12.2.0', reasons: list });

describe('files of reasons', () => {
  it('are read one after the other', () => {
    const other = { ...REASON, branches: [1] };
    expect(readReasons([file(reasons(REASON)), file(reasons(other))])).toEqual([REASON, other]);
  });

  it.each([
    ['no JSON', '{', /JSON/],
    ['another kind', reasons({ ...REASON, kind: 'lazy' }), /reasons\[0\]\.kind/],
    ['a line without a digest', reasons({ ...REASON, line: '74' }), /eight hexadecimal digits/],
    ['an empty reason', reasons({ ...REASON, why: ' ' }), /not empty/],
    ['a path out of the tree', reasons({ ...REASON, file: '../x.c' }), /path of a \.c file/],
    ['two reasons for one branch', reasons(REASON, { ...REASON, branches: [3] }), /branch 3 of net\/tea\.c has two/],
    ['nothing known of it', { linux: '7.3.4', reasons: [] }, /compiler/],
  ])('with %s are refused', (_, content, message) => {
    expect(() => readReasons([file(content)])).toThrow(message);
  });

  it('that are not there are told', () => {
    expect(() => readReasons([join(dir, 'none.json')])).toThrow(/none\.json cannot be read/);
  });
});

describe('the list of functions', () => {
  it('names each file once', () => {
    const tea = { file: 'net/tea.c', functions: ['pour'] };
    expect(readFeature(file({ about: 'Tea.', files: [tea] }))).toEqual([tea]);
    expect(() => readFeature(file({ about: 'Tea.', files: [tea, tea] }))).toThrow(/net\/tea\.c is there twice/);
  });
});
