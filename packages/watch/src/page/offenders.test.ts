import { expect, it } from 'vitest';
import { Offenders, offenceLimits } from './offenders.js';

const { most, forgivenPerSecond, addresses } = offenceLimits;

function offend(offenders: Offenders, times: number, nowMs: number, address = 'a'): void {
  for (let i = 0; i < times; i++) offenders.add(address, nowMs);
}

it('shuts an address out after so many offences at once, and no other address', () => {
  const offenders = new Offenders();
  offend(offenders, most - 1, 0);
  expect(offenders.isShutOut('a', 0)).toBe(false);
  offend(offenders, 1, 0);
  expect([offenders.isShutOut('a', 0), offenders.isShutOut('b', 0)]).toEqual([true, false]);
});

it('lets it in again when one offence is forgiven, and shuts it out at the next', () => {
  const offenders = new Offenders();
  offend(offenders, most, 0);
  const later = 1000 / forgivenPerSecond;
  expect([offenders.isShutOut('a', later - 1), offenders.isShutOut('a', later)]).toEqual([true, false]);
  offend(offenders, 1, later);
  expect(offenders.isShutOut('a', later)).toBe(true);
});

it('forgets all of them in time, and never owes an address anything', () => {
  const offenders = new Offenders();
  offend(offenders, 1, 0);
  offend(offenders, most - 1, 1e6);
  expect(offenders.isShutOut('a', 1e6)).toBe(false);
  offend(offenders, 1, 1e6);
  expect(offenders.isShutOut('a', 1e6)).toBe(true);
});

it('bounds: offenders: remembers a bounded number of addresses: the last ones', () => {
  const offenders = new Offenders();
  offend(offenders, most, 0, 'first');
  offend(offenders, most, 0, 'second');
  offend(offenders, 1, 0, 'first');
  for (let i = 0; i < addresses - 1; i++) offenders.add(`other ${i}`, 0);
  expect([offenders.isShutOut('first', 0), offenders.isShutOut('second', 0)]).toEqual([true, false]);
});
