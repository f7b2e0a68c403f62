/** What formatter and linters leave open: no line is wider than 120 columns, and every export says what it is. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync } from 'oxc-parser';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const WIDTH = 120;
const SOURCE = /\.(ts|js|c|h|css)$/;

/** Lines wider than WIDTH, as `file:line: ...`. */
export function wideLines(path: string, text: string): readonly string[] {
  return text.split('\n').flatMap((line, i) => {
    // A tab is drawn up to the next multiple of 8.
    let width = 0;
    for (const character of line) width = character === '\t' ? (width | 7) + 1 : width + 1;
    return width > WIDTH ? [`${path}:${i + 1}: ${width} columns, at most ${WIDTH}`] : [];
  });
}

/** Exports of a module without a docstring before them, as `file:line: ...`. */
export function undocumented(path: string, text: string): readonly string[] {
  const { program, comments } = parseSync(path, text);
  const docs = comments.filter(({ type, value }) => type === 'Block' && value.startsWith('*'));
  return program.body.flatMap((node) => {
    if (node.type !== 'ExportNamedDeclaration' || node.declaration === null) return [];
    const before = text.slice(0, node.start).trimEnd();
    if (docs.some(({ end }) => end === before.length)) return [];
    return [`${path}:${before.split('\n').length + 1}: an export without a docstring`];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const wrong = files
    .split('\n')
    .filter((path) => SOURCE.test(path))
    .flatMap((path) => {
      const text = readFileSync(join(ROOT, path), 'utf8');
      const documents = path.endsWith('.ts') && !path.endsWith('.test.ts');
      return [...wideLines(path, text), ...(documents ? undocumented(path, text) : [])];
    });
  for (const line of wrong) console.log(line);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
