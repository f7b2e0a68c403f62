import { expect, test } from 'vitest';
import { FOUR_KERNELS } from '../testing/matrices.ts';
import { BAD, GOOD } from '../testing/results.ts';
import { formatMail, formatMatrixMail } from './mail.ts';

test('a good run is one sentence', () => {
  const mail = formatMail(GOOD);
  expect(mail).toMatch(/^Subject: Linux 7\.0\.13\+deb13-cloud-amd64: io_uring filters conformant\n\n/);
  expect(mail.replaceAll(/\s+/g, ' ')).toContain('compared 1,043,221 answers');
  expect(
    Math.max(
      ...mail
        .split('\n')
        .slice(2)
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(72);
  expect(mail).not.toContain('promised:');
});

test('a bad one has the promise, its source, the case, what came instead, and the way to repeat it', () => {
  const mail = formatMail(BAD);
  const [divergence] = BAD.divergences;
  const [subject] = mail.split('\n');
  expect(subject).toMatch(/1 io_uring promise broken, 1 crash, 1 hang$/);
  for (const text of [`\n${divergence!.rule}\n---`, 'Source: ', 'promised: ', 'answered: ', BAD.command]) {
    expect(mail).toContain(text);
  }
  expect(mail.replaceAll(/\s+/g, ' ')).toContain(divergence!.statement.replaceAll(/\s+/g, ' '));
  expect(mail).toContain(BAD.crashes[0]!.title);
});

test('many of a kind are counted, not told', () => {
  const [divergence] = BAD.divergences;
  const mail = formatMail({ ...BAD, divergences: Array.from({ length: 8 }, () => divergence!) });
  expect(mail.split('promised: ')).toHaveLength(6);
  expect(mail).toContain('And 3 more of this kind.');
});

test('nothing from outside adds a header', () => {
  const [subject, empty] = formatMail({ ...GOOD, kernel: { ...GOOD.kernel, release: '7\nBcc: x' } }).split('\n');
  expect([subject, empty]).toEqual(['Subject: Linux 7 Bcc: x: io_uring filters conformant', '']);
});

test('a matrix has a part for each kernel, with a result or not', () => {
  const [first] = FOUR_KERNELS.kernels;
  const mail = formatMatrixMail(FOUR_KERNELS, new Map([[first!.name, BAD]]));
  for (const { name } of FOUR_KERNELS.kernels) expect(mail).toContain(`\n${name}\n${'='.repeat(name.length)}\n`);
  expect(mail.split('promised: ')).toHaveLength(2);
  expect(mail.split('No result.')).toHaveLength(FOUR_KERNELS.kernels.length);
});
