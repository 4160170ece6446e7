/** examples/ray on a real Ray: a cluster of its own on this machine, an actor for each node. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, it, vi } from 'vitest';
import { BIN, Fixture } from '../support/cluster-fixture.ts';
import { clusterProgram, describeCluster, findMissing, SETUP_COMMAND } from '../support/clusters-availability.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../examples/ray/train.py');
const STEPS = 20;
const fixture = new Fixture();
const ray = clusterProgram('ray');

// Ray's own processes take a while to come up
vi.setConfig({ testTimeout: 240_000 });
afterAll(() => fixture.remove());

describeCluster('Ray', findMissing([ray], SETUP_COMMAND), () => {
  it('two actors are one run, with the bits of one process', async () => {
    const out = path.join(fixture.folder, 'weights.safetensors');
    const run = [fixture.model, '--data', fixture.data, '--steps', String(STEPS), '--save', out, '--json'];
    const lockstep = `${process.execPath} ${BIN}`;
    const args = [EXAMPLE, '--nodes', '2', '--cpus', '1', '--lockstep', lockstep, '--', ...run];
    const env = {
      ...process.env,
      LOCKSTEP_CACHE: fixture.folder,
      RAY_ADDRESS: 'local',
      RAY_USAGE_STATS_ENABLED: '0',
      // Ray's workers are nice to others (15), and starve on a machine that has others
      RAY_worker_niceness: '0',
    };
    const [{ stdout }, expected] = await Promise.all([
      promisify(execFile)(path.join(path.dirname(ray), 'python'), args, { env }),
      fixture.train(STEPS).hash(),
    ]);
    expect(stdout).toContain('"event":"node-joined","node":"rank-1"');
    expect(/"parametersSha256":"([0-9a-f]{64})"/.exec(stdout)?.[1]).toBe(expected);
  });
});
