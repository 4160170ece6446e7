/** Chaos: nodes come, die, stall and lose their links as a seed says, for 300 steps; the bits are those of one process. */
import { describe, expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';
import { createRandom, seedOr } from '../support/seed.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';

const STEPS = 300;
const SEEDS = Array.from({ length: 10 }, (_, index) => seedOr(1) + index);
/** A run that takes longer than this hangs. */
const LIMIT_MS = 150_000;
const fixture = useFixture(STEPS);

describe('chaos', () => {
  it.each(SEEDS)('gives the same bits, seed %i', async (seed) => {
    const random = createRandom(seed);
    const topology = ['auto', 'star', 'mesh', 'hierarchical'][random(4)] as string;
    const flags = ['--topology', topology, '--workers', String(random(2)), '--wait-for', '1', '--checkpoint'];
    const folder = `${fixture.folder}/chaos-${seed}`;
    const killAt = random(2) === 0 ? 100 + random(150) : undefined;
    const env: Record<string, string> = killAt === undefined ? {} : { LOCKSTEP_FAULT: `update:0:${killAt}:kill` };
    let run = fixture.listen(STEPS, [...flags, folder, '--every', '40 steps'], env);
    const port = portOf(await run.url());
    const proxy = new HarmfulProxy(port);
    const proxied = await proxy.open();
    let born = 0;
    const bear = (): Program => {
      const points = ['contribute', 'contributed', 'update'];
      const fault = `${points[random(3)]}:0:${random(STEPS)}:${['kill', 'stop', 'none'][random(3)]}`;
      const name = ['--name', `n${born++}`, '--mesh-listen', '127.0.0.1:0'];
      return fixture.worker(random(3) === 0 ? proxied : `ws://127.0.0.1:${port}`, name, { LOCKSTEP_FAULT: fault });
    };
    const nodes = [bear(), bear(), bear()];
    const deadline = performance.now() + LIMIT_MS;
    while (!run.events.some(({ event }) => event === 'end')) {
      expect(performance.now(), `seed ${seed} hangs: ${JSON.stringify(run.events.slice(-5))}`).toBeLessThan(deadline);
      if (!run.isAlive) {
        run = fixture.train(STEPS, [
          ...['--resume', folder, '--listen', `127.0.0.1:${port}`, '--token-file', fixture.token, '--workers', '1'],
        ]);
      }
      await run
        .until(() => run.events.some(({ event }) => event === 'end'), 'the end', 200 + random(400))
        .catch(() => {});
      const victim = nodes[random(nodes.length)];
      const what = random(5);
      if (what === 0) proxy.cut();
      else if (what === 1) victim?.kill('SIGCONT');
      else if (what === 2) victim?.kill('SIGSTOP');
      else if (what === 3) victim?.kill('SIGKILL');
      if (nodes.filter((node) => node.isAlive).length < 3 || what === 4) nodes.push(bear());
    }
    expect(await run.hash()).toBe(fixture.expected);
    proxy.close();
  });
});
