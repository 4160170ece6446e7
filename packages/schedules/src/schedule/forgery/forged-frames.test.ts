import { topologies } from '@lockstep/coordinator/steps';
import { expect, it } from 'vitest';
import { Draws } from '../../world/draws.js';
import { damageFrame } from './damaged-frame.js';
import { findRecording } from './recording.js';
import { checkForgeries } from './test-forgery.js';

const FRAMES = 100;

it.each(topologies)(
  'issue 25: forged frames to coordinator, nodes and a mesh (%s) end no run and no node, change no bit and leave nothing',
  async (topology) => expect(await checkForgeries(topology, 1, FRAMES)).toBe(2 * FRAMES),
);

it('what is forged is recorded of real runs, in all directions, and most of it is another frame', async () => {
  const { up, down, among } = await findRecording('mesh');
  const typesOf = (said: typeof up) => new Set(said.map(({ message }) => message.type));
  expect([...typesOf(up)]).toEqual(expect.arrayContaining(['hello', 'inquire', 'ready', 'applied']));
  expect([...typesOf(down)]).toEqual(expect.arrayContaining(['challenge', 'welcome', 'dataset', 'state', 'assign']));
  expect([...typesOf(among)]).toEqual(expect.arrayContaining(['peer', 'peer-welcome', 'partial', 'reduced']));
  const draws = new Draws(1, 0);
  const frames = new Set(Array.from({ length: 1000 }, () => damageFrame(draws.pick(up), draws).toString('latin1')));
  expect(frames.size).toBeGreaterThan(700);
});
