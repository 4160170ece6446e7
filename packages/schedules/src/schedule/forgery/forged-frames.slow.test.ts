/** A hundred thousand forged frames; ten rounds of the soak are a million. */
import { topologies } from '@lockstep/coordinator/steps';
import { expect, it } from 'vitest';
import { checkForgeries } from './test-forgery.js';

const FRAMES = 2500;
const RUNS = 5;

it.each(topologies)(
  'issue 25: forged frames to coordinator, nodes and a mesh (%s) end no run and no node, change no bit and leave nothing',
  async (topology) => expect(await checkForgeries(topology, RUNS, FRAMES)).toBe(2 * RUNS * FRAMES),
);
