/** What a field of a run is, how it is called on the command line and how its text is read. */
import { type Check, isBoolean, isText, LockstepError } from '@lockstep/core/errors';

export { type Check, isBoolean, isFraction, isOneOf, isText, isWholeNumber } from '@lockstep/core/errors';

export type Section = 'Launch' | 'Run' | 'Cluster' | 'Data' | 'Recipe' | 'Output' | 'Watching';

/** One value that a flag or a line of a config file can set. */
export interface Field {
  /** Commander's form: `--lr, --learning-rate <rate>`, `--nesterov`. */
  readonly flags: string;
  /** Where the value goes: `['workers']`, `['recipe', 'optimizer', 'momentum']`. */
  readonly path: readonly string[];
  readonly section: Section;
  readonly description: string;
  /** How the flag's text is read: a number, numbers or texts between commas, text as it is, or a switch without text. */
  readonly kind: 'number' | 'numbers' | 'text' | 'texts' | 'switch';
  /** What the flag means without a value; its form is then `--flag [value]`. */
  readonly alone?: string;
  /** Whether it names a file that the command writes, which may be its stdout. */
  readonly isWritten?: boolean;
  /** Shown by --help. */
  readonly defaultText?: string;
  /** For what the recipe's schema does not check. */
  readonly check?: Check;
}

/** @param path with dots between its parts: `recipe.optimizer.betas` */
type MakeField = (flags: string, path: string, description: string, more?: Partial<Field>) => Field;

/**
 * What makes the fields of a section, by their kind: `const { text, number } = fieldsIn('Cluster')`; `written` is the path
 * of a file that the command writes.
 *
 * @param above where all their paths begin
 */
export function fieldsIn(section: Section, ...above: readonly string[]) {
  const kind =
    (kind: Field['kind'], check?: Check, own?: Partial<Field>): MakeField =>
    (flags, path, description, more) => ({
      flags,
      path: [...above, ...path.split('.')],
      section,
      kind,
      description,
      ...(check && { check }),
      ...own,
      ...more,
    });
  return {
    number: kind('number'),
    numbers: kind('numbers'),
    text: kind('text', isText),
    written: kind('text', isText, { isWritten: true }),
    texts: kind('texts'),
    toggle: kind('switch', isBoolean),
  };
}

/** `--learning-rate`: the last long name of a field's flags. */
export const flagName = (field: Pick<Field, 'flags'>): string =>
  field.flags
    .split(/[ ,]+/)
    .filter((part) => part.startsWith('--'))
    .at(-1) ?? field.flags;

/** Commander's key for a flag: `--no-save` and `--save` share `save`. */
export const optionKey = (field: Pick<Field, 'flags'>): string =>
  flagName(field)
    .replace(/^--(no-)?/, '')
    .replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

/**
 * Turns a flag's text into the field's value.
 *
 * @throws LockstepError LOCKSTEP_CLI_OPTION when a number is expected and the text is none
 */
export function readFlagText(field: Field, text: string): unknown {
  if (field.kind === 'number') return readNumber(field, text, text);
  if (field.kind === 'numbers') return text.split(',').map((part) => readNumber(field, part, text));
  if (text === '') throw optionError(`${flagName(field)} is empty; ${expectedText(field)}`);
  return field.kind === 'texts' ? text.split(',').map((part) => part.trim()) : text;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function readNumber(field: Field, part: string, text: string): number {
  if (!NUMBER.test(part.trim())) throw optionError(`${flagName(field)} ${quote(text)}: ${expectedText(field)}`);
  return Number(part);
}

const expectedText = (field: Field): string =>
  field.kind === 'number'
    ? 'must be a number'
    : field.kind === 'numbers'
      ? 'must be numbers with commas between them, such as 0.9,0.999'
      : 'it needs a value';

/** The text as it is when a shell would take it as one word, else in double quotes. */
export const quote = (text: string): string => (/^[\w.,:/\\+-]+$/.test(text) ? text : JSON.stringify(text));

export const optionError = (text: string): LockstepError => new LockstepError('LOCKSTEP_CLI_OPTION', text);

/** Every command has this flag (command-line.ts); a config file has the field. */
export const offlineField = fieldsIn('Run').toggle(
  '--offline',
  'offline',
  'never touch the network; as LOCKSTEP_OFFLINE=1 in the environment',
);
