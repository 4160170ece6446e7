import fc from 'fast-check';
import { expect, it } from 'vitest';
import { plainText } from './plain-text.js';

it.each([
  ['a red line\u001b[31m', 'a red line\\u{1b}[31m'],
  ['one\nlockstep: forged', 'one\\u{a}lockstep: forged'],
  ['turned \u202e round', 'turned \\u{202e} round'],
  ['naïve 数字 🙂', 'naïve 数字 🙂'],
])('cases: peers 17: %j is shown as %j', (text, shown) => expect(plainText(text)).toBe(shown));

it('shows any text in one line without controls, and the same when it is shown again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const shown = plainText(text);
      expect(shown).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      expect(plainText(shown)).toBe(shown);
    }),
  );
});
