/** A roster in words, the same in the terminal (`lockstep peers`) and on the page. */
import type { Roster } from '../events/roster.js';
import { fixed } from './number-text.js';

export interface RosterTable {
  readonly title: string;
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export const rosterNodes = ({ nodes }: Roster): RosterTable => ({
  title: 'In the run',
  heads: ['Node', 'Address', 'Threads', 'Engine', 'State'],
  rows: nodes.map(({ name, address, workers, engine, state }) => [name, address, String(workers), engine, state]),
});

export const rosterStruck = ({ struck }: Roster): RosterTable => ({
  title: 'Broke rules',
  heads: ['Node', 'Address', 'Strikes', 'May come again', 'The last one'],
  rows: struck.map(({ name, host, strikes, isBanned, code, reason }) => [
    ...[name, host, String(strikes), isBanned ? 'when pardoned' : 'yes'],
    `${code}: ${reason}`,
  ]),
});

export const rosterRefused = ({ refused }: Roster): RosterTable => ({
  title: 'Turned away, the latest first',
  heads: ['Address', 'Ago', 'Why'],
  rows: refused.map(({ address, secondsAgo, code, reason }) => [
    address,
    `${fixed(secondsAgo, 0)} s`,
    `${code}: ${reason}`,
  ]),
});
