/** What a filter sees, as text. */
import type { AbiProfile } from '../abi.ts';
import { contextKind } from '../bpf/context.ts';
import { IOSQE } from '../opcodes/constants.ts';
import { opName } from '../opcodes/names.ts';
import { flagText } from '../scenario/json/codec.ts';
import { hex, openFlagsText } from '../scenario/text/index.ts';

/** Members of struct io_uring_bpf_ctx, name and value; payload members only where the opcode has them. */
export function contextFields(ctx: Uint32Array, abi: AbiProfile): [name: string, value: string][] {
  const u64 = (at: number): bigint => {
    const [first, second] = [BigInt(ctx[at] ?? 0), BigInt(ctx[at + 1] ?? 0)];
    return abi.little_endian ? first | (second << 32n) : (first << 32n) | second;
  };
  const bytes = ctx[2] ?? 0;
  const byte = (i: number): number => (bytes >>> (8 * (abi.little_endian ? i : 3 - i))) & 0xff;
  const opcode = byte(0);
  const fields: [string, string][] = [
    ['user_data', hex(u64(0))],
    ['opcode', opName(opcode)],
    ['sqe_flags', flagText(IOSQE, byte(1))],
    ['pdu_size', String(byte(2))],
  ];
  if (byte(2) === 0) return fields;
  switch (contextKind(opcode)) {
    case 'socket':
      fields.push(['family', String(ctx[4])], ['type', String(ctx[5])], ['protocol', String(ctx[6])]);
      break;
    case 'open':
      fields.push(['flags', `${hex(u64(4))} (${openFlagsText(u64(4), abi)})`], ['mode', `0${u64(6).toString(8)}`], ['resolve', hex(u64(8))]);
      break;
    default:
      fields.push(['payload', [...ctx.subarray(4, 10)].map((word) => word.toString(16).padStart(8, '0')).join(' ')]);
  }
  return fields;
}

/** The same on one line. */
export function contextText(ctx: Uint32Array, abi: AbiProfile): string {
  return contextFields(ctx, abi).map(([name, value]) => `${name}=${value}`).join(' ');
}
