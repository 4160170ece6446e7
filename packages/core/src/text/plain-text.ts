/** What others wrote, as people may read it: on a terminal, in a log, on a page. */

/** Controls, what turns the direction of writing or is not seen, ends of lines, halves of characters. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The text in one line, with each character that is not to be seen spelled out: `\u{1b}`. */
export const plainText = (text: string): string =>
  text.replace(HIDDEN, (character) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`);
