/** Deliberate mistakes as data, and the oracle with one of them in it: one text of its source is replaced. */
import type { predict } from '../../oracle/predict.ts';
import { Workshop } from '../workshop.ts';

/** One mistake: in `file` (relative to oracle/), `find` (exactly once) becomes `replace`. */
export interface Mistake {
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Suites whose recordings are tried first. */
  readonly likely: readonly string[];
}

const FRONT_DOOR = 'oracle/predict.ts';

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
export class Mutants {
  readonly #workshop = new Workshop(FRONT_DOOR);

  /**
   * The oracle's predict with the mistake, or (undefined) without any.
   * @throws Error when the text is not there exactly once
   */
  async predict(mistake: Mistake | undefined): Promise<typeof predict> {
    const changes = mistake === undefined ? [] : [[`oracle/${mistake.file}`, this.#apply(mistake)] as const];
    const copy = this.#workshop.copy(new Map(changes));
    return (await copy.load<{ readonly predict: typeof predict }>(FRONT_DOOR)).predict;
  }

  #apply({ name, file, find, replace }: Mistake): string {
    const text = this.#workshop.sources.get(`oracle/${file}`);
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
    this.#workshop.dispose();
  }
}
