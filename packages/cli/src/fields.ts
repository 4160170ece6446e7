/** What a field of a run is, how it is called on the command line and how its text is read. */
import { LockstepError, nearestName } from '@lockstep/core/errors';

export type Group = 'Launch' | 'Run' | 'Cluster' | 'Data' | 'Recipe' | 'Output' | 'Watching';

/** Says what is allowed when a value is not: `must be a whole number from 1 to 1024`. */
export type Check = (value: unknown) => string | undefined;

/** One value that a flag or a line of a config file can set. */
export interface Field {
  /** Commander's form: `--lr, --learning-rate <rate>`, `--nesterov`. */
  readonly flags: string;
  /** Where the value goes: `['workers']`, `['recipe', 'optimizer', 'momentum']`. */
  readonly path: readonly string[];
  readonly group: Group;
  readonly description: string;
  /** How the flag's text is read: a number, numbers or texts between commas, text as it is, or a switch without text. */
  readonly kind: 'number' | 'numbers' | 'text' | 'texts' | 'switch';
  /** What the flag means without a value; its form is then `--flag [value]`. */
  readonly alone?: string;
  /** Shown by --help. */
  readonly defaultText?: string;
  /** For what the recipe's schema does not check. */
  readonly check?: Check;
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

export const isWholeNumber =
  (minimum: number, maximum: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum
      ? undefined
      : `must be a whole number ${maximum === Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`}`;

/** A fraction above 0, up to 1. */
export const isFraction: Check = (value) => {
  if (typeof value === 'number' && value > 0 && value <= 1) return undefined;
  const isPercent = typeof value === 'number' && value > 1 && value <= 100;
  const hint = isPercent ? `. Did you mean ${Number((value / 100).toPrecision(12))}?` : '';
  return `must be a fraction above 0 and up to 1, such as 0.994${hint}`;
};

const INTERVAL = /^(\d+)\s*(steps?|epochs?)$/;

/** An interval such as `500 steps`, `2 epochs`. */
export interface Interval {
  readonly count: number;
  readonly unit: 'steps' | 'epochs';
}

export function readInterval(text: string): Interval | undefined {
  const [, count, unit] = INTERVAL.exec(text.trim()) ?? [];
  if (count === undefined || Number(count) < 1 || !Number.isSafeInteger(Number(count))) return undefined;
  return { count: Number(count), unit: unit?.startsWith('step') ? 'steps' : 'epochs' };
}

export const isInterval: Check = (value) =>
  typeof value === 'string' && readInterval(value) !== undefined
    ? undefined
    : 'must be a number of steps or epochs, such as "500 steps" or "2 epochs"';

export const isText: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be text');

export const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

export const isOneOf =
  (...names: readonly string[]): Check =>
  (value) => {
    if (names.includes(value as string)) return undefined;
    const nearest = typeof value === 'string' && names.length > 1 ? `. Did you mean ${nearestName(value, names)}?` : '';
    return `must be ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}${nearest}`;
  };
