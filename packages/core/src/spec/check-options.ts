/** Checks what a program gives to a function of the library: by the schemas and in the words of flags and config files. */
import { z } from 'zod';
import { type Check, describeSetting } from '../errors/checks.js';
import { LockstepError } from '../errors/errors.js';
import { suggestOption } from '../errors/nearest.js';

/** A schema of what a check allows; its error is the check's. */
export const allowedBy = <T>(check: Check): z.ZodType<T, T> =>
  z.custom<T>((value) => check(value) === undefined, { error: ({ input }) => check(input) });

/** What a schema says of a value that it does not allow. */
export const checkBy =
  (schema: z.ZodType): Check =>
  (value) =>
    schema.safeParse(value).error?.issues[0]?.message;

/** An object with these fields and no others; `sentence` says so where there is something else. */
export const fieldsOf = <Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  sentence = 'must be an object with options',
) => z.strictObject(shape, { error: ({ code }) => (code === 'invalid_type' ? sentence : undefined) });

/**
 * Checks the options of a function.
 *
 * @returns them, in the form that the schema gives them
 * @throws LockstepError LOCKSTEP_OPTION naming the option, its value and what is allowed, or the nearest known name
 */
export function checkOptions<Schema extends z.ZodObject>(schema: Schema, options: unknown): z.output<Schema> {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  throw explain(schema, result.error.issues[0] as z.core.$ZodIssue, options);
}

/** Checks one argument of a function. @throws LockstepError LOCKSTEP_OPTION */
export function checkArgument(name: string, value: unknown, check: Check): void {
  const allowed = check(value);
  if (allowed === undefined) return;
  throw new LockstepError('LOCKSTEP_OPTION', `${describeSetting([name], value)}: ${allowed}`);
}

function explain(schema: z.ZodObject, issue: z.core.$ZodIssue, options: unknown): LockstepError {
  if (issue.code === 'unrecognized_keys') {
    const name = String(issue.keys[0]);
    const place = issue.path.length === 0 ? '' : ` of ${issue.path.map(String).join('.')}`;
    return optionError(`unknown option "${name}"${place}${suggestOption(name, listNames(schema, issue.path))}`);
  }
  if (issue.path.length === 0) return optionError(issue.message);
  const value = issue.path.reduce((at: unknown, name) => Object(at)[name], options);
  return optionError(`${describeSetting(issue.path, value)}: ${issue.message}`);
}

/** What a program has given is not allowed. */
export const optionError = (text: string): LockstepError => new LockstepError('LOCKSTEP_OPTION', `options: ${text}`);

/** The names that an object at a path may have. */
function listNames(schema: z.ZodObject, path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const name of path) {
    at = at instanceof z.ZodObject ? at.shape[name as string] : undefined;
    while (at instanceof z.ZodOptional) at = at.unwrap();
  }
  return at instanceof z.ZodObject ? Object.keys(at.shape) : [];
}
