/** Two replicas that send each other their sums and both finish the reduction, as two do unless told otherwise. */
import { describe, expect, it } from 'vitest';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { planContribution } from '../../packages/core/dist/run/index.js';
import { loadModelSpec } from '../../packages/core/dist/zoo/index.js';
import { useFixture } from '../support/cluster-fixture.ts';
import { HarmfulProxy, portOf } from './harmful-proxy.ts';

const STEPS = 40;
/** Many more buckets than may be on their way at a time. */
const MANY_BUCKETS = { LOCKSTEP_BUCKET_FLOATS: '64' };
const fixture = useFixture(STEPS);

describe('two nodes that swap their sums', () => {
  it.each([
    ['one thread each', [], '1', {}],
    ['many buckets', [], '1', MANY_BUCKETS],
    ['uneven threads and many buckets', ['--workers', '3'], '1', MANY_BUCKETS],
    ['bf16, clipping and an average', ['--gradient-precision', 'bf16', '--clip-norm', '0.01', '--ema', '0.9'], '2', {}],
  ])('give the bits of one process with %s', async (_, flags, threads, env) => {
    const recipe = flags.filter((flag, index) => flag !== '--workers' && flags[index - 1] !== '--workers');
    const bits = recipe.length === 0 ? fixture.expected : await fixture.hashAlone(STEPS, recipe);
    const run = fixture.listen(STEPS, [...flags, '--wait-for', '1'], env);
    const node = fixture.worker(await run.url(), ['--threads', threads], env);
    expect(await run.hash()).toBe(bits);
    expect(await run.exit).toBe(0);
    expect(await node.exit).toBe(0);
    expect(run.events.filter(({ event }) => event === 'node-evicted' || event === 'node-left')).toEqual([]);
  });

  it.each([
    ['is killed', 'contributed:0:20:kill', 'node-left', 'node'],
    ['has sums that are not numbers', 'contributed:0:20:nan', 'node-evicted', 'node'],
    ['is stopped past its deadline', 'contributed:0:20:stop', 'node-evicted', 'node'],
  ])('go on when the node %s', async (_, fault, event, name) => {
    const run = fixture.listen(STEPS, ['--wait-for', '1']);
    fixture.worker(await run.url(), ['--name', name], { LOCKSTEP_FAULT: fault });
    expect(await run.event(event)).toMatchObject({ node: name, step: 20 });
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
  });

  it("go on when the coordinator's sums are not numbers, with the node's", async () => {
    const run = fixture.listen(STEPS, ['--wait-for', '1'], { LOCKSTEP_FAULT: 'contributed:0:20:nan' });
    const node = fixture.worker(await run.url());
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    expect(await node.exit).toBe(0);
    expect(run.events.filter(({ event }) => event === 'node-evicted')).toEqual([]);
  });

  it('replace a thread that dies, on either side', async () => {
    const fault = { LOCKSTEP_FAULT: 'contributed:0:20:exit' };
    const run = fixture.listen(STEPS, ['--wait-for', '1'], fault);
    const node = fixture.worker(await run.url(), [], { LOCKSTEP_FAULT: 'contribute:0:25:exit' });
    expect(await run.hash()).toBe(fixture.expected);
    expect(await run.exit).toBe(0);
    expect(run.stderr + JSON.stringify(run.events)).toContain('it was replaced');
    expect(await node.exit).toBe(0);
    expect(node.stderr).toContain('it was replaced');
  });

  it('send each sum once, each way', async () => {
    const passed = { up: 0, down: 0 };
    const run = fixture.listen(STEPS, ['--wait-for', '1']);
    const proxy = new HarmfulProxy(portOf(await run.url()));
    proxy.tamper = (chunk, direction) => {
      passed[direction] += chunk.length;
      return chunk;
    };
    fixture.worker(await proxy.open());
    expect(await run.hash()).toBe(fixture.expected);
    const { length } = planContribution(inferLayers(loadModelSpec(fixture.model).model));
    // one vector each way in every step, and in the beginning the state and its two slots
    expect(passed.up / (4 * length)).toBeLessThan(STEPS * 1.1);
    expect(passed.down / (4 * length)).toBeLessThan(3 + STEPS * 1.1);
    proxy.close();
  });
});
