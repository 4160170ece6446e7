/** Chaos with liars: of four nodes one or two lie, stall, or come and go as a seed says, while the others die and come. */
import { describe, expect, it } from 'vitest';
import { useFixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';
import { createRandom, seedOr } from '../support/seed.ts';

const STEPS = 150;
const SEEDS = Array.from({ length: 20 }, (_, index) => seedOr(1) + index);
/** A run that takes longer than this hangs. */
const LIMIT_MS = 300_000;
/** What a liar's sums are spoiled by, or how it stalls: from a step on, or as often as the last number says. */
const LIES = ['lie', 'nan:99', 'huge:99', 'stop'];
const fixture = useFixture(STEPS);

describe('chaos with liars', () => {
  it.each(SEEDS)(
    'cases: peers 5, 8: gives the same bits, or says which steps may have others, seed %i',
    async (seed) => {
      const random = createRandom(seed);
      const isWhole = seed % 2 === 0;
      const topology = ['auto', 'star', 'mesh', 'hierarchical'][random(4)] as string;
      const audit = ['--audit', isWhole ? '1' : '0.1'];
      // all start at one address, which is kept waiting for the liars there: so the coordinator computes too
      const run = fixture.listen(STEPS, [...audit, '--topology', topology, '--workers', '1', '--wait-for', '4']);
      const url = await run.url();
      const start = (name: string, fault: string): Program =>
        fixture.worker(url, ['--name', name, '--mesh-listen', '127.0.0.1:0'], { LOCKSTEP_FAULT: fault });
      const liars = Array.from({ length: 1 + random(2) }, (_, index) => {
        const fault = `contributed:0:${random(STEPS)}:${LIES[random(LIES.length)]}`;
        const name = `liar ${index}`;
        return { name, fault, node: start(name, fault) };
      });
      let born = 0;
      const bear = (): Program => {
        const fault = `${['contribute', 'contributed', 'update'][random(3)]}:0:${random(STEPS)}:kill`;
        return start(`honest ${born++}`, random(2) === 0 ? fault : '');
      };
      const others = Array.from({ length: 4 - liars.length }, bear);
      const deadline = performance.now() + LIMIT_MS;
      while (run.isAlive && !run.events.some(({ event }) => event === 'end')) {
        expect(performance.now(), `seed ${seed} hangs: ${JSON.stringify(run.events.slice(-5))}`).toBeLessThan(deadline);
        await run
          .until(() => run.events.some(({ event }) => event === 'end'), 'the end', 200 + random(400))
          .catch(() => {});
        const liar = liars[random(liars.length)];
        const what = random(4);
        if (liar && what === 0) liar.node.kill('SIGKILL');
        if (liar && what === 1) liar.node.kill('SIGCONT');
        if (liar && !liar.node.isAlive) liar.node = start(liar.name, liar.fault);
        if (what === 2) others[random(others.length)]?.kill('SIGKILL');
        if (others.filter((node) => node.isAlive).length < 4 - liars.length && born < 12) others.push(bear());
      }
      const hash = await run.hash();
      expect(await run.exit).toBe(0);
      const [end] = run.events.filter(({ event }) => event === 'end');
      if (isWhole) expect(end).not.toHaveProperty('unaudited');
      if (hash !== fixture.expected) expect(end).toHaveProperty('unaudited');
      if (isWhole) expect(hash).toBe(fixture.expected);
    },
  );
});
