import { WORLD } from '../world/open.ts';
import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { OPEN_HOW, PATH } from '../world/arena.ts';
import { OP } from '../opcodes/index.ts';
import type { BpfArg } from '../scenario/types.ts';
import type { Scenario, Step } from '../steps/index.ts';
import { allowedText, bytesText } from './numbers.ts';
import { resultText } from '../uapi/text.ts';
import { printScenario, stepText } from '../case/text.ts';
import { openFlagsText, sqeText } from './index.ts';

const ARG: BpfArg = {
  cmd_type: 1,
  cmd_flags: 0,
  resv: 0,
  opcode: 45,
  flags: 1,
  filter_len: 2,
  pdu_size: 12,
  resv_filter: [0, 0, 0],
  resv2: [0n, 0n, 0n, 0n, 0n],
  program: [
    { code: 0x20, jt: 0, jf: 0, k: 16 },
    { code: 0x16, jt: 0, jf: 0, k: 0 },
  ],
  placement: 'normal',
  program_placement: 'normal',
};
const scenario = (steps: readonly Step[], more: Partial<Scenario> = {}): Scenario => ({
  version: 1,
  fixtures: [],
  jit: true,
  steps,
  ...more,
});

test('a task tree over time', () => {
  const steps: Step[] = [
    { task: 0, do: 'no_new_privs' },
    { task: 0, do: 'register_bpf_filter', on: { kind: 'task' }, nr_args: 1, arg: ARG },
    { task: 0, do: 'spawn', how: 'fork', child: 1 },
    { task: 1, do: 'spawn', how: 'thread', child: 12 },
    { task: 0, do: 'spawn', how: 'vfork', child: 2 },
    { task: 12, do: 'ring', ring: 0, entries: 8, flags: 0x3000 },
    { task: 1, do: 'exit' },
    {
      task: 0,
      do: 'submit',
      ring: 1,
      sqes: [
        { opcode: 0, flags: 0x14, user_data: 1n },
        { opcode: 45, user_data: 2n, fd: 2, off: 1n },
      ],
    },
    { task: 2, do: 'spawn', how: 'clone3', child: 3 },
    { task: 3, do: 'spawn', how: 'clone_vm', child: 4 },
    { task: 9, do: 'exec' },
  ];
  expect(
    printScenario(scenario(steps, { fixtures: ['file', 'pipe'], jit: false }), ABI_7_0, {
      notes: new Map([[7, ['predicted x', 'observed y']]]),
    }),
  ).toBe(
    [
      'fixtures: file, pipe',
      'BPF JIT: off',
      ' [0] 0                           prctl(PR_SET_NO_NEW_PRIVS, 1)',
      ' [1] 0                           io_uring_register(task, IORING_REGISTER_BPF_FILTER, ' +
        '{opcode=SOCKET, flags=DENY_REST, pdu_size=12, prog: 2 insns})',
      '                                   ld [16] ; { 0x20, 0, 0, 0x00000010 },  socket.family',
      '                                   ret a   ; { 0x16, 0, 0, 0x00000000 },',
      ' [2] 0-->1                       fork() -> task 1',
      ' [3] |   1-->12                  thread -> task 12',
      ' [4] 0---+---+-->2               vfork() -> task 2',
      ' [5] |   |   12  |               ring 0 = io_uring_setup(8, {flags=SINGLE_ISSUER|DEFER_TASKRUN})',
      ' [6] |   1   |   |               exit',
      ' [7] 0       |   |               io_uring_enter(ring 1, 2 SQEs)',
      '                                   #0 NOP    user_data=0x1 flags=IO_LINK|ASYNC',
      '                                   #1 SOCKET user_data=0x2 fd=2 off=0x1 ; socket(AF_INET, SOCK_STREAM, 0)',
      '                                   > predicted x',
      '                                   > observed y',
      ' [8] |       |   2-->3           clone3() -> task 3',
      ' [9] |       |   |   3-->4       clone(CLONE_VM) -> task 4',
      '[10] |       |   |   |   |   9   execve(self)',
    ].join('\n'),
  );
});

test('one task needs no columns; programs can be left out or cut', () => {
  const steps: Step[] = [
    {
      task: 0,
      do: 'register_bpf_filter',
      on: { kind: 'ring', ring: 0 },
      nr_args: 1,
      arg: { ...ARG, filter_len: 300, program: Array.from({ length: 300 }, () => ARG.program[0]!) },
    },
  ];
  const call =
    '[0] io_uring_register(ring 0, IORING_REGISTER_BPF_FILTER, ' +
    '{opcode=SOCKET, flags=DENY_REST, pdu_size=12, prog: 300 insns})';
  expect(printScenario(scenario(steps), ABI_7_0, { programs: 'none' })).toBe(call);
  expect(printScenario(scenario(steps), ABI_7_0, { programs: 'asm', instructions: 2 })).toBe(`${call}
      ld [16] ; socket.family
      ld [16] ; socket.family
      ... 298 more instructions`);
  expect(printScenario(scenario([]), ABI_7_0)).toBe('(no steps)');
});

