/** `lockstep launch` under a real mpirun: ranks on one machine, and on two "machines" behind an agent in place of ssh. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { BIN, Fixture } from '../support/cluster-fixture.ts';
import { describeCluster, findMissing } from '../support/clusters-availability.ts';

const STEPS = 30;
const fixture = new Fixture();
const agent = path.join(fixture.folder, 'agent.sh');
let expected = '';

/**
 * As ssh would, but here: mpirun then takes 127.0.0.2 and 127.0.0.3 for other machines. Each gets a folder for temporary files
 * of its own: two daemons that meet in one folder write the same map of the machine, and now and then one of them crashes.
 */
const AGENT = `#!/bin/sh
export TMPDIR="${fixture.folder}/$1"
mkdir -p "$TMPDIR"
shift
exec sh -c "$*"
`;
writeFileSync(agent, AGENT, { mode: 0o755 });

afterAll(() => fixture.remove());

async function mpirun(flags: readonly string[], launchFlags: readonly string[] = []): Promise<string> {
  const run = ['--data', fixture.data, '--steps', String(STEPS), '--no-save', '--json', '--workers', '1'];
  const command = [process.execPath, BIN, 'launch', fixture.model, ...run, ...launchFlags];
  const mpiFlags = ['--allow-run-as-root', '--oversubscribe', ...flags];
  const env = { ...process.env, LOCKSTEP_CACHE: fixture.folder };
  const { stdout } = await promisify(execFile)('mpirun', [...mpiFlags, ...command], { env });
  return stdout;
}

const TWO_MACHINES = ['-n', '2', '--host', '127.0.0.2:1,127.0.0.3:1', '--mca', 'plm_rsh_agent', agent];

const readHash = (output: string): unknown =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{"event":"end"'))
    .map((line) => JSON.parse(line)['parametersSha256'])[0];

// several processes that start at once on a machine that does other things too
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

describeCluster('Open MPI', findMissing(['mpirun'], 'apt-get install openmpi-bin'), () => {
  beforeAll(async () => {
    expected = await fixture.train(STEPS).hash();
  });

  it('mpirun: three ranks on one machine are one run, with the bits of one process and no secret', async () => {
    const output = await mpirun(['-n', '3']);
    expect(readHash(output)).toBe(expected);
    for (const rank of [1, 2]) expect(output).toContain(`"event":"node-joined","node":"rank-${rank}"`);
    expect(output).toMatch(/"url":"ws:\/\/127\.0\.0\.1:/);
  });

  it('mpirun: --transport mpi sends the floats from rank to rank, with the bits of one process', async () => {
    const output = await mpirun(['-n', '3'], ['--transport', 'mpi']);
    expect(readHash(output)).toBe(expected);
    for (const rank of [1, 2]) expect(output).toContain(`MPI rank ${rank}`);
  });

  it('mpirun over two machines: meets at the address of mpirun, with the bits of one process', async () => {
    const output = await mpirun([...TWO_MACHINES, '-x', 'LOCKSTEP_TOKEN=a secret for the tests']);
    expect(readHash(output)).toBe(expected);
    expect(output).toMatch(/"url":"ws:\/\/0\.0\.0\.0:/);
  });

  it('mpirun over two machines without a secret is refused, and ends', async () => {
    await expect(mpirun(TWO_MACHINES)).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('LOCKSTEP_LAUNCH_TOKEN'),
    });
  });
});
