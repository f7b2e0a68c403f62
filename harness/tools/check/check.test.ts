/** Each check is seen to fail: a deliberate breach in a scratch directory, with the project's own configuration. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { $ } from 'zx';
import type { Plan } from './house.ts';
import { arrowsOf, faults } from './house.ts';
import { undocumented, wideLines } from './text.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-check-'));
  for (const name of ['biome.jsonc', '.oxlintrc.json', 'tsconfig.json', 'knip.json', '.clang-format', 'package.json']) {
    copyFileSync(join(ROOT, name), join(dir, name));
  }
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Runs a program of the project in the scratch directory on these files alone. */
async function run(argv: readonly string[], files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text);
  }
  const { exitCode, stdout, stderr } = await $({ cwd: dir, nothrow: true, quiet: true, preferLocal: ROOT })`${argv}`;
  for (const name of Object.keys(files)) rmSync(join(dir, name));
  return exitCode === 0 ? '' : stdout + stderr;
}

const long = (lines: number): string =>
  `export function long(at: number[]): void {\n${'  at.push(1);\n'.repeat(lines)}}\n`;
const nest = '  if (a > 1) { if (a > 2) { for (;;) { if (a > 3) { n++; break; } } } }\n';
const tangled = `export function tangled(a: number): number {\n  let n = 0;\n${nest.repeat(3)}  return n;\n}\n`;

describe('lint', () => {
  test.each([
    ['noExcessiveLinesPerFunction', 'a.ts', long(61)],
    ['noExcessiveCognitiveComplexity', 'a.ts', tangled],
    ['useFilenamingConvention', 'a_b.ts', 'export const one = 1;\n'],
    ['useNamingConvention', 'a.ts', 'export const our_own = 1;\n'],
    ['useNamingConvention', 'a.ts', 'export function our_own(): void {}\n'],
    ['useNamingConvention', 'a.ts', 'export const f = (our_own: number): number => our_own;\n'],
    ['useNamingConvention', 'a.ts', 'export class our_own {}\n'],
    ['noUnusedVariables', 'a.ts', 'export function f(): void {\n  const unused = 1;\n}\n'],
    ['noExplicitAny', 'a.ts', 'export const f = (a: any): unknown => a;\n'],
  ])('%s: %s', async (rule, name, text) => {
    expect(await run(['biome', 'lint', '--error-on-warnings', name], { [name]: text })).toContain(rule);
  });

  test('names that are the kernel’s pass', async () => {
    const text = 'export const f = ({ op_last }: { op_last: number }): object => ({ pdu_size: op_last });\n';
    expect(await run(['biome', 'lint', '--error-on-warnings', 'a.ts'], { 'a.ts': text })).toBe('');
  });

  test('format', async () => {
    expect(await run(['biome', 'format', 'a.ts'], { 'a.ts': 'export const  one = "1"\n' })).not.toBe('');
  });
});

test.each([
  ['no-floating-promises', 'export function f(p: Promise<void>): void {\n  p;\n}\n'],
  ['no-misused-promises', 'export const f = (p: Promise<boolean>): number => (p ? 1 : 2);\n'],
  ['await-thenable', 'export const f = async (): Promise<number> => await 1;\n'],
  ['no-unsafe-assignment', 'export const f = (): string => {\n  const a: string = JSON.parse("1");\n  return a;\n};\n'],
  ['switch-exhaustiveness-check', "export function f(a: 'x' | 'y'): void {\n  switch (a) {\n    case 'x':\n  }\n}\n"],
])('lint with types: %s', async (rule, text) => {
  expect(await run(['oxlint', '--type-aware', '--deny-warnings', 'oracle'], { 'oracle/a.ts': text })).toContain(rule);
});

test.each([
  ['an unused local', 'export function f(): void {\n  const a = 1;\n}\n', 'TS6133'],
  ['an index that may be absent', 'export const f = (a: number[]): number => a[0];\n', 'TS2322'],
  ['an enum', 'export enum A { b }\n', 'TS1294'],
])('types: %s', async (_, text, code) => {
  expect(await run(['tsc', '--noEmit'], { 'oracle/a.ts': text })).toContain(code);
});