describe('calls', () => {
  const by = { task: 0 } as const;
  const none = { resv: 0, resv2: [0, 0, 0] } as const;
  test.each<[string, Step]>([
    ['drop CAP_SYS_ADMIN', { ...by, do: 'drop_cap_sys_admin' }],
    ['unshare(CLONE_NEWUSER)', { ...by, do: 'unshare_user' }],
    [
      'io_uring_register(task, IORING_REGISTER_BPF_FILTER, {cmd_type=2, cmd_flags=0x1, resv=0x5, opcode=OP_99, ' +
        'flags=DENY_REST|0x8, filter_len=4097, pdu_size=0, filter.resv=[0x0 0x1 0x0], ' +
        'filter.resv2=[0x0 0x0 0x0 0x0 0x7], prog: 2 insns (at NULL)} (last byte not mapped), nr_args=2)',
      {
        ...by,
        do: 'register_bpf_filter',
        on: { kind: 'task' },
        nr_args: 2,
        arg: {
          ...ARG,
          cmd_type: 2,
          cmd_flags: 1,
          resv: 5,
          opcode: 99,
          flags: 9,
          filter_len: 4097,
          pdu_size: 0,
          resv_filter: [0, 1, 0],
          resv2: [0n, 0n, 0n, 0n, 7n],
          placement: 'straddle',
          program_placement: { raw: 0n },
        },
      },
    ],
    [
      'io_uring_register(registered ring 3, IORING_REGISTER_RESTRICTIONS, [SQE_OP NOP, REGISTER_OP REGISTER_BUFFERS, ' +
        'REGISTER_OP 99, SQE_FLAGS_ALLOWED IO_LINK|ASYNC, SQE_FLAGS_REQUIRED 0, kind 7 9 resv=0x1 ' +
        'resv2=[0x0 0x2 0x0]] (at 0x1000), nr_args=1)',
      {
        ...by,
        do: 'register_restrictions',
        on: { kind: 'registered', index: 3 },
        nr_args: 1,
        arg: {
          placement: { raw: 4096n },
          restrictions: [
            { opcode: 1, value: 0, ...none },
            { opcode: 0, value: 0, ...none },
            { opcode: 0, value: 99, ...none },
            { opcode: 2, value: 20, ...none },
            { opcode: 3, value: 0, ...none },
            { opcode: 7, value: 9, resv: 1, resv2: [0, 2, 0] },
          ],
        },
      },
    ],
    [
      'io_uring_register(task, IORING_REGISTER_RESTRICTIONS, {flags=0x1, nr_res=2, resv=[0x1 0x0 0x0], ' +
        'restrictions=[SQE_OP OP_200]} (in read-only memory))',
      {
        ...by,
        do: 'register_task_restrictions',
        on: { kind: 'task' },
        nr_args: 1,
        arg: {
          flags: 1,
          nr_res: 2,
          resv: [1, 0, 0],
          restrictions: [{ opcode: 1, value: 200, ...none }],
          placement: 'read-only',
        },
      },
    ],
    [
      'io_uring_register(fd 7, IORING_REGISTER_ENABLE_RINGS, NULL, nr_args=0)',
      { ...by, do: 'register', on: { kind: 'fd', fd: 7 }, opcode: 12, nr_args: 0 },
    ],
    [
      'io_uring_register(ring 1, opcode 99, {01020304 05}, nr_args=1)',
      {
        ...by,
        do: 'register',
        on: { kind: 'ring', ring: 1 },
        opcode: 99,
        nr_args: 1,
        bytes: Uint8Array.of(1, 2, 3, 4, 5),
      },
    ],
    [
      'io_uring_register(ring 1, IORING_REGISTER_FILES|USE_REGISTERED_RING, 0xffff, nr_args=1)',
      { ...by, do: 'register', on: { kind: 'ring', ring: 1 }, opcode: 0x8000_0002, nr_args: 1, raw_arg: 0xffffn },
    ],
    [
      'io_uring_register(ring 1, IORING_REGISTER_FILES, NULL, nr_args=0x10000)',
      { ...by, do: 'register', on: { kind: 'ring', ring: 1 }, opcode: 2, nr_args: 65536, raw_arg: 0n },
    ],
    [
      'io_uring_register(task, IORING_REGISTER_SEND_MSG_RING, {MSG_RING fd=100 ; fd of ring 0}, nr_args=1)',
      {
        ...by,
        do: 'register',
        on: { kind: 'task' },
        opcode: 31,
        nr_args: 1,
        bytes: Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 40 : i === 4 ? 100 : 0)),
      },
    ],
    ['io_uring_enter(registered ring 2, 0 SQEs)', { ...by, do: 'submit', ring: 0, registered: 2, sqes: [] }],
    ['execve(self)', { ...by, do: 'exec' }],
    ['send ring 1 by SCM_RIGHTS', { ...by, do: 'send_ring', ring: 1 }],
    ['receive ring 1 by SCM_RIGHTS', { ...by, do: 'receive_ring', ring: 1 }],
    ['take ring 3 of task 2 by pidfd_getfd(2)', { ...by, do: 'take_ring', from: 2, ring: 3 }],
    ['close(ring 1)', { ...by, do: 'close_ring', ring: 1 }],
    ['does "n0" exist?', { ...by, do: 'probe_path', path: 'n0' }],
    ['is descriptor 60 open?', { ...by, do: 'probe_fd', fd: 60 }],
    ['read 1 byte of the arena at 0x3000', { ...by, do: 'probe_memory', at: 0x3000, length: 1 }],
    ['reap the CQEs of ring 4', { ...by, do: 'reap', ring: 4 }],
  ])('%s', (text, step) => expect(stepText(step, ABI_7_0)).toBe(text));
});

