/** What is wrong with a value that a schema refuses, in words for the person who wrote it. */

import { didYouMean, suggestOption } from '../errors/nearest.js';
import { countOf } from './count-text.js';

/** The parts of zod's issues that are put into words. */
export interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
  /** The field that chooses among forms, where it has none that is known. */
  readonly discriminator?: string | undefined;
  readonly options?: readonly unknown[];
  readonly values?: readonly unknown[];
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly divisor?: number;
  readonly origin?: string;
  readonly expected?: string;
}

/** For a field that does not belong: `unknown field. Did you mean kernel?`. */
export function describeUnknownField(name: string, place: FieldPlace): string {
  const { takes, of, write = String } = place;
  const written = takes.map(write);
  if (of === undefined) return `unknown field${suggestOption(name, takes)}`;
  return `${of}, which ${takes.length > 0 ? `takes ${written.join(', ')}` : 'takes no such setting'}${didYouMean(name, takes)}`;
}

/** Where a field stands. */
export interface FieldPlace {
  /** The fields that there are. */
  readonly takes: readonly string[];
  /** What has these fields and not others: `the optimizer is sgd`. */
  readonly of?: string | undefined;
  /** How a field is written there. */
  readonly write?: ((name: string) => string) | undefined;
}

/** What a value must be: `must be at least 1`. */
export function describeIssue(issue: Issue, value: unknown): string {
  const choices = issue.options ?? issue.values;
  if (choices !== undefined) {
    const names = choices.map(String);
    const nearest = typeof value === 'string' ? didYouMean(value, names) : '';
    return `must be ${names.length > 1 ? 'one of ' : ''}${names.join(', ')}${nearest}`;
  }
  switch (issue.code) {
    case 'too_small':
      if (issue.origin === 'array') return `must be ${countOf(Number(issue.minimum), 'number')}`;
      return `must be ${issue.inclusive ? 'at least' : 'above'} ${issue.minimum}`;
    case 'too_big':
      if (issue.origin === 'array') return `must be ${countOf(Number(issue.maximum), 'number')}`;
      return `must be ${issue.inclusive ? 'at most' : 'below'} ${issue.maximum}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_type':
      return `must be ${TYPE_NAMES[issue.expected ?? ''] ?? issue.expected}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a finite number',
  boolean: 'true or false',
  object: 'fields under this name',
  array: 'a list of numbers',
  tuple: 'a list of numbers',
};
