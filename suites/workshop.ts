/**
 * Our own sources with something changed, running beside the originals. The shipped code has no hooks for this: the
 * modules are copied to a temporary directory, some texts are replaced or added there, and Node itself loads the copy
 * and strips the types.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { compileFunction, constants } from 'node:vm';

/** Texts that are not as in the sources, or not there, by path from the root of the project. */
export type Changes = ReadonlyMap<string, string>;

/** Sources beside the originals. */
export interface Copy {
  /** Where they are; paths are as from the root of the project. */
  readonly directory: string;
  /** Loads a module, by its path from the root of the project. */
  load<T>(module: string): Promise<T>;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SPECIFIER = /from '(\.[^']+\.ts)'/g;

// The test runner rewrites import(); this one is Node's.
const load = compileFunction('return import(url)', ['url'], {
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as <T>(url: string) => Promise<T>;

/** The source of these modules and of all that they import, by path from the root. */
function sourcesOf(modules: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const visit = (path: string): void => {
    const name = relative(ROOT, path);
    if (found.has(name)) return;
    const text = readFileSync(path, 'utf8');
    found.set(name, text);
    for (const [, specifier] of text.matchAll(SPECIFIER)) visit(resolve(dirname(path), specifier!));
  };
  for (const module of modules) visit(join(ROOT, module));
  return found;
}

/** Makes copies of some modules and of all that they import. Call `dispose` at the end. */
export class Workshop {
  /** Every text that is copied, by path from the root of the project. */
  readonly sources: Changes;
  readonly #directory = mkdtempSync(join(tmpdir(), 'ringfence-copy-'));
  #count = 0;

  /** Reads the modules, named by their path from the root of the project. */
  constructor(...modules: readonly string[]) {
    this.sources = sourcesOf(modules);
    writeFileSync(join(this.#directory, 'package.json'), '{"type":"module"}');
    symlinkSync(join(ROOT, 'node_modules'), join(this.#directory, 'node_modules'));
  }

  /** Writes a copy with these changes. */
  copy(changes: Changes = new Map()): Copy {
    const directory = join(this.#directory, String(this.#count++));
    for (const [name, text] of new Map([...this.sources, ...changes])) {
      const path = join(directory, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return { directory, load: (module) => load(pathToFileURL(join(directory, module)).href) };
  }

  /** Removes all copies. */
  dispose(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
