import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Conduct } from './conduct.js';

const TEN_MINUTES_MS = 600_000;

/** Why it is not let in: the code; undefined when it is. */
function codeOf(conduct: Conduct, host: string, saidName: string): string | undefined {
  try {
    conduct.check({ host, saidName });
    return undefined;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

it('cases: peers 7: lets a liar with ever new names in a bounded number of times, however fast it comes back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 5000 }), fc.boolean(), (everyMs, hasAgreed) => {
      let now = 0;
      const conduct = new Conduct(() => now);
      const joins: number[] = [];
      for (; now < TEN_MINUTES_MS; now += everyMs) {
        const saidName = `liar ${now}`;
        if (codeOf(conduct, '10.0.0.7', saidName) !== undefined) continue;
        joins.push(now);
        if (hasAgreed) conduct.agree({ host: '10.0.0.7', saidName });
        conduct.strike({ host: '10.0.0.7', saidName });
      }
      expect(joins.filter((ms) => ms < 38_000).length).toBeLessThanOrEqual(6);
      expect(joins.length).toBeLessThanOrEqual(10);
    }),
    { numRuns: 20 },
  );
});

it('cases: peers 7: keeps nobody out who was there before, and gives shards at once only to those', () => {
  const conduct = new Conduct(() => 0);
  const honest = { host: '10.0.0.7', saidName: 'honest' };
  conduct.agree(honest);
  conduct.strike({ host: '10.0.0.7', saidName: 'liar' });
  expect(codeOf(conduct, '10.0.0.7', 'honest')).toBeUndefined();
  expect(conduct.isOnProbation(honest)).toBe(false);
  expect(codeOf(conduct, '10.0.0.7', 'new')).toBe('LOCKSTEP_NODE_PAUSE');
  expect(conduct.isOnProbation({ host: '10.0.0.7', saidName: 'new' })).toBe(true);
  expect(codeOf(conduct, '10.0.0.8', 'new')).toBeUndefined();
  expect(conduct.isOnProbation({ host: '10.0.0.8', saidName: 'new' })).toBe(false);
});

it('lets a name in no more after three strikes, and says for how long others wait', () => {
  let now = 0;
  const conduct = new Conduct(() => now);
  const liar = { host: '10.0.0.7', saidName: 'liar' };
  for (let count = 0; count < 3; count++) conduct.strike(liar);
  now = 1500;
  expect(() => conduct.check({ ...liar, saidName: 'new' })).toThrow(
    'LOCKSTEP_NODE_PAUSE: rules were broken from 10.0.0.7: nobody new from there is let in for 2.5 s.',
  );
  now = 4000;
  expect(codeOf(conduct, '10.0.0.7', 'new')).toBeUndefined();
  expect(() => conduct.check(liar)).toThrow(
    'LOCKSTEP_NODE_BANNED: liar at 10.0.0.7 broke the rules 3 times and is not let in again.',
  );
});
