/** ringfence explain: the oracle alone, no guest. */
import { readFileSync } from 'node:fs';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import {
  explain,
  explainFilter,
  formatExplanation,
  formatFilterExplanation,
  parseProgramFile,
} from '../../oracle/explain/index.ts';
import { printScenario } from '../../oracle/case/text.ts';
import { OP, opName } from '../../oracle/opcodes/index.ts';
import { filterOf } from '../../oracle/steps/index.ts';
import { wrap } from '../../reports/text/style.ts';
import { loadNotes } from '../known/notes.ts';
import { readCases } from '../run/cases.ts';
import { EXIT, SetupError, UsageError } from '../../vm/index.ts';
import { command } from './command.ts';
import { flag, text } from './option.ts';

/** ringfence explain. */
export const EXPLAIN = command({
  name: 'explain',
  summary: 'what the rules say of a case or a filter; needs no kernel',
  about: 'what the rules say; needs no kernel and no QEMU',
  operands: {
    usage: 'FILE',
    least: 1,
    most: 1,
    missing: 'explain needs a file',
    help: [['FILE', 'a case (JSON), or a filter: bpf_asm text, a C array of sock_filter, or raw bytes']],
  },
  options: {
    opcode: text('NAME', 'for a filter: the opcode it is registered on, such as SOCKET or OPENAT (default NOP)'),
    json: flag('as JSON'),
  },
  notes: `
For a case: per request, which filter in which order returned what and which rule decided. For a filter: accepted,
or the reason and the instruction of refusal; then what it does to sample requests, instruction by instruction.`,
  run: async ({ opcode = 'NOP', json }, [path = '']) => {
    const bytes = readInput(path);
    process.stdout.write(
      /^\s*\{\s*(\}|"|$)/.test(bytes.toString('utf8', 0, 4096))
        ? explainCases(path, json)
        : explainProgram(path, bytes, opcode, json),
    );
    return EXIT.ok;
  },
});

function readInput(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new SetupError(`${path} cannot be read: ${(error as Error).message}`, 'Name a case file or a filter.');
  }
}

function asJson(value: unknown): string {
  const plain = (_: string, part: unknown): unknown => (typeof part === 'bigint' ? `0x${part.toString(16)}` : part);
  return `${JSON.stringify(value, plain, 2)}\n`;
}

function explainCases(path: string, json: boolean): string {
  return readCases(path)
    .map((scenario) => {
      const explanation = explain(scenario, ABI_7_0);
      if (json) return asJson(explanation);
      const opcodes = scenario.steps.flatMap((step) => filterOf(step)?.opcode ?? []);
      return `${printScenario(scenario, ABI_7_0)}\n\n${formatExplanation(explanation)}${notesOn(opcodes)}`;
    })
    .join('');
}

function explainProgram(path: string, bytes: Buffer, typed: string, json: boolean): string {
  const parsed = parseProgramFile(bytes);
  if (!parsed.ok)
    throw new SetupError(
      `${path} is neither a case nor a filter: ${parsed.error}`,
      'A filter is bpf_asm text, C rows such as { 0x06, 0, 0, 0x00000001 }, or 8 bytes per instruction.',
    );
  const name = typed.toUpperCase().replace(/^IORING_OP_/, '');
  const opcode = Object.hasOwn(OP, name) ? (OP as Readonly<Record<string, number>>)[name] : undefined;
  if (opcode === undefined)
    throw new UsageError(`there is no opcode "${typed}"; names are those of IORING_OP_*, such as SOCKET`);
  const explanation = explainFilter({ program: parsed.program, opcode }, ABI_7_0);
  return json ? asJson(explanation) : `${formatFilterExplanation(explanation)}${notesOn([opcode])}`;
}

/** What those who write filters for these opcodes should know, and no promise covers. */
function notesOn(opcodes: readonly number[]): string {
  const names = new Set(opcodes.map(opName));
  const notes = loadNotes().filter((note) => note.opcodes.some((name) => names.has(name)));
  if (notes.length === 0) return '';
  const lines = notes.flatMap(({ id, title }) =>
    wrap(`${id}: ${title}`, 100).map((line, i) => `${i === 0 ? '  ' : '      '}${line}`),
  );
  return `\nNotes: weaknesses, no promise is broken (npx ringfence finding ID)\n\n${lines.join('\n')}\n`;
}
