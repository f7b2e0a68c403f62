import { expect, test } from 'vitest';
import { githubAnnotations, githubMatrixAnnotations, workflowCommand } from './annotations.ts';
import { githubMatrixSummary, githubSummary } from './job-summary.ts';
import { FOUR_KERNELS, MATRIX_RESULTS } from '../testing/matrices.ts';
import { BAD, GOOD } from '../testing/results.ts';
import type { RunResult } from '../data/result.ts';

test('nothing in a text ends its workflow command', () => {
  expect(workflowCommand({ level: 'error', title: 'a: b, c%\n::x', text: '100 %\r\n::set-output name=x::y' })).toBe(
    '::error title=a%3A b%2C c%25%0A%3A%3Ax::100 %25%0D%0A::set-output name=x::y',
  );
});

test('annotations', () => {
  const lines = githubAnnotations(BAD, 'my out').trimEnd().split('\n');
  expect(lines.map((line) => line.replace(/::(.*?)::.*/, '$1'))).toEqual([
    'error title=filter.deny-rest.kept broken on Linux 7.0.13+deb13-cloud-amd64',
    'error title=WARNING on Linux 7.0.13+deb13-cloud-amd64',
    'error title=hang on Linux 7.0.13+deb13-cloud-amd64',
    'error title=blind-register-unrestricted did not show on Linux 7.0.13+deb13-cloud-amd64',
    'error title=expectation gate-17',
    'error title=expectation gate-18',
    'warning title=unconfirmed link.cancel on Linux 7.0.13+deb13-cloud-amd64',
    'notice title=1 known finding on Linux 7.0.13+deb13-cloud-amd64',
  ]);
  expect(lines[0]).toContain("%0Anpx ringfence replay 'my out/divergences/001.json'");
  expect(githubAnnotations(GOOD)).toBe('');
  const { policy: _, ...lenient } = BAD;
  expect(githubAnnotations(lenient)).toMatch(
    /^::warning title=blind-register-unrestricted[^]*^::warning title=expectation gate-17/m,
  );
});

test('no more than GitHub shows; the rest is counted', () => {
  const lines = githubAnnotations({ ...BAD, divergences: Array.from({ length: 30 }, () => BAD.divergences[0]!) })
    .trimEnd()
    .split('\n')
    .filter((line) => line.startsWith('::error'));
  expect(lines).toHaveLength(10);
  expect(lines[9]).toBe('::error title=ringfence::26 more; see the job summary');
});

test('the summary', () => {
  const text = githubSummary(BAD);
  expect(text).toMatch(
    /^## Not conformant: Linux 7\.0\.13&#43;deb13&#45;cloud&#45;amd64\n\n1 divergence, 1 crash, 1 hang\n/,
  );
  expect(text).toContain('<details open><summary><code>filter.deny&#45;rest.kept</code> is broken:');
  expect(text).toContain('```text\nnpx ringfence replay out/divergences/001.json\n```');
  expect(githubSummary(GOOD)).toMatch(/^## Conformant/);
});

test('a hostile console stays a console', () => {
  const evil = '```\n</details><script>alert(1)</script>\n| x | @someone #1 ![](http://x) $`'.repeat(3);
  const text = githubSummary({
    ...BAD,
    crashes: [{ ...BAD.crashes[0]!, title: evil, console: `${evil}\n${'y\n'.repeat(1000)}` }],
    unconfirmed: [{ ...BAD.unconfirmed[0]!, detail: evil }],
  } satisfies RunResult);
  expect(text).toContain('````text\n```\n</details><script>');
  const outside = text.replace(/^(`{3,})text\n[^]*?\n\1$/gm, '');
  expect(outside).not.toMatch(/<script|@someone|!\[|\$/);
  expect(text).toContain('more lines');
  for (const line of outside.split('\n').filter((one) => one.startsWith('|'))) expect(line).toMatch(/^\|.*\|$/);
});

test('a matrix', () => {
  const lines = githubMatrixAnnotations(FOUR_KERNELS, MATRIX_RESULTS);
  expect(lines).toContain('npx ringfence replay out/7.0.13/divergences/001.json');
  expect(lines).toContain('::error title=Linux 7.9.9%3A unavailable::not at the mirror\n');
  expect(lines).not.toContain('6.19.14');
  const text = githubMatrixSummary(FOUR_KERNELS);
  expect(text).toContain(
    '| <code>filter.deny&#45;rest.kept</code> |  | **broken** | kept |  | broken on 7.0.13, kept from 7.3.4 |',
  );
});
