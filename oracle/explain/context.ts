/** What a filter sees, as text. */
import type { AbiProfile } from '../uapi/abi.ts';
import { PAYLOAD_OFFSET } from '../bpf/context.ts';
import { IOSQE } from '../uapi/constants.ts';
import { opName, opSpec } from '../opcodes/index.ts';
import { flagText } from '../schema/codec.ts';
import { hex } from '../uapi/text.ts';

/** Members of struct io_uring_bpf_ctx, name and value; payload members only where the opcode has them. */
export function contextFields(ctx: Uint32Array, abi: AbiProfile): [name: string, value: string][] {
  const le = abi.little_endian;
  const view = new DataView(new ArrayBuffer(ctx.length * 4));
  for (const [i, word] of ctx.entries()) view.setUint32(i * 4, word, le);
  const opcode = view.getUint8(8);
  const fields: [string, string][] = [
    ['user_data', hex(view.getBigUint64(0, le))],
    ['opcode', opName(opcode)],
    ['sqe_flags', flagText(IOSQE, view.getUint8(9))],
    ['pdu_size', String(view.getUint8(10))],
  ];
  if (view.getUint8(10) === 0) return fields;
  const payload = opSpec(opcode)?.payload;
  if (payload === undefined)
    fields.push(['payload', Array.from(ctx.subarray(4, 10), (word) => word.toString(16).padStart(8, '0')).join(' ')]);
  else fields.push(...payload.fields(new DataView(view.buffer, PAYLOAD_OFFSET), abi));
  return fields;
}

/** The same on one line. */
export function contextText(ctx: Uint32Array, abi: AbiProfile): string {
  return contextFields(ctx, abi)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
