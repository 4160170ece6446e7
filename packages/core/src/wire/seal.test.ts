import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseSeal, openNobleSeal, type Seal, sealByNode } from './seal.js';

const sealByNoble = openNobleSeal();
const kinds: readonly (readonly [string, Seal])[] = [
  ['node:crypto', sealByNode],
  ['@noble/ciphers', sealByNoble],
];

const fromHex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** The one-time key of RFC 8439, 2.6.2, with what it then makes of a text: worked out from r and s by Python's integers. */
const KEY = fromHex('808182838485868788898a8b8c8d8e8f 909192939495969798999a9b9c9d9e9f');
const NONCE = fromHex('000000000001020304050607');
const TEXT = new TextEncoder().encode('Cryptographic Forum Research Group');

describe.each(kinds)('the seal by %s', (_, seal) => {
  it('is the Poly1305 tag of the text under the one-time key of RFC 8439, 2.6.2', () => {
    expect(seal(KEY, NONCE, [TEXT]).toString('hex')).toBe('92ccfbae692069545b0c84c6ad7963c6');
  });

  it('is the same however the bytes are cut', () => {
    const whole = seal(KEY, NONCE, [TEXT]);
    for (let at = 0; at <= TEXT.length; at++) {
      expect(seal(KEY, NONCE, [TEXT.subarray(0, at), TEXT.subarray(at)]).equals(whole)).toBe(true);
    }
  });
});

it('cases: peers 28: both make the same seals, of any key, count and bytes', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(
    fc.property(
      bytes(32),
      bytes(12),
      fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 3 }),
      (key, nonce, parts) => sealByNode(key, nonce, parts).equals(sealByNoble(key, nonce, parts)),
    ),
  );
  const large = new Uint8Array(1 << 20).fill(0xff);
  expect(sealByNode(KEY, NONCE, [large]).equals(sealByNoble(KEY, NONCE, [large]))).toBe(true);
});

it('cases: peers 28: a runtime without the cipher seals all the same', () => {
  const unknown: Seal = () => {
    throw new Error('Unknown cipher');
  };
  expect(chooseSeal(unknown)(KEY, NONCE, [TEXT]).equals(sealByNode(KEY, NONCE, [TEXT]))).toBe(true);
  expect(chooseSeal()).toBe(sealByNode);
});