test('page: its script, which is JavaScript', async () => {
  const config = 'reports/html/page/tsconfig.json';
  const files = {
    [config]: readFileSync(join(ROOT, config), 'utf8'),
    'reports/html/page/page.js': "document.getElementById('theme').hidden = true;\n",
  };
  expect(await run(['tsc', '--noEmit', '-p', 'reports/html/page'], files)).toContain('TS2531');
});

test('unused: a file and an export that nobody imports', async () => {
  const files = {
    'harness/bin/ringfence.js': "import '../cli/main.ts';\n",
    'harness/cli/main.ts': "import { used } from './a.ts';\nused();\n",
    'harness/cli/a.ts': 'export function used(): void {}\nexport function unused(): void {}\n',
    'harness/cli/b.ts': 'export const nobody = 1;\n',
  };
  const said = await run(['knip', '--include', 'files,exports'], files);
  expect(said).toContain('harness/cli/b.ts');
  expect(said).toMatch(/unused .*harness\/cli\/a\.ts/);
});

describe('the house', () => {
  const plan = JSON.parse(readFileSync(new URL('house.json', import.meta.url), 'utf8')) as Plan;
  const check = (arrows: Record<string, readonly string[]>): readonly string[] =>
    faults(plan, new Map(Object.entries(arrows)));

  test('a room that may not know another', () => {
    expect(check({ 'oracle/predict.ts': ['harness/run/run.ts'] })).toHaveLength(1);
    expect(check({ 'reports/text/summary.ts': ['harness/run/run.ts'] })).toHaveLength(1);
    expect(check({ 'harness/run/run.ts': ['oracle/predict.ts'] })).toEqual([]);
  });
  test('an arrow upward, and a folder without a floor', () => {
    expect(check({ 'oracle/bpf/asm.ts': ['oracle/model/world.ts'] })).toHaveLength(1);
    expect(check({ 'oracle/model/world.ts': ['oracle/bpf/asm.ts'] })).toEqual([]);
    expect(check({ 'oracle/attic/a.ts': ['oracle/bpf/asm.ts'] })).toHaveLength(1);
  });
  test('a circle', () => {
    const arrows = {
      'vm/host/a.ts': ['vm/host/b.ts'],
      'vm/host/b.ts': ['vm/host/c.ts'],
      'vm/host/c.ts': ['vm/host/a.ts'],
    };
    expect(check(arrows)).toEqual(['circle: vm/host/a.ts -> vm/host/b.ts -> vm/host/c.ts -> vm/host/a.ts']);
  });
  test('arrows are read from imports and exports, types included', () => {
    mkdirSync(join(dir, 'rooms/attic'), { recursive: true });
    const text = "import type { A } from './b.ts';\nexport { c } from '../cellar/c.ts';\nexport * from './d.ts';\n";
    writeFileSync(join(dir, 'rooms/attic/a.ts'), text);
    expect(arrowsOf(join(dir, 'rooms'), ['attic'])).toEqual(
      new Map([['attic/a.ts', ['attic/b.ts', 'cellar/c.ts', 'attic/d.ts']]]),
    );
  });
});

describe('text', () => {
  test('wide lines, tabs as drawn', () => {
    expect(wideLines('a.ts', `${'x'.repeat(120)}\n${'x'.repeat(121)}\n`)).toEqual(['a.ts:2: 121 columns, at most 120']);
    expect(wideLines('a.c', `\t${'x'.repeat(113)}`)).toEqual(['a.c:1: 121 columns, at most 120']);
  });
  test('an export without a docstring', () => {
    const text = '/** One. */\nexport const one = 1;\nexport const two = 2;\n// Three.\nexport type Three = 3;\n';
    expect(undocumented('a.ts', text)).toEqual([
      'a.ts:3: an export without a docstring',
      'a.ts:5: an export without a docstring',
    ]);
  });
});
