import { describe, expect, test } from 'vitest';
import { BadRange, inRange, parseRange } from './kernel-ranges.ts';

describe('in', () => {
  test.each<[string, string[], string[]]>([
    [
      '>=7.0.4 <7.1.8',
      ['7.0.4', '7.0.13+deb13-cloud-amd64', '7.1.7', '7.1-rc1'],
      ['7.0.3', '7.0', '7.1.8', '7.1.8-custom', '7.2', '6.19'],
    ],
    ['>= 7.0.4  < 7.1.8', ['7.0.4'], ['7.1.8']],
    ['7.0.* || >=7.2.6 <=7.2.11', ['7.0', '7.0.99', '7.2.6', '7.2.11-x'], ['7.1.0', '7.2.12', '7.2.5']],
    ['7.x', ['7.0', '7.99.1', '7.3-rc1'], ['8.0', '6.9']],
    ['7.3-rc7', ['7.3-rc7', '7.3.0-rc7+'], ['7.3', '7.3-rc6']],
    ['<7.3', ['7.3-rc7', '7.2.13'], ['7.3', '7.3.4']],
    ['<7.3-rc1', ['7.2.13'], ['7.3-rc1', '7.3']],
    ['>7.3', ['7.3.1'], ['7.3', '7.3-rc7']],
    ['7.0.13', ['7.0.13', '7.0.13+deb13-cloud-amd64'], ['7.0.12', '7.0']],
    ['=7.0.13+deb13-cloud-amd64', ['7.0.13+deb13-cloud-amd64'], ['7.0.13', '7.0.13+deb13-amd64']],
    [
      '>=7.0.0-38 <7.0.0-42',
      ['7.0.0-38-generic', '7.0.0-41-generic', '7.0.0-41.2-azure'],
      ['7.0.0', '7.0.0-37-generic', '7.0.0-42-generic', '7.0.1', '7.0-rc7'],
    ],
    ['<=7.0.0', ['7.0.0-38-generic', '7.0'], ['7.0.1-1-generic']],
    ['*', ['7.0', 'next-20261122'], []],
    ['7.0.*', [], ['next-20261122']],
  ])('%s', (text, inside, outside) => {
    const range = parseRange(text);
    expect([...inside, ...outside].filter((release) => inRange(range, release))).toEqual(inside);
  });
});

test.each<[string, RegExp]>([
  ['', /found nothing/],
  ['7.0 ||', /empty alternative/],
  ['seven', /"seven" in "seven" is no comparison/],
  ['>=7', />=7.*no comparison/],
  ['=> 7.0', /no comparison/],
  ['>=7.0.*', />= takes a whole version/],
  ['<7.0.13+deb13', /"\+deb13" can only be asked for with =/],
  ['<7.0.0-38-generic', /"-38-generic" can only be asked for with =/],
  ['>=7.0.0-39 <7.0.0-38', /holds for no kernel/],
  ['>=7.1 <7.0', /holds for no kernel/],
  ['>7.1 <=7.1', /holds for no kernel/],
  ['>=7.0, <7.1', /">=7\.0," in/],
])('bad: %s', (text, message) => {
  expect(() => parseRange(text)).toThrow(BadRange);
  expect(() => parseRange(text)).toThrow(message);
});
