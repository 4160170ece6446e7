/** The last measurements of something, of which the middle one counts: a process that was held once is no slower for it. */

const WINDOW = 9;
/** Too few to tell anything. */
const LEAST = 3;

export class Recent {
  readonly #values: number[] = [];
  #isFirst = true;

  /** The first is left out: it starts threads and compiles code. */
  note(value: number): void {
    if (!this.#isFirst) this.#values.push(value);
    this.#isFirst = false;
    if (this.#values.length > WINDOW) this.#values.shift();
  }

  /** Undefined until there are enough. */
  get median(): number | undefined {
    if (this.#values.length < LEAST) return undefined;
    return [...this.#values].sort((a, b) => a - b)[Math.floor(this.#values.length / 2)];
  }
}
