import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Conduct } from './conduct.js';

const TEN_MINUTES_MS = 600_000;
const HOUR_MS = 3_600_000;
const FAULT = { code: 'LOCKSTEP_NODE_REPLICA', text: 'its state after step 16 is another.' } as const;

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
        conduct.strike({ host: '10.0.0.7', saidName }, FAULT);
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
  conduct.strike({ host: '10.0.0.7', saidName: 'liar' }, FAULT);
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
  for (let count = 0; count < 3; count++) conduct.strike(liar, FAULT);
  now = 1500;
  expect(() => conduct.check({ ...liar, saidName: 'new' })).toThrow(
    'LOCKSTEP_NODE_PAUSE: rules were broken from 10.0.0.7: nobody new from there is let in for 2.5 s.',
  );
  now = 4000;
  expect(codeOf(conduct, '10.0.0.7', 'new')).toBeUndefined();
  expect(() => conduct.check(liar)).toThrow(
    'LOCKSTEP_NODE_BANNED: liar at 10.0.0.7 broke the rules 3 times and is not let in again, unless `lockstep peers --pardon` says so.',
  );
});

it('cases: peers 6: an hour of good conduct takes a strike back, and nothing else does', () => {
  let now = 0;
  const conduct = new Conduct(() => now);
  const node = { host: '10.0.0.7', saidName: 'honest' };
  const strikes = (): number => conduct.list()[0]?.strikes ?? 0;
  for (let count = 0; count < 2; count++) conduct.strike(node, FAULT);
  now = 24 * HOUR_MS;
  expect(strikes()).toBe(2);
  conduct.agree(node);
  conduct.agree(node);
  expect(strikes()).toBe(1);
  now += HOUR_MS - 1;
  conduct.agree(node);
  expect(strikes()).toBe(1);
  now += 1;
  conduct.agree(node);
  expect(conduct.list()).toEqual([]);
  expect(conduct.isOnProbation({ host: '10.0.0.7', saidName: 'new' })).toBe(false);
});

it('lets in again whom a person pardons, by name or by address, and nobody else', () => {
  let now = 0;
  const conduct = new Conduct(() => now);
  const [liar, other] = [
    { host: '10.0.0.7', saidName: 'liar' },
    { host: '10.0.0.8', saidName: 'other' },
  ];
  for (const who of [liar, other]) for (let count = 0; count < 3; count++) conduct.strike(who, FAULT);
  now = TEN_MINUTES_MS;
  expect(conduct.list()).toEqual([
    { ...liar, strikes: 3, isBanned: true, code: FAULT.code, reason: FAULT.text },
    { ...other, strikes: 3, isBanned: true, code: FAULT.code, reason: FAULT.text },
  ]);
  expect(conduct.pardon('nobody', '127.0.0.1')).toBe(0);
  expect(conduct.pardon('liar', '127.0.0.1')).toBe(1);
  expect(codeOf(conduct, '10.0.0.7', 'liar')).toBeUndefined();
  expect(codeOf(conduct, '10.0.0.8', 'other')).toBe('LOCKSTEP_NODE_BANNED');
  expect(conduct.pardon('10.0.0.8', '127.0.0.1')).toBe(1);
  expect(codeOf(conduct, '10.0.0.8', 'other')).toBeUndefined();
  expect(conduct.list()).toEqual([]);
});

it('pardons nobody for whom it may be himself: an address with strikes asks in vain, but for this machine', () => {
  const conduct = new Conduct(() => 0);
  const struck = ['10.0.0.7', '127.0.0.1'].map((host) => ({ host, saidName: 'liar' }));
  for (const who of struck) conduct.strike(who, FAULT);
  expect(() => conduct.pardon('liar', '10.0.0.7')).toThrow(
    /^LOCKSTEP_NODE_BANNED: rules were broken from 10\.0\.0\.7, so nobody is pardoned from there\./,
  );
  expect(conduct.list()).toHaveLength(2);
  expect(conduct.pardon('liar', '127.0.0.1')).toBe(2);
  expect(conduct.list()).toEqual([]);
});

it('peers: remembers four thousand of those that broke rules, the last ones', () => {
  const conduct = new Conduct(() => 0);
  for (let host = 0; host < 5000; host++)
    conduct.strike({ host: `10.0.${host >> 8}.${host & 255}`, saidName: 'liar' }, FAULT);
  expect(conduct.list().length).toBe(4096);
  expect(conduct.isOnProbation({ host: '10.0.0.0', saidName: 'other' })).toBe(false);
  expect(codeOf(conduct, '10.0.19.135', 'other')).toBe('LOCKSTEP_NODE_PAUSE');
});
