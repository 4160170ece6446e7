/** What values are allowed, in the words that a person is told when one is not. */
import { didYouMean } from './nearest.js';

/** Says what is allowed when a value is not: `must be a whole number from 1 to 1024`. */
export type Check = (value: unknown) => string | undefined;

/** A whole number from `minimum`, up to 2^53 - 1 unless told otherwise. */
export const isWholeNumber =
  (minimum: number, maximum: number = Number.MAX_SAFE_INTEGER): Check =>
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

export const isText: Check = (value) => (typeof value === 'string' && value !== '' ? undefined : 'must be text');

export const isTexts: Check = (value) =>
  Array.isArray(value) && value.every((one) => isText(one) === undefined) ? undefined : 'must be a list of texts';

export const isFunction: Check = (value) => (typeof value === 'function' ? undefined : 'must be a function');

export const isBoolean: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false');

export const isOneOf =
  (...names: readonly string[]): Check =>
  (value) => {
    if (names.includes(value as string)) return undefined;
    const nearest = typeof value === 'string' && names.length > 1 ? didYouMean(value, names) : '';
    return `must be ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}${nearest}`;
  };

/** A field and its value, for the start of an error: `recipe.momentum 1.5`, `best "nonsense"`. */
export function describeSetting(path: readonly PropertyKey[], value: unknown): string {
  const text = formatValue(value);
  return `${path.map(String).join('.')}${text === '' ? '' : ` ${text}`}`;
}

/** Short values as they are written; nothing for what has fields of its own, or is not there. */
function formatValue(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value))
    return `[${value.map((one) => (Array.isArray(one) ? '[...]' : formatValue(one))).join(',')}]`;
  return value === undefined || (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? ''
    : String(value);
}