test.each([
  ['NOP', { opcode: OP.NOP }],
  [
    'NOP user_data=0x1 flags=IO_LINK|ASYNC|0x80 buf_index=3 personality=2 file_index=ALLOC',
    { opcode: OP.NOP, user_data: 1n, flags: 0x94, file_index: 0xffff_ffff, buf_index: 3, personality: 2, fd: 0 },
  ],
  [
    'SOCKET fd=2 off=0x80801 len=6 ; socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 6)',
    { opcode: OP.SOCKET, fd: 2, off: 0x80801n, len: 6 },
  ],
  ['SOCKET fd=99 off=0x9 ; socket(99, 9, 0)', { opcode: OP.SOCKET, fd: 99, off: 9n }],
  [
    'OPENAT fd=AT_FDCWD addr=0x12 op_flags=578 ; openat(?, O_RDWR|O_TRUNC|O_CREAT, 00)',
    { opcode: OP.OPENAT, fd: -100, addr: 0x12n, op_flags: 0o1102 },
  ],
  [
    `OPENAT2 off=0x${OPEN_HOW.create.toString(16)} addr=0x${PATH.n0.toString(16)} ; ` +
      `openat2("n0", {flags=O_WRONLY|O_CREAT, mode=0644, resolve=0x0})`,
    { opcode: OP.OPENAT2, addr: PATH.n0, off: OPEN_HOW.create },
  ],
  ['SOCKET ; socket(AF_UNSPEC, 0, 0)', { opcode: OP.SOCKET }],
  ['OPENAT2 ; openat2(NULL, ?)', { opcode: OP.OPENAT2 }],
  [`MKDIRAT addr=0x${(PATH.n0 + 0x2f00n).toString(16)} ; ""`, { opcode: OP.MKDIRAT, addr: PATH.n0 + 0x2f00n }],
  ['OPENAT2 off=0x5 ; openat2(NULL, ?)', { opcode: OP.OPENAT2, off: 5n }],
  ['READ fd=101 ; fd of ring 1', { opcode: OP.READ, fd: 101 }],
  ['OP_200 len=0x12345', { opcode: 200, len: 0x12345 }],
])('%s', (text, sqe) => expect(sqeText(sqe, ABI_7_0)).toBe(text));

test('numbers', () => {
  expect([0, 5, -13, -7, -9999].map(resultText)).toEqual(['0', '5', '-EACCES', '-E2BIG', '-9999']);
  const place = WORLD['descriptor.number'];
  expect([allowedText(place.among(0, -22)), allowedText(place.any), allowedText(place.atLeast(1))]).toEqual([
    '0 or -EINVAL',
    'anything',
    '1 or more',
  ]);
  expect(bytesText(new Uint8Array(70), 8)).toBe('00000000 00000000 ...');
  expect(openFlagsText(0o4010002n | (1n << 40n), ABI_7_0)).toBe('O_RDWR|O_SYNC|0x10000000000');
});
