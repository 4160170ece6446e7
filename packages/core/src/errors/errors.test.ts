import { expect, it } from 'vitest';
import { LockstepError } from './errors.js';

it.each([
  [
    'no checkpoint in a: 4 bytes belong to no tensor.. Give a folder.',
    'no checkpoint in a: 4 bytes belong to no tensor. Give a folder.',
  ],
  ['cannot read a: it is cut..', 'cannot read a: it is cut.'],
  ['cannot read ../a. Give another path.', 'cannot read ../a. Give another path.'],
  ['cannot write to a/.. Give another path.', 'cannot write to a/.. Give another path.'],
  ['cannot write to .. Give another path.', 'cannot write to .. Give another path.'],
  ['more is to come... Wait.', 'more is to come... Wait.'],
])('cases: work 31: a sentence within another has one full stop: %s', (text, expected) => {
  const error = new LockstepError('LOCKSTEP_X', text);
  expect(error.text).toBe(expected);
  expect(error.message).toBe(`LOCKSTEP_X: ${expected}`);
});
