/** Nodes that compute with tensorflow: the bits of one process with it, and no mixing with native. */
import { expect, it } from 'vitest';
import { describeTensorFlow } from '../../packages/worker/dist/tensorflow-engine/test-availability.js';
import { useFixture } from '../support/cluster-fixture.ts';

const STEPS = 12;
const ENGINE = ['--engine', 'tensorflow'];
/** The engine is in the user's cache, not in the fixture's; a process takes seconds to load it. */
const env = { LOCKSTEP_CACHE: process.env['LOCKSTEP_CACHE'] ?? '', LOCKSTEP_NODE_DEADLINE_MS: '30000' };
const PATIENCE_MS = 120_000;
const fixture = useFixture();

describeTensorFlow('nodes with the tensorflow engine', () => {
  it(
    'give the bits of one process with it',
    async () => {
      const alone = fixture.train(STEPS, ENGINE, env);
      const coordinator = fixture.listen(STEPS, [...ENGINE, '--wait-for', '1'], env);
      const url = await coordinator.url(PATIENCE_MS);
      const node = fixture.worker(url, ENGINE, env);
      const joined = await coordinator.event('node-joined', PATIENCE_MS);
      expect(joined['engine']).toMatch(/^tensorflow /);
      expect(await coordinator.hash(PATIENCE_MS)).toBe(await alone.hash(PATIENCE_MS));
      expect(await node.exit).toBe(0);
      expect(coordinator.events.filter(({ event }) => event === 'node-evicted')).toEqual([]);
    },
    3 * PATIENCE_MS,
  );

  it.each([
    ['native', 'tensorflow', ENGINE, []],
    ['tensorflow', 'native', [], ENGINE],
  ])(
    'a node with %s is refused by a coordinator with %s, and told what to start',
    async (_, ours, theirs, own) => {
      const coordinator = fixture.listen(STEPS, [...theirs, '--wait-for', '1'], env);
      const node = fixture.worker(await coordinator.url(PATIENCE_MS), own, env);
      expect(await node.exit).toBe(1);
      expect(node.stderr).toContain('LOCKSTEP_NODE_ENGINE');
      expect(node.stderr).toContain(`Start it with --engine ${ours}.`);
    },
    PATIENCE_MS,
  );
});

it('a node with an engine that there is not ends before it connects', async () => {
  const node = fixture.worker('ws://127.0.0.1:9', ['--engine', 'tensorflo']);
  expect(await node.exit).toBe(2);
  expect(node.stderr).toContain('--engine tensorflo: must be one of native, tensorflow. Did you mean tensorflow?');
});
