import { expect, test } from 'vitest';
import { formatDoctor } from './doctor.ts';
import { formatRules, headingOf } from './rule-list.ts';
import { counted, duration, thousands, wrap } from './style.ts';
import { quoted, replayCommand } from './replay.ts';

test('rules are grouped, each with its statement and source', () => {
  expect(
    formatRules([
      { id: 'op.nop', statement: 'N.', kind: 'man', source: 'm(2)' },
      { id: 'bpf.ld.imm', statement: 'L.', kind: 'observed', source: 'seen on 7.0.13' },
      { id: 'bpf.generic.shift-k', statement: 'S.', kind: 'man', source: 'm(3)' },
      { id: 'new.thing', statement: 'T.', kind: 'patch', source: 'p' },
    ]),
  ).toBe(`Programs: checks of all classic BPF

  bpf.generic.shift-k
      S.
      [man] m(3)

Programs: what instructions do

  bpf.ld.imm
      L.
      [observed] seen on 7.0.13

Opcodes

  op.nop
      N.
      [man] m(2)

new

  new.thing
      T.
      [patch] p

4 rules: 2 manual page, 1 patch series, 1 observation only
`);
  expect(formatRules([{ id: 'op.nop', statement: 'N.', kind: 'uapi', source: 'h' }])).toContain(
    '\n1 rule: 1 UAPI header\n',
  );
  expect(['filter-reg.pdu.equal', 'filter.ctx.flags', 'bpf.alu.or-k', 'classic-reg.once'].map(headingOf)).toEqual([
    'Registering a filter',
    'Evaluating filters',
    'Programs: what instructions do',
    'Registering classic restrictions on a ring',
  ]);
});

test('doctor says what is there, what is missing and what to do', () => {
  expect(
    formatDoctor({
      ok: false,
      checks: [
        {
          name: 'QEMU',
          status: 'missing',
          detail: 'not found',
          advice: 'apt-get install -y qemu-system-x86\nor as root',
        },
        { name: 'C compiler', status: 'ok', detail: 'gcc 12.2.0' },
        { name: 'KVM', status: 'warning', detail: 'a guest does not boot' },
      ],
    }),
  ).toBe(`  MISSING  QEMU        not found
                       apt-get install -y qemu-system-x86
                       or as root
  ok       C compiler  gcc 12.2.0
  note     KVM         a guest does not boot

a run cannot start: QEMU missing
`);
  expect(formatDoctor({ ok: true, checks: [] })).toBe('\n\nready: npm run conformance\n');
  expect(formatDoctor({ ok: false, checks: [] })).toContain('a run cannot start\n');
});

test('numbers, times and words', () => {
  expect([0, 999, 1000, 1234567.4].map(thousands)).toEqual(['0', '999', '1,000', '1,234,567']);
  expect([0, 4.21, 9.96, 59.6, 252.4, 3845].map(duration)).toEqual([
    '0.0 s',
    '4.2 s',
    '10 s',
    '1:00',
    '4:12',
    '1:04:05',
  ]);
  expect([counted(1, 'crash', 'crashes'), counted(2, 'crash', 'crashes'), counted(1000, 'case')]).toEqual([
    '1 crash',
    '2 crashes',
    '1,000 cases',
  ]);
  expect(wrap('a bb  ccc dddddd', 5)).toEqual(['a bb', 'ccc', 'dddddd']);
  expect(wrap('', 5)).toEqual([]);
  expect([quoted("it's"), quoted('a/b.json'), replayCommand('out/', 'x.json')]).toEqual([
    `'it'\\''s'`,
    'a/b.json',
    'npx ringfence replay out/x.json',
  ]);
});
