/**
 * Deliberate mistakes as data, and the oracle with one of them in it. The shipped code has no hooks: its source is
 * copied to a temporary directory, one exact text is replaced, and the copy is loaded by Node itself, which strips the
 * types.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction, constants } from 'node:vm';
import type { predict } from '../../oracle/predict.ts';

/** One mistake: in `file` (relative to oracle/), `find` (exactly once) becomes `replace`. */
export interface Mistake {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Suites whose recordings are tried first. */
  readonly likely: readonly string[];
}

const ORACLE = fileURLToPath(new URL('../../oracle', import.meta.url));
const SPECIFIER = /from '(\.[^']+\.ts)'/g;

/** Source of every module that predict.ts needs, by path relative to oracle/. */
function sources(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    const name = relative(ORACLE, path);
    if (found.has(name)) return;
    const text = readFileSync(path, 'utf8');
    found.set(name, text);
    for (const [, specifier] of text.matchAll(SPECIFIER)) visit(resolve(dirname(path), specifier!));
  };
  visit(join(ORACLE, 'predict.ts'));
  return found;
}

// The test runner rewrites import(); this one is Node's.
const load = compileFunction('return import(url)', ['url'], {
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as (url: string) => Promise<{ readonly predict: typeof predict }>;

/** Matches a text however a formatter broke it into lines: blanks anywhere, a comma before a closing bracket. */
function anyLayout(text: string): RegExp {
  const characters = text.replaceAll(/\s+/g, '').split('');
  const pattern = characters.map((one) => (/[)\]}]/.test(one) ? `,?\\s*${quoted(one)}` : quoted(one)));
  return new RegExp(pattern.join('\\s*'), 'g');
}

function quoted(character: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}

/** Makes faulty oracles. Call `dispose` at the end. */
export class Workshop {
  readonly #sources = sources();
  readonly #directory = mkdtempSync(join(tmpdir(), 'ringfence-mistakes-'));
  #count = 0;

  /**
   * The oracle's predict with the mistake, or (undefined) without any.
   * @throws Error when the text is not there exactly once
   */
  async predict(mistake: Mistake | undefined): Promise<typeof predict> {
    const directory = join(this.#directory, String(this.#count++));
    const changed = mistake === undefined ? undefined : this.#apply(mistake);
    for (const [name, text] of this.#sources) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, name === mistake?.file ? changed! : text);
    }
    writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
    return (await load(pathToFileURL(join(directory, 'predict.ts')).href)).predict;
  }

  #apply({ name, file, find, replace }: Mistake): string {
    const text = this.#sources.get(file);
    if (text === undefined) throw new Error(`mistake "${name}": the oracle has no module ${file}`);
    const found = [...text.matchAll(anyLayout(find))];
    const [only] = found;
    if (only === undefined || found.length > 1) {
      throw new Error(
        `mistake "${name}": its text stands ${found.length} times in ${file}, not once; ` +
          'bring it in line with the source',
      );
    }
    return text.slice(0, only.index) + replace + text.slice(only.index + only[0].length);
  }

  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
