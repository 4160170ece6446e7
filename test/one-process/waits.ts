/** The table of waits in docs/exchange.md, and how its rows are played: peers that get stuck, in simulated runs. */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Manner, type Point, runStuck, type StuckCase } from '../../packages/schedules/dist/schedule/index.js';

export interface Row {
  readonly name: string;
  /** Undefined where there is none. */
  readonly limitMs: number | undefined;
}

export function readTable(): Row[] {
  const file = new URL('../../docs/exchange.md', import.meta.url);
  const text = readFileSync(file, 'utf8').split('## Who waits for whom')[1]?.split('\n## ')[0] as string;
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((line) => {
    const [name, , , limit] = line
      .split('|')
      .slice(1)
      .map((cell) => cell.trim()) as [string, string, string, string];
    const seconds = /^([\d.]+) s$/.exec(limit)?.[1];
    return { name, limitMs: seconds === undefined ? undefined : 1000 * Number(seconds) };
  });
}

/** Reading on, so that nothing that is sent to it stays on its way. */
const talking: readonly Manner[] = ['says nothing', 'writes a byte a second', 'stops writing'];
const silent: readonly Manner[] = [...talking, 'stops both'];
const deaf: readonly Manner[] = ['reads a byte a second', 'stops reading'];
const gone: readonly Manner[] = ['stops writing', 'stops both'];
const all: readonly Manner[] = [...silent, ...deaf, 'grows slower each step'];

interface Play {
  /** `undefined`: it is stuck from the beginning. */
  readonly points: readonly (Point | undefined)[];
  readonly manners: readonly Manner[];
  /** How long others were held, until they were done with it, or until a connection to it was closed. */
  readonly measure: 'heldMs' | 'goneMs' | 'closedMs';
  readonly topologies: readonly StuckCase['topology'][];
  readonly more?: Partial<StuckCase>;
}

const joining = { measure: 'goneMs', topologies: ['star'], more: { isShort: true } } as const;
const step = { measure: 'heldMs', topologies: ['star', 'mesh', 'hierarchical'] } as const;
const forNode = { ...joining, more: { who: 'coordinator', others: 0, isShort: true } } as const;
const forPeer = { measure: 'closedMs', topologies: ['mesh'], manners: silent } as const;

/** By the names of rows. */
export const plays: Readonly<Record<string, Play>> = {
  hello: { ...joining, points: [{ hears: 'challenge' }], manners: silent },
  inquiry: { ...joining, points: [{ hears: 'welcome' }], manners: silent },
  ready: { ...joining, points: [{ hears: 'dataset' }], manners: silent },
  state: { ...joining, points: [{ hears: 'state' }], manners: silent },
  'first shards': {
    ...step,
    points: [{ hears: 'peers' }, { hears: 'assign', step: 0 }, { hears: 'reduced', step: 0 }],
    manners: all,
  },
  shards: { ...step, points: [{ says: 'applied', step: 3 }], manners: [...talking, 'grows slower each step'] },
  'rest of a step': {
    ...step,
    topologies: ['mesh', 'hierarchical', 'star'],
    points: [
      { hears: 'assign', step: 3 },
      { hears: 'reduced', step: 3 },
      { says: 'partial', step: 4 },
      { says: 'applied', step: 1, isBefore: true },
    ],
    manners: [...deaf, ...silent],
  },
  silence: { ...step, points: [{ hears: 'peers' }], manners: gone },
  departure: { ...joining, points: [{ says: 'inquire' }], manners: deaf },
  challenge: { ...forNode, points: [undefined], manners: silent },
  welcome: { ...forNode, points: [{ says: 'challenge' }], manners: silent },
  piece: { ...forNode, points: [{ says: 'dataset' }], manners: silent },
  'next word': {
    ...forNode,
    points: [
      { says: 'assign', step: 0 },
      { says: 'reduced', step: 3 },
    ],
    manners: gone,
  },
  'peer hello': { ...forPeer, points: [{ hears: 'challenge', nth: 2 }] },
  'peer challenge': { ...forPeer, points: [{ hears: 'peers' }], more: { isFirst: true } },
  'peer welcome': { ...forPeer, points: [{ says: 'challenge' }], more: { isFirst: true } },
};

/** How late a timer may be that looks now and then. */
const SLACK_MS = 1300;

/** Cases of a row that are played where not all are. */
const FEW = 4;

/**
 * Plays a row, and demands that no wait lasts longer than it says, and that one lasts as long.
 *
 * @param isWhole all its cases, in every topology, with and without a keeper that computes; else some of them
 */
export async function playRow({ name, limitMs = 0 }: Row, isWhole: boolean): Promise<void> {
  const { measure } = plays[name] as Play;
  const cases = listCases(plays[name] as Play);
  // odd, so that the keeper does not compute in all or in none
  const stride = isWhole ? 1 : 2 * Math.ceil(cases.length / FEW / 2) + 1;
  const times: number[] = [];
  for (const stuck of cases.filter((_, index) => index % stride === 0)) {
    const outcome = await runStuck(stuck);
    const { stuckMs, isOver, isCalm, lines } = outcome;
    const ms = outcome[measure] ?? Number.POSITIVE_INFINITY;
    const text = `${JSON.stringify(stuck)}\n${lines.join('\n')}`;
    expect(stuckMs, `it did not come to the point: ${text}`).toBeDefined();
    expect(ms, text).toBeLessThanOrEqual(limitMs + SLACK_MS);
    if (measure === 'heldMs') expect([isOver, isCalm], text).toEqual([true, true]);
    times.push(ms);
  }
  expect(Math.max(...times)).toBeGreaterThanOrEqual(limitMs - SLACK_MS);
}

const listCases = ({ points, manners, topologies, more }: Play): StuckCase[] =>
  points.flatMap((point) =>
    manners.flatMap((manner) =>
      topologies.flatMap((topology) =>
        [true, false].map((isComputing) => {
          return { who: 'node', manner, topology, isComputing, ...(point && { point }), ...more } as const;
        }),
      ),
    ),
  );
