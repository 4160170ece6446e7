/** Where a value stands in a JSON text, for errors about what is JSON but not what was meant. */
import { findStringEnd, type JsonFault, placeOf } from './json-text.js';

/** All but strings. */
const TOKEN = /[^\s,:[\]{}"]+|[,:[\]{}]/y;

/**
 * The line and column, counted from 1, of the key at a path, or of the item of a list; of the nearest one around it where
 * the path leads to nothing. Of a key that stands twice the last, which is the one that counts.
 *
 * @param text whole JSON
 */
export function findJsonPlace(text: string, path: readonly PropertyKey[]): Pick<JsonFault, 'line' | 'column'> {
  return placeOf(text, new Walker(text).find(path));
}

/** Goes through the tokens of a text that is known to be JSON. */
class Walker {
  #next: { readonly token: string; readonly at: number };
  #position = 0;

  constructor(private readonly text: string) {
    this.#next = this.#read();
  }

  /** Offset of the key or item at a path below the value that comes next. */
  find(path: readonly PropertyKey[]): number {
    const { at } = this.#next;
    return this.#findBelow(path) ?? at;
  }

  /** Walks through one value; undefined where the path leads to nothing in it. */
  #findBelow([name, ...rest]: readonly PropertyKey[]): number | undefined {
    const { token: open } = this.#take();
    if (open !== '{' && open !== '[') return undefined;
    let found: number | undefined;
    for (let index = 0; !isClose(this.#next.token); index++) {
      const { token, at } = this.#next;
      if (open === '{') {
        this.#take();
        this.#take();
      }
      const own = open === '{' ? (JSON.parse(token) as string) : index;
      if (own === name) found = (rest.length > 0 ? this.#findBelow(rest) : void this.#findBelow([])) ?? at;
      else this.#findBelow([]);
      if (this.#next.token === ',') this.#take();
    }
    this.#take();
    return found;
  }

  #take(): { readonly token: string; readonly at: number } {
    const taken = this.#next;
    this.#next = this.#read();
    return taken;
  }

  #read(): { readonly token: string; readonly at: number } {
    const space = /[\s\uFEFF]*/y;
    space.lastIndex = this.#position;
    this.#position += space.exec(this.text)?.[0].length ?? 0;
    const at = this.#position;
    TOKEN.lastIndex = at;
    const end = findStringEnd(this.text, at);
    const token = end === undefined ? (TOKEN.exec(this.text)?.[0] ?? '}') : this.text.slice(at, end);
    this.#position += token.length;
    return { token, at };
  }
}

const isClose = (token: string): boolean => token === '}' || token === ']';
