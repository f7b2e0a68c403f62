/** Keeps a guest's console: whole up to a cap, then its beginning and its end. */
export class ConsoleBuffer {
  readonly #half: number;
  #head = '';
  #tail: string[] = [];
  #tailLength = 0;
  #dropped = 0;

  /** @param cap characters to keep, at least 2 */
  constructor(cap: number) {
    this.#half = Math.max(1, Math.floor(cap / 2));
  }

  /** Adds text. */
  add(text: string): void {
    const room = this.#half - this.#head.length;
    this.#head += text.slice(0, room);
    const rest = text.slice(room);
    if (rest === '') return;
    this.#tail.push(rest);
    this.#tailLength += rest.length;
    if (this.#tailLength > 2 * this.#half) this.#compact();
  }

  #compact(): void {
    const all = this.#tail.join('');
    const keep = all.slice(-this.#half);
    this.#dropped += all.length - keep.length;
    this.#tail = [keep];
    this.#tailLength = keep.length;
  }

  /** What was kept; a line in square brackets stands for what was not. */
  get text(): string {
    if (this.#tailLength > this.#half) this.#compact();
    const gap = this.#dropped > 0 ? `\n[... ${this.#dropped} characters left out ...]\n` : '';
    return this.#head + gap + this.#tail.join('');
  }
}
