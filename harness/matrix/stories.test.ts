import { expect, test } from 'vitest';
import { presenceStory, stretches, valueStory } from './stories.ts';

const NAMES = ['7.0.4', '7.0.13', '7.1.7', '7.1.8', '7.3.4'];

test('stretches pass over kernels of which nothing is known', () => {
  expect(stretches(NAMES, ['a', null, 'a', 'b', null])).toEqual([
    { value: 'a', first: '7.0.4', last: '7.1.7', to_end: false, from_start: true },
    { value: 'b', first: '7.1.8', last: '7.1.8', to_end: true, from_start: false },
  ]);
  expect(stretches(NAMES, [null, null, null, null, null])).toEqual([]);
});

test('where a finding begins and ends', () => {
  const story = (...values: (string | null)[]): string => presenceStory(NAMES, values, 'shown');
  expect(story('shown', 'shown', 'shown', 'absent', 'absent')).toBe('on 7.0.4..7.1.7, gone from 7.1.8');
  expect(story('shown', 'shown', 'shown', 'shown', 'shown')).toBe('on all');
  expect(story('absent', 'absent', 'shown', 'shown', 'shown')).toBe('from 7.1.7 on');
  expect(story('absent', 'absent', 'absent', 'absent', 'shown')).toBe('on 7.3.4');
  expect(story('shown', 'absent', 'shown', 'absent', 'absent')).toBe(
    'on 7.0.4, gone from 7.0.13, on 7.1.7, gone from 7.1.8',
  );
  expect(story(null, null, 'shown', null, null)).toBe('on 7.1.7');
  expect(story('absent', 'absent', null, 'absent', 'absent')).toBe('');
});

test('where a value changes', () => {
  expect(valueStory(NAMES, ['65', '65', null, '66', '66'])).toBe('65 on 7.0.4..7.0.13, 66 from 7.1.8');
  expect(valueStory(NAMES, ['no', 'no', 'no', 'no', 'yes'])).toBe('no on 7.0.4..7.1.8, yes on 7.3.4');
  expect(valueStory(NAMES, ['65', '65', '65', null, '65'])).toBe('');
});
