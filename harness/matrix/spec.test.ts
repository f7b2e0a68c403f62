import { expect, test } from 'vitest';
import { PINNED } from '../../vm/index.ts';
import { byRelease, columnNames, defaultKernels, parseKernels } from './spec.ts';
import { UsageError } from '../../vm/index.ts';

test('releases, files and all', () => {
  expect(parseKernels(['7.3.4, ../linux/vmlinux', '7.0.13+deb13-cloud-amd64'])).toEqual([
    { requested: '7.3.4', release: '7.3.4' },
    { requested: '../linux/vmlinux', file: '../linux/vmlinux' },
    { requested: '7.0.13+deb13-cloud-amd64', release: '7.0.13' },
  ]);
  expect(parseKernels(['all'])).toHaveLength(PINNED.length);
  expect(parseKernels(['7.0.13,all'])).toHaveLength(PINNED.length);
  // Twice is a question, too: is the answer the same?
  expect(parseKernels(['7.0.13,7.0.13'])).toHaveLength(2);
});

test('a release that cannot be fetched, and nothing', () => {
  expect(() => parseKernels(['7.0.99'])).toThrow(/no kernel 7\.0\.99.*7\.0\.13.*\.\/7\.0\.99/s);
  expect(() => parseKernels([' , '])).toThrow(UsageError);
});

test('the default: first and last of each series that has the feature', () => {
  expect(defaultKernels()).toEqual(['7.0.4', '7.0.13', '7.1.3', '7.1.13', '7.2.6', '7.2.13', '7.3.4']);
});

test('names are unique, safe as directories, and never those of the matrix itself', () => {
  const names = columnNames([
    { spec: { requested: '7.0.13', release: '7.0.13' }, release: '7.0.13+deb13-cloud-amd64' },
    { spec: { requested: '7.0.13', release: '7.0.13' }, release: '7.0.13+deb13-cloud-amd64' },
    { spec: { requested: 'x', file: '/x/vmlinux' }, release: '7.2.0-rc1 mine/../..' },
    { spec: { requested: 'x', file: '/x/..changes' }, release: 'unknown' },
  ]);
  expect(names).toEqual(['7.0.13', '7.0.13-2', '7.2.0-rc1-mine-..-..', 'changes-2']);
});

test('oldest first; what has no version last', () => {
  const release = (text: string): { readonly release: string } => ({ release: text });
  expect(
    byRelease(['7.3.4', 'unknown', '6.19.14+deb13', '7.0.13', '7.0.4', '7.0-rc7'].map(release)).map(
      (one) => one.release,
    ),
  ).toEqual(['6.19.14+deb13', '7.0-rc7', '7.0.4', '7.0.13', '7.3.4', 'unknown']);
});
