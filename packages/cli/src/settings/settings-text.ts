/** Settings as a person or a program wrote them, YAML or JSON, and where each of them stands. */
import { LockstepError } from '@lockstep/core/errors';
import { findJsonPlace, parseJson } from '@lockstep/core/files';
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
} from 'yaml';

export interface SettingsText {
  /** Of any form. */
  readonly values: unknown;
  /** `run.yaml:7`, where a field is set; the nearest enclosing field when it is not. */
  locate(path: readonly PropertyKey[]): string;
}

/** A value of it takes hundreds of bytes. */
const MOST_YAML_BYTES = 1 << 17;
/** Values inside each other, as of JSON. The library's stack ends at some thousands, and with it the process. */
const MOST_YAML_DEPTH = 200;
/** Values in a map or list: each key is compared with all others. */
const MOST_YAML_ITEMS = 2000;

/** @throws LockstepError LOCKSTEP_CONFIG with file and line, where it is neither JSON nor YAML, by the name of its file */
export function readSettingsText(text: string, path: string): SettingsText {
  return path.toLowerCase().endsWith('.json') ? readJson(text, path) : readYaml(text, path);
}

export const configError = (text: string, cause?: unknown): LockstepError =>
  new LockstepError('LOCKSTEP_CONFIG', text, { cause });

function readJson(text: string, path: string): SettingsText {
  const parsed = parseJson(text);
  if ('value' in parsed) {
    return { values: parsed.value, locate: (field) => `${path}:${findJsonPlace(text, field).line}` };
  }
  throw configError(`${path}:${parsed.fault.line}: not JSON: column ${parsed.fault.column}: ${parsed.fault.text}`);
}

function readYaml(text: string, path: string): SettingsText {
  if (text.length > MOST_YAML_BYTES)
    throw configError(`${path}:1: not settings: more than ${MOST_YAML_BYTES >> 10} KiB`);
  const lines = new LineCounter();
  const excess = findExcess(text, lines);
  if (excess !== undefined) {
    const { line, col } = lines.linePos(excess.at);
    throw configError(`${path}:${line}: not settings: column ${col}: more than ${excess.text}`);
  }
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lines.linePos(error.pos[0]);
    throw configError(`${path}:${line}: not YAML: column ${col}: ${error.message.split('\n')[0]}`);
  }
  const locate = (field: readonly PropertyKey[]): string =>
    `${path}:${lines.linePos(findOffset(document, field)).line}`;
  try {
    return { values: document.toJS() as unknown, locate };
  } catch (cause) {
    throw configError(`${path}:1: not YAML: ${(cause as Error).message}`, cause);
  }
}

/** What there is too much of, and where; undefined when there is not. Looked for as it is read, since the parser has a stack too. */
function findExcess(text: string, lines: LineCounter): { readonly at: number; readonly text: string } | undefined {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    Array.from(parser.next(lexeme));
    const { stack, offset: at } = parser;
    const top = stack.at(-1);
    // the first is the document
    if (stack.length - 1 > MOST_YAML_DEPTH) return { at, text: `${MOST_YAML_DEPTH} values inside each other` };
    if (top && 'items' in top && top.items.length > MOST_YAML_ITEMS) {
      return { at, text: `${MOST_YAML_ITEMS} values beside each other` };
    }
  }
  return undefined;
}

/** Where the key of a field starts in the text; where its parents end, when they do not have it. */
function findOffset(document: Document.Parsed, path: readonly PropertyKey[]): number {
  let node: Node | null = document.contents;
  let offset = 0;
  for (const name of path) {
    if (isAlias(node)) node = node.resolve(document) ?? null;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(name));
      if (pair === undefined) break;
      offset = (pair.key as Node).range?.[0] ?? offset;
      node = pair.value as Node | null;
    } else if (isSeq(node)) {
      node = (node.items[Number(name)] as Node | undefined) ?? null;
      offset = node?.range?.[0] ?? offset;
    } else break;
  }
  return offset;
}
