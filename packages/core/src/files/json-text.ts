/** Reads JSON that a person wrote, with errors that name line and column (JSON.parse leaves them out in some versions of Node). */

/** Where and why a text is not JSON; line and column count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** `expected ... but found ...`. */
  readonly text: string;
}

/** Values inside each other at the most: no file of ours has ten, and whoever walks through more runs out of stack. */
const MAX_DEPTH = 200;

/** The value, or where the text stops being JSON or is nested too deeply. A byte order mark is skipped. */
export function parseJson(text: string): { readonly value: unknown } | { readonly fault: JsonFault } {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const deep = findTooDeep(json);
  if (deep !== undefined)
    return { fault: { ...placeOf(json, deep), text: `more than ${MAX_DEPTH} values inside each other` } };
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    return { fault: new Scanner(json).findFault() };
  }
}

/** Where the first value begins that stands too deep; undefined when there is none. */
function findTooDeep(json: string): number | undefined {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === '\\') at++;
    } else if (character === '{' || character === '[') {
      if (++depth > MAX_DEPTH) return at;
    } else if (character === '}' || character === ']') depth--;
  }
  return undefined;
}

function placeOf(text: string, position: number): Pick<JsonFault, 'line' | 'column'> {
  const before = text.slice(0, position).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

const SPACE = /[ \t\n\r]*/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these characters inside strings.
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![A-Za-z0-9_.+-])/y;

/** What the scanner met where the grammar asks for something else. */
class Unexpected extends Error {
  constructor(readonly expected: string) {
    super(expected);
  }
}

/** Walks through the grammar of RFC 8259 and stops at the first character that does not belong. */
class Scanner {
  private position = 0;

  constructor(private readonly text: string) {}

  findFault(): JsonFault {
    let expected = 'valid JSON';
    try {
      this.skipValue();
      this.skip(SPACE);
      expected = 'the end of the file';
    } catch (error) {
      if (!(error instanceof Unexpected)) throw error;
      expected = error.expected;
    }
    return { ...placeOf(this.text, this.position), text: `expected ${expected} but found ${this.describeNext()}` };
  }

  private describeNext(): string {
    if (this.position >= this.text.length) return 'the end of the file';
    const word = /[A-Za-z0-9_.+-]{1,20}|./suy;
    word.lastIndex = this.position;
    return JSON.stringify(word.exec(this.text)?.[0]);
  }

  private skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.position;
    const match = pattern.exec(this.text);
    if (match !== null) this.position += match[0].length;
    return match !== null;
  }

  private skipText(text: string): boolean {
    this.skip(SPACE);
    if (!this.text.startsWith(text, this.position)) return false;
    this.position += text.length;
    return true;
  }

  private skipValue(): void {
    if (this.skipText('{')) this.skipItems('}', () => this.skipMember());
    else if (this.skipText('[')) this.skipItems(']', () => this.skipValue());
    else if (!this.skip(STRING) && !this.skip(SCALAR)) throw new Unexpected('a value');
  }

  private skipMember(): void {
    this.skip(SPACE);
    if (!this.skip(STRING)) throw new Unexpected('a name in double quotes');
    if (!this.skipText(':')) throw new Unexpected('":"');
    this.skipValue();
  }

  private skipItems(close: string, skipItem: () => void): void {
    if (this.skipText(close)) return;
    do skipItem();
    while (this.skipText(','));
    if (!this.skipText(close)) throw new Unexpected(`"," or "${close}"`);
  }
}
