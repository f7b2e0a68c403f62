/** A case for tests of texts and pictures: a child that may make no IPv4 socket tries to. */
import { OP } from '../opcodes/index.ts';
import type { Scenario } from '../steps/index.ts';

/** One task forks another, which registers a filter on SOCKET and submits one. */
export const CASE: Scenario = {
  version: 1,
  fixtures: [],
  jit: true,
  steps: [
    { task: 0, do: 'no_new_privs' },
    { task: 0, do: 'spawn', how: 'fork', child: 1 },
    {
      task: 1,
      do: 'register_bpf_filter',
      on: { kind: 'task' },
      nr_args: 1,
      arg: {
        cmd_type: 1,
        cmd_flags: 0,
        resv: 0,
        opcode: OP.SOCKET,
        flags: 1,
        filter_len: 4,
        pdu_size: 12,
        resv_filter: [0, 0, 0],
        resv2: [0n, 0n, 0n, 0n, 0n],
        program: [
          { code: 0x20, jt: 0, jf: 0, k: 16 },
          { code: 0x15, jt: 0, jf: 1, k: 2 },
          { code: 6, jt: 0, jf: 0, k: 0 },
          { code: 6, jt: 0, jf: 0, k: 1 },
        ],
        placement: 'normal',
        program_placement: 'normal',
      },
    },
    { task: 1, do: 'ring', ring: 0, entries: 8, flags: 0 },
    { task: 1, do: 'submit', ring: 0, sqes: [{ opcode: OP.SOCKET, fd: 2, off: 1n, user_data: 1n }] },
  ],
};
