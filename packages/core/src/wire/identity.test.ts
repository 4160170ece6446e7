import { expect, it } from 'vitest';
import { Identity } from './identity.js';

const TOKEN = Buffer.from('a token for the tests');

it('two nodes have the same secret, which a third one with the token does not have', () => {
  const [one, other, third] = [new Identity(), new Identity(), new Identity()];
  const secret = one.secretWith(TOKEN, other.key);
  expect(secret).toHaveLength(32);
  expect(other.secretWith(TOKEN, one.key)).toEqual(secret);
  expect(third.secretWith(TOKEN, one.key)).not.toEqual(secret);
  expect(third.secretWith(TOKEN, other.key)).not.toEqual(secret);
  expect(other.secretWith(Buffer.from('a token of another run'), one.key)).not.toEqual(secret);
});

it('says that a key is none, where it is not a point of the curve', () => {
  // y² = x³ - 3x + b has no root there
  const none = `02${'1'.padStart(64, '0')}`;
  const refusal = expect.objectContaining({ code: 'LOCKSTEP_NODE_IDENTITY' });
  expect(() => new Identity().secretWith(TOKEN, none)).toThrow(refusal);
  expect(() => new Identity().secretWith(TOKEN, `03${'f'.repeat(64)}`)).toThrow(refusal);
});
