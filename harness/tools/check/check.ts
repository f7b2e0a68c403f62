/**
 * `npm run check`: everything that can be said of the source without running it. All checks run, whatever became of
 * the one before; `npm run check -- lint types` runs some of them.
 */
import { fileURLToPath } from 'node:url';
import { $ } from 'zx';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Name -> command line, cheapest first. Programs of node_modules/.bin are found by name. */
const CHECKS: Readonly<Record<string, { readonly what: string; readonly argv: readonly string[] }>> = {
  format: { what: 'TypeScript is formatted (mend: npm run format)', argv: ['biome', 'format', '.'] },
  c: { what: 'the runner is formatted, and compiles without a warning', argv: ['bash', 'vm/runner/check.sh'] },
  text: {
    what: 'no line over 120 columns, a docstring for each export',
    argv: ['node', 'harness/tools/check/text.ts'],
  },
  house: { what: 'rooms, floors, no circles of imports', argv: ['node', 'harness/tools/check/house.ts'] },
  lint: {
    what: 'names, length and complexity of functions',
    argv: ['biome', 'lint', '--error-on-warnings', '.'],
  },
  types: { what: 'TypeScript finds nothing', argv: ['tsc', '--noEmit'] },
  page: { what: 'types of the script of the HTML page', argv: ['tsc', '--noEmit', '-p', 'reports/html/page'] },
  typed: { what: 'what needs types to see: promises, any', argv: ['oxlint', '--type-aware', '--deny-warnings'] },
  unused: { what: 'unused files, exports and packages', argv: ['knip'] },
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !Object.hasOwn(CHECKS, name));
if (unknown.length > 0) {
  console.error(`there is no check "${unknown[0]}"; checks are ${Object.keys(CHECKS).join(', ')}`);
  process.exit(2);
}
const failed: string[] = [];
for (const [name, { what, argv }] of Object.entries(CHECKS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const result = await $({ cwd: ROOT, nothrow: true, quiet: true, preferLocal: ROOT })`${argv}`;
  console.log(`${result.exitCode === 0 ? 'ok    ' : 'FAILED'} ${name}: ${what}`);
  if (result.exitCode === 0) continue;
  failed.push(name);
  process.stdout.write(result.stdout + result.stderr);
}
if (failed.length > 0) console.log(`\nfailed: ${failed.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
