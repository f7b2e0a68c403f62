/** struct io_uring_bpf, field by field. */
import { OP } from '../../oracle/opcodes/index.ts';
import { ALLOW, DENY_REST, example, filter, onRing, ring, suite, SZ_STRICT, TASK } from './build.ts';

const on = onRing(0);

/** Examples of suite arguments. */
export const argumentsSuite = suite('arguments', [
  example('Reserved fields must be zero', 'What is ignored today cannot get a meaning tomorrow.', [
    ring(0),
    filter(on, OP.NOP, ALLOW, { resv: 1 }),
    filter(on, OP.NOP, ALLOW, { resv_filter: [0, 0, 1] }),
    filter(on, OP.NOP, ALLOW, { resv2: [0n, 0n, 0n, 0n, 1n] }),
    filter(on, OP.NOP, ALLOW, { cmd_flags: 1 }),
    filter(on, OP.NOP, ALLOW, { cmd_type: 0 }),
    filter(on, OP.NOP, ALLOW, { cmd_type: 2 }),
    filter(on, OP.NOP, ALLOW, { flags: 4 }),
    filter(on, OP.NOP, ALLOW, { flags: DENY_REST | SZ_STRICT }),
  ]),
  example('Bounds of opcode, count and length', 'One past the end is refused, the last one is not.', [
    ring(0),
    filter(on, 64, ALLOW),
    filter(on, 65, ALLOW),
    filter(on, 0xffff_ffff, ALLOW),
    filter(on, OP.NOP, ALLOW, { nr_args: 0 }),
    filter(on, OP.NOP, ALLOW, { nr_args: 2 }),
    filter(on, OP.NOP, ALLOW, { filter_len: 0 }),
    filter(on, OP.NOP, ALLOW, { filter_len: 4097 }),
    filter(TASK, OP.NOP, ALLOW, { nr_args: 0 }),
  ]),
  example(
    'The kernel tells its payload size',
    'A program discovers the size by reading it back, also where the call fails.',
    [
      ring(0),
      filter(on, OP.SOCKET, ALLOW, { pdu_size: 0 }),
      filter(on, OP.SOCKET, ALLOW, { pdu_size: 12, flags: SZ_STRICT }),
      filter(on, OP.SOCKET, ALLOW, { pdu_size: 8, flags: SZ_STRICT }),
      filter(on, OP.SOCKET, ALLOW, { pdu_size: 13 }),
      filter(on, OP.OPENAT, ALLOW, { pdu_size: 255 }),
      filter(on, OP.NOP, ALLOW, { pdu_size: 1 }),
      filter(on, OP.OPENAT2, ALLOW, { pdu_size: 0, flags: SZ_STRICT }),
    ],
  ),
  example(
    'The order of the checks',
    'A size error is told before the program is looked at, and after the other fields.',
    [
      ring(0),
      filter(on, OP.SOCKET, 'mod #3\nret #1', { pdu_size: 13 }),
      filter(on, OP.SOCKET, 'mod #3\nret #1', { pdu_size: 4 }),
      filter(on, OP.SOCKET, ALLOW, { pdu_size: 13, filter_len: 0 }),
      filter(on, OP.SOCKET, ALLOW, { pdu_size: 13, program_placement: { raw: 0n } }),
      filter(on, OP.SOCKET, ALLOW, { program_placement: { raw: 0n } }),
      filter(on, OP.SOCKET, ALLOW, { program_placement: { raw: 1n } }),
      filter(on, OP.SOCKET, ALLOW, { program_placement: 'straddle' }),
      filter(on, OP.SOCKET, ALLOW, { program_placement: 'page-end' }),
      filter(on, OP.SOCKET, ALLOW, { placement: { raw: 0n }, nr_args: 2 }),
      filter(on, OP.SOCKET, ALLOW, { placement: { raw: 0n } }),
      filter(on, OP.SOCKET, ALLOW, { placement: 'straddle' }),
      filter(on, OP.SOCKET, ALLOW, { placement: 'page-end' }),
      filter(on, OP.SOCKET, ALLOW, { placement: 'read-only' }),
    ],
  ),
]);
