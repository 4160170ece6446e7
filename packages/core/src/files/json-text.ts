/**
 * Reads JSON of people, other programs and other machines: no deeper, longer or fuller than any of ours, with errors that name
 * line and column (JSON.parse leaves them out in some versions of Node).
 */

/** Where and why a text is not JSON; line and column count from 1. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** `expected ... but found ...`. */
  readonly text: string;
}

/** Values inside each other at the most: no file of ours has ten, and whoever walks through more runs out of stack. */
const MAX_DEPTH = 200;
/** Of any text that is read whole. */
export const MAX_TEXT_BYTES = 64 * 2 ** 20;
/** Each takes some tens of bytes, whatever its text takes. The fullest of our files has some tens of thousands. */
const MAX_VALUES = 4_000_000;

/** The value, or where the text stops being JSON or is too large. A byte order mark is skipped. */
export function parseJson(text: string): { readonly value: unknown } | { readonly fault: JsonFault } {
  const json = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const excess = findExcess(json);
  if (excess !== undefined) return { fault: { ...placeOf(json, excess.at), text: excess.text } };
  try {
    return { value: JSON.parse(json) as unknown };
  } catch {
    return { fault: new Scanner(json).findFault() };
  }
}

/** The value that a text holds; undefined where it is no JSON, or JSON of more than is read. */
export function readJson(text: string): unknown {
  const parsed = parseJson(text);
  return 'value' in parsed ? parsed.value : undefined;
}

/** Where there is more than is read, before anything is kept of it; undefined when there is not. */
function findExcess(json: string): { readonly at: number; readonly text: string } | undefined {
  if (json.length > MAX_TEXT_BYTES) return { at: 0, text: `more than ${MAX_TEXT_BYTES >> 20} MiB` };
  let depth = 0;
  let values = 1;
  for (let at = 0; at < json.length; at++) {
    const character = json[at];
    if (character === '"') {
      for (at++; at < json.length && json[at] !== '"'; at++) if (json[at] === '\\') at++;
    } else if (character === '{' || character === '[') {
      values++;
      if (++depth > MAX_DEPTH) return { at, text: `more than ${MAX_DEPTH} values inside each other` };
    } else if (character === '}' || character === ']') depth--;
    else if (character === ',') values++;
    if (values > MAX_VALUES) return { at, text: `more than ${MAX_VALUES} values` };
  }
  return undefined;
}

/** Line and column of an offset. */
export function placeOf(text: string, offset: number): Pick<JsonFault, 'line' | 'column'> {
  let [line, begin] = [1, 0];
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', begin)) {
    line++;
    begin = at + 1;
  }
  return { line, column: offset - begin + 1 };
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /(?:-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null)(?![A-Za-z0-9_.+-])/y;

const SPACE_CODE = 0x20;

/** Where the string behind its opening quote at a place ends, closing quote included; undefined where there is none. */
export function findStringEnd(text: string, from: number): number | undefined {
  if (text[from] !== '"') return undefined;
  // no pattern: those with a choice inside their loop run out of stack after some millions of letters
  for (let at = from + 1; at < text.length; at++) {
    const letter = text[at] as string;
    if (letter === '"') return at + 1;
    if (text.charCodeAt(at) < SPACE_CODE) return undefined;
    if (letter !== '\\') continue;
    const escaped = text[++at] ?? '';
    if (escaped === 'u' && /^[0-9a-fA-F]{4}$/.test(text.slice(at + 1, at + 5))) at += 4;
    else if (!/^["\\/bfnrt]$/.test(escaped)) return undefined;
  }
  return undefined;
}

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

  private skipString(): boolean {
    const end = findStringEnd(this.text, this.position);
    this.position = end ?? this.position;
    return end !== undefined;
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
    else if (!this.skipString() && !this.skip(SCALAR)) throw new Unexpected('a value');
  }

  private skipMember(): void {
    this.skip(SPACE);
    if (!this.skipString()) throw new Unexpected('a name in double quotes');
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
