import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { programs } from '../../oracle/testing/needs.ts';
import { formatJunit, xmlText } from './junit.ts';
import { matrixPoints, runPoints } from './points.ts';
import { FOUR_KERNELS, MATRIX_RESULTS } from '../testing/matrices.ts';
import { BAD, GOOD } from '../testing/results.ts';
import type { RunResult } from '../data/result.ts';

const CONSOLE =
  ']]> </failure> <testcase name="injected"/> & &lt; "\' ' +
  '\u0000\u0008\u000b\u001b\u007f\u009f\ufffe\uffff \ud800 \udc00 \u{1f600} \r\n\t end';
const HOSTILE: RunResult = {
  ...BAD,
  command: `npx ringfence "<&>" ${CONSOLE}`,
  crashes: [{ ...BAD.crashes[0]!, title: CONSOLE, console: CONSOLE }],
};

test('a divergence, a crash, a known finding', () => {
  const xml = formatJunit([runPoints(BAD)]);
  expect(xml.split('\n').slice(0, 3)).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    '  <testsuite name="run" package="ringfence" id="0" timestamp="2026-11-22T04:00:00" hostname="localhost"' +
      ' tests="5" failures="0" errors="2" skipped="1" time="252.400">',
  ]);
  expect(xml).toContain(
    '<testcase name="filter.deny-rest.kept" classname="ringfence.rules.filter" time="0.000">\n' +
      '      <failure message="predicted user_data 0x1: -EACCES; observed user_data 0x1: 5" type="divergence">' +
      'reached 0 times\nrule: A filter',
  );
  expect(xml).toContain('<error message="WARNING: io_uring/io_uring.c:1234 io_submit_sqe" type="crash">');
  expect(xml).toContain(
    '<skipped message="known finding: A filter that a parent registers after fork reaches the child">',
  );
  expect(xml).toContain('<property name="seed" value="1"/>');
});

test('a matrix names its kernels', () => {
  const xml = formatJunit(matrixPoints(FOUR_KERNELS, MATRIX_RESULTS));
  expect(xml).toContain('<testsuite name="7.0.13: rules.filter"');
  expect(xml).toContain('classname="ringfence.7_0_13.rules.filter"');
  expect([...xml.matchAll(/ id="(\d+)"/g)].map(([, id]) => Number(id))).toEqual(
    [...xml.matchAll(/<testsuite /g)].map((_, i) => i),
  );
});

test('what XML cannot hold is written by number', () => {
  expect(xmlText('\u0000\u001b\u0085\ufffe\ud800<&>"\'\r\n\r\t\u{1f600}')).toBe(
    "\\x00\\x1b\\x85\\xfffe\ufffd&lt;&amp;&gt;&quot;'\n\n\t\u{1f600}",
  );
  const xml = formatJunit([runPoints(HOSTILE)]);
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|injected"\/>/);
  expect(xml.isWellFormed()).toBe(true);
});

/** Counts of a suite are those of its cases. */
test.each([
  ['good', GOOD],
  ['bad', BAD],
  ['hostile', HOSTILE],
])('%s: counts agree', (_, result) => {
  for (const [, attributes, body] of formatJunit([runPoints(result)]).matchAll(
    /<testsuite ([^>]*)>([^]*?)<\/testsuite>/g,
  )) {
    const told = (name: string): number => Number(new RegExp(` ${name}="(\\d+)"`).exec(attributes!)![1]);
    const count = (pattern: RegExp): number => [...body!.matchAll(pattern)].length;
    expect([told('tests'), told('failures'), told('errors'), told('skipped')]).toEqual([
      count(/<testcase /g),
      count(/<failure /g),
      count(/<error /g),
      count(/<skipped /g),
    ]);
  }
});

const XMLLINT = programs('xmllint=libxml2-utils');
describe.skipIf(XMLLINT.missing)(XMLLINT.of('xmllint'), () => {
  test.each([
    ['good', GOOD],
    ['bad', BAD],
    ['hostile', HOSTILE],
  ])('%s is well formed', (_, result) => {
    const { status, stderr } = spawnSync('xmllint', ['--noout', '-'], {
      input: formatJunit([runPoints(result)]),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
