/** The tables of PROTOCOL.md. */
import { MAX_FRAME, MAX_STEPS } from '../../oracle/case/frame.ts';
import type { Operation } from '../../oracle/steps/wire.ts';
import { choicesOf, countOf, OPERATIONS, payloadOf, SYSTEM_CALLS } from './operations.ts';
import type { Frame } from './table.ts';
import { BENCH_LOOPS, FRAMES, MAX_GUEST_FRAME, RUNNER_ERRORS } from './table.ts';

/** What stands between `<!-- NAME -->` and `<!-- end -->` in PROTOCOL.md, by name. */
const PARTS: Readonly<Record<string, () => string>> = {
  'frames to the guest': () => frameTable('guest'),
  'frames to the host': () => frameTable('host'),
  limits,
  operations: operationTable,
  'system calls': () => `${SYSTEM_CALLS.map(({ number, name }) => `${number} ${name}`).join(', ')}.`,
  'runner errors': () =>
    `${Object.values(RUNNER_ERRORS)
      .map(({ code, about }) => `${code} ${about}`)
      .join(', ')}.`,
  benches: () =>
    `${Object.values(BENCH_LOOPS)
      .map((about, i) => `${i} ${about}`)
      .join(', ')}.`,
};

const PART = /(<!-- ((?!end )[\w ]+) -->\n)[^]*?(\n<!-- end -->)/g;

/**
 * The document with its parts as they are now. Pure.
 * @throws Error when a part is missing, or unknown
 */
export function withTables(document: string): string {
  const missing = new Set(Object.keys(PARTS));
  const text = document.replace(PART, (_whole, head: string, name: string, end: string) => {
    const part = PARTS[name];
    if (part === undefined || !missing.delete(name)) throw new Error(`PROTOCOL.md has no use for a part "${name}"`);
    return `${head}\n${part()}\n${end}`;
  });
  if (missing.size > 0) throw new Error(`PROTOCOL.md lacks its part "${[...missing].join('", "')}"`);
  return text;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function frameTable(to: Frame['to']): string {
  const rows = Object.entries<Frame>(FRAMES).filter(([, frame]) => frame.to === to);
  return table(
    ['magic', 'name', 'payload'],
    rows.map(([name, { tag, fields, rest, about }]) => {
      const named = Object.entries(fields).map(([field, { type, length, about: what }]) => {
        const text = `${type} ${field === 'zero' ? '0' : field}${length === undefined ? '' : `[${length}]`}`;
        return what === undefined ? text : `${text} (${what})`;
      });
      const payload = [...named, ...(rest === undefined ? [] : [rest])].join(', ') || 'none';
      return [`\`${tag}\``, name.toUpperCase(), about === undefined ? payload : `${payload}: ${about}`];
    }),
  );
}

function limits(): string {
  return (
    `A frame to the guest has at most ${MAX_FRAME} bytes, a scenario at most ${MAX_STEPS} steps, ` +
    `a frame from the guest at most ${MAX_GUEST_FRAME} bytes.`
  );
}

function operationTable(): string {
  return table(
    ['op', 'name', 'payload', 'answers'],
    OPERATIONS.map((operation) => [
      String(operation.number),
      operation.name.toUpperCase(),
      payloadText(operation) || 'none',
      operation.answers,
    ]),
  );
}

function payloadText(operation: Operation): string {
  const named = payloadOf(operation).map((field) => {
    const text = `${field.type} ${field.name === 'zero' ? '0' : field.name}`;
    if (field.length !== undefined) return `${text}[${field.length}]`;
    const choices = choicesOf(field);
    return choices === undefined ? text : `${text} (${choices.map((name, i) => `${i} ${name}`).join(', ')})`;
  });
  if (operation.tail === undefined) return named.join(', ');
  const count = countOf(operation);
  const tail = count === undefined ? operation.tail.name : `${count.field} * ${count.size} bytes`;
  return [...named, tail].join(', ');
}
