/**
 * KTAP version 1 (the kernel's Documentation/dev-tools/ktap.rst): a plan, one subtest per group, a result line
 * per test point. Consumers read the result line alone, so seeds and reasons stand on `#` lines before it.
 */
import type { Group, Point, PointReport } from './points.ts';

/** Lines of one point that are shown; the others are counted. */
const MOST = 400;

interface Node {
  readonly name: string;
  readonly notes: readonly string[];
  readonly children: readonly (Node | Point)[];
}

/** One run: its groups are the top-level tests. Ends with a newline. */
export function formatKtap(report: PointReport): string {
  return document(
    [report.title, ...notesOf(report)],
    report.groups.map((group) => nodeOf(group)),
  );
}

/** A matrix: a top-level test per kernel, and one for the kernels against each other. */
export function formatMatrixKtap(title: string, reports: readonly PointReport[]): string {
  return document(
    [title],
    reports.map((report) => ({
      name: report.title,
      notes: notesOf(report),
      children: report.groups.map((group) => nodeOf(group)),
    })),
  );
}

function notesOf({ properties }: PointReport): string[] {
  return properties.map(([name, value]) => `${name}: ${value}`);
}

function nodeOf({ name, points }: Group): Node {
  return { name, notes: [], children: points };
}

function document(notes: readonly string[], nodes: readonly Node[]): string {
  const tests = nodes.flatMap((node, i) => nodeLines(node, i + 1));
  return `${['KTAP version 1', ...notes.flatMap(comment), `1..${nodes.length}`, ...tests].join('\n')}\n`;
}

function isNode(one: Node | Point): one is Node {
  return 'children' in one;
}

function nodeLines(node: Node, number: number): string[] {
  const inner = [
    'KTAP version 1',
    `# Subtest: ${plain(node.name)}`,
    ...node.notes.flatMap(comment),
    `1..${node.children.length}`,
  ];
  inner.push(
    ...node.children.flatMap((child, i) => (isNode(child) ? nodeLines(child, i + 1) : pointLines(child, i + 1))),
  );
  return [...inner.map((line) => `    ${line}`), resultLine(node.name, number, stateOf(node))];
}

function stateOf(node: Node): Point['state'] {
  const states = node.children.map((child) => (isNode(child) ? stateOf(child) : child.state));
  if (states.some((state) => state === 'fail' || state === 'error')) return 'fail';
  return states.length > 0 && states.every((state) => state === 'skip') ? 'skip' : 'pass';
}

function pointLines({ name, state, message, lines }: Point, number: number): string[] {
  const said = [...(message === undefined || lines.includes(message) ? [] : [message]), ...lines];
  const shown = said.length <= MOST ? said : [...said.slice(0, MOST), `${said.length - MOST} more lines`];
  return [...shown.flatMap(comment), resultLine(name, number, state)];
}

function resultLine(name: string, number: number, state: Point['state']): string {
  const mark = state === 'fail' || state === 'error' ? 'not ok' : 'ok';
  return `${mark} ${number} ${plain(name).replaceAll('#', '').trim()}${state === 'skip' ? ' # SKIP' : ''}`;
}

/** `#` lines. What comes from a console must not end a line, nor look like a directive of its own. */
function comment(text: string): string[] {
  // "# Subtest" opens a subtest; with a second blank it is a remark like any other.
  return text.split(/\r\n|[\n\r\u2028\u2029]/).map((line) => `# ${plain(line).replace(/^(?=Subtest)/, ' ')}`.trimEnd());
}

/** Control characters as `\x1b`. */
function plain(text: string): string {
  return text.replace(
    /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
