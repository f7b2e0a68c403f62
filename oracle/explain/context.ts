/** What a filter sees, as text. */
import type { AbiProfile } from '../uapi/abi.ts';
import { contextKind, PAYLOAD_OFFSET } from '../bpf/context.ts';
import { AF, IOSQE } from '../uapi/constants.ts';
import { opName } from '../uapi/opcode-names.ts';
import { flagText } from '../schema/codec.ts';
import { hex, openFlagsText } from '../text/index.ts';

/** Members of struct io_uring_bpf_ctx, name and value; payload members only where the opcode has them. */
export function contextFields(ctx: Uint32Array, abi: AbiProfile): [name: string, value: string][] {
  const le = abi.little_endian;
  const view = new DataView(new ArrayBuffer(ctx.length * 4));
  ctx.forEach((word, i) => view.setUint32(i * 4, word, le));
  const u32 = (at: number): string => String(view.getUint32(PAYLOAD_OFFSET + at, le));
  const u64 = (at: number): bigint => view.getBigUint64(PAYLOAD_OFFSET + at, le);
  const opcode = view.getUint8(8);
  const fields: [string, string][] = [
    ['user_data', hex(view.getBigUint64(0, le))],
    ['opcode', opName(opcode)],
    ['sqe_flags', flagText(IOSQE, view.getUint8(9))],
    ['pdu_size', String(view.getUint8(10))],
  ];
  if (view.getUint8(10) === 0) return fields;
  switch (contextKind(opcode)) {
    case 'socket':
      fields.push(['family', u32(0)], ['type', u32(4)], ['protocol', u32(8)]);
      break;
    case 'open':
      fields.push(
        ['flags', `${hex(u64(0))} (${openFlagsText(u64(0), abi)})`],
        ['mode', `0${u64(8).toString(8)}`],
        ['resolve', hex(u64(16))],
      );
      break;
    case 'connect':
      fields.push(
        ['family', u32(0)],
        ['port', String(view.getUint16(PAYLOAD_OFFSET + 4, false))],
        ['address', addressText(view, le)],
      );
      break;
    case 'plain':
      fields.push(['payload', Array.from(ctx.subarray(4, 10), (word) => word.toString(16).padStart(8, '0')).join(' ')]);
  }
  return fields;
}

/** Address of a CONNECT payload: dotted for AF_INET, else 16 bytes in groups as IPv6 writes them. */
function addressText(view: DataView, le: boolean): string {
  const at = PAYLOAD_OFFSET + 8;
  if (view.getUint32(PAYLOAD_OFFSET, le) === AF.INET) return [0, 1, 2, 3].map((i) => view.getUint8(at + i)).join('.');
  return [0, 2, 4, 6, 8, 10, 12, 14].map((i) => view.getUint16(at + i, false).toString(16)).join(':');
}

/** The same on one line. */
export function contextText(ctx: Uint32Array, abi: AbiProfile): string {
  return contextFields(ctx, abi)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
