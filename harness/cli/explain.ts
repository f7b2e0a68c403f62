/** ringfence explain: the oracle alone, no guest. */
import { readFileSync } from 'node:fs';
import { ABI_7_0 } from '../../oracle/uapi/abi.ts';
import {
  explain,
  explainFilter,
  formatExplanation,
  formatFilterExplanation,
  parseProgramFile,
} from '../../oracle/explain/index.ts';
import { printScenario } from '../../oracle/text/index.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { EXIT, SetupError, UsageError } from '../../vm/index.ts';
import { readCases } from '../run/cases.ts';
import { parse } from './options.ts';

export const HELP = `ringfence explain FILE [options]: what the rules say; needs no kernel and no QEMU

  FILE                 a case (JSON), or a filter: bpf_asm text, a C array of sock_filter, or raw bytes
      --opcode NAME    for a filter: the opcode it is registered on, such as SOCKET or OPENAT (default NOP)
      --json           as JSON

For a case: per request, which filter in which order returned what and which rule decided. For a filter: accepted,
or the reason and the instruction of refusal; then what it does to sample requests, instruction by instruction.
`;

export async function command(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, { opcode: { type: 'string' }, json: { type: 'boolean' } }, 1);
  const [path] = positionals;
  if (path === undefined) throw new UsageError('explain needs a file');
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new SetupError(`${path} cannot be read: ${(error as Error).message}`, 'Name a case file or a filter.');
  }
  const json = (value: unknown): string =>
    `${JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part), 2)}\n`;
  if (/^\s*\{\s*(\}|"|$)/.test(bytes.toString('utf8', 0, 4096))) {
    for (const scenario of readCases(path)) {
      const explanation = explain(scenario, ABI_7_0);
      process.stdout.write(
        values.json === true
          ? json(explanation)
          : `${printScenario(scenario, ABI_7_0)}\n\n${formatExplanation(explanation)}`,
      );
    }
    return EXIT.ok;
  }
  const parsed = parseProgramFile(bytes);
  if (!parsed.ok)
    throw new SetupError(
      `${path} is neither a case nor a filter: ${parsed.error}`,
      'A filter is bpf_asm text, C rows such as { 0x06, 0, 0, 0x00000001 }, or 8 bytes per instruction.',
    );
  const name = (values.opcode ?? 'NOP').toUpperCase().replace(/^IORING_OP_/, '');
  const opcode = Object.hasOwn(OP, name) ? (OP as Readonly<Record<string, number>>)[name] : undefined;
  if (opcode === undefined)
    throw new UsageError(`there is no opcode "${values.opcode}"; names are those of IORING_OP_*, such as SOCKET`);
  const explanation = explainFilter({ program: parsed.program, opcode }, ABI_7_0);
  process.stdout.write(values.json === true ? json(explanation) : formatFilterExplanation(explanation));
  return EXIT.ok;
}
