/** Names of the numbers in a scenario, for JSON and for printed text. */
import { IORING_RESTRICTION } from '../uapi/constants.ts';
import { IORING_REGISTER } from '../register/index.ts';
import { opSpecs } from '../opcodes/index.ts';

const byNumber = (table: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(table).map(([name, number]) => [number, name]));

/** IORING_OP_*, without the prefix. */
export const OPCODES: ReadonlyMap<number, string> = new Map(opSpecs.map(({ opcode, name }) => [opcode, name]));
/** io_uring_register opcodes, without IORING_. */
export const REGISTER_OPCODES = byNumber(IORING_REGISTER);
/** IORING_RESTRICTION_*, without the prefix. */
export const RESTRICTIONS = byNumber(IORING_RESTRICTION);
/** io_uring_bpf_filter.flags, IO_URING_BPF_FILTER_*. Source: linux/io_uring/bpf_filter.h. */
export const FILTER_FLAGS = { DENY_REST: 1, SZ_STRICT: 2 } as const;
