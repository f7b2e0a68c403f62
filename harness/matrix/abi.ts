/** The ABI profile member by member: to show it, and to change one member at a time. */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { opName } from '../../oracle/opcodes/index.ts';

/** One member as text: `pdu_size.SOCKET` -> "12". */
export type AbiMembers = ReadonlyMap<string, string>;

const MASKS: readonly string[] = ['filter_flags', 'sqe_flags', 'setup_flags', 'open_force_flags'];
/** Names, not answers. */
const LEFT_OUT: readonly string[] = ['release', 'machine', 'pdu_size'];

/** Members as people read them; payload sizes opcode by opcode, those that are 0 left out. */
export function abiMembers(abi: AbiProfile): AbiMembers {
  const out = new Map<string, string>();
  for (const [name, value] of Object.entries(abi) as [string, unknown][]) {
    if (LEFT_OUT.includes(name) || value === undefined) continue;
    if (typeof value === 'number')
      out.set(name, MASKS.includes(name) ? `0x${(value >>> 0).toString(16)}` : String(value));
    else if (typeof value === 'boolean') out.set(name, value ? 'yes' : 'no');
    else if (typeof value === 'string') out.set(name, value);
    // Values of flags by architecture: one word tells which table it is.
    else if (name === 'open') out.set(name, `O_DIRECTORY=0x${abi.open.O_DIRECTORY.toString(16)}`);
    else out.set(name, JSON.stringify(value));
  }
  abi.pdu_size.forEach((size, opcode) => {
    if (size !== 0) out.set(`pdu_size.${opName(opcode)}`, String(size));
  });
  return out;
}

/** What a member is when it is not named. */
export function missingMember(field: string): string {
  return field.startsWith('pdu_size.') ? '0' : '-';
}

/** Members that differ, in the order in which they have to be changed. */
export function abiDifferences(
  a: AbiProfile,
  b: AbiProfile,
): readonly { readonly field: string; readonly a: string; readonly b: string }[] {
  const x = abiMembers(a);
  const y = abiMembers(b);
  return [...new Set([...x.keys(), ...y.keys()])]
    .map((field) => ({ field, a: x.get(field) ?? missingMember(field), b: y.get(field) ?? missingMember(field) }))
    .filter((row) => row.a !== row.b);
}

/** The profile with some members of another one. */
export function withMembers(base: AbiProfile, other: AbiProfile, fields: ReadonlySet<string>): AbiProfile {
  const out: Record<string, unknown> = { ...base };
  for (const field of fields)
    if (!field.startsWith('pdu_size.')) out[field] = (other as unknown as Record<string, unknown>)[field];
  const size = (profile: AbiProfile, opcode: number): number => profile.pdu_size[opcode] ?? 0;
  out['pdu_size'] = Array.from({ length: out['op_last'] as number }, (_, opcode) =>
    size(fields.has(`pdu_size.${opName(opcode)}`) ? other : base, opcode),
  );
  for (const [name, value] of Object.entries(out)) if (value === undefined) delete out[name];
  return out as unknown as AbiProfile;
}
