/** JSON files that Lockstep keeps for itself: what cannot be read of one is made anew, and a line says so. */
import type { z } from 'zod';
import { parseJson } from './json-text.js';
import { readText } from './text-file.js';

/**
 * What a file holds; undefined where there is none, where it is damaged, or where another version wrote it. All but the
 * first is told.
 *
 * @param tell takes what is wrong, to stand behind the path: `is damaged (line 1, column 9: ...)`. Never a raw error
 */
export function readKeptJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
  tell: (fault: string) => void,
): z.output<Schema> | undefined {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // that a file stands where the folder should be is for writing to report
    if (code !== 'ENOENT' && code !== 'ENOTDIR') tell(`cannot be read (${code})`);
    return undefined;
  }
  const parsed = parseJson(text);
  if ('fault' in parsed) {
    const { line, column, text: expected } = parsed.fault;
    tell(`is damaged (line ${line}, column ${column}: ${expected})`);
    return undefined;
  }
  const result = schema.safeParse(parsed.value);
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.map(String).join('.');
  tell(`was written by another version of lockstep, or damaged${field ? ` (${field})` : ''}`);
  return undefined;
}
