/** Floats over a real MPI: ranks that mpirun starts give the bits of one process. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BIN, Fixture } from '../support/cluster-fixture.ts';
import type { Program } from '../support/program.ts';

const STEPS = 20;
const ADDON = path.resolve(import.meta.dirname, '../../packages/worker/build/mpi.node');
/** More ranks than cores, and as root where CI is root. */
const ENVIRONMENT = {
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  OMPI_MCA_mpi_yield_when_idle: '1',
};

const missing =
  spawnSync('mpirun', ['--version']).status !== 0
    ? 'mpirun is not installed'
    : existsSync(ADDON)
      ? undefined
      : 'the MPI transport is not built';
const isRequired = process.env['LOCKSTEP_REQUIRE_CLUSTERS'] === '1';

const fixture = new Fixture();
afterEach(() => fixture.clear());
afterAll(() => fixture.remove());

async function findPort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const portOf = (address: string): number => Number(address.split(':')[1]);

/** A node that mpirun starts. */
const node = (address: string): string[] => {
  const files = ['--token-file', fixture.token, '--data', fixture.data, '--mesh-listen', '127.0.0.1:0'];
  const flags = ['--connect', `ws://${address}`, '--threads', '1', '--transport', 'mpi'];
  return [process.execPath, BIN, 'worker', ...flags, ...files];
};

/** Rank 0 trains, two others are its nodes; one command line, with the programs of both between colons. */
async function start(
  topology: string,
  nodeEnvironment: readonly string[] = [],
  environment: Record<string, string> = {},
): Promise<Program> {
  const address = `127.0.0.1:${await findPort()}`;
  const flags = ['--topology', topology, '--transport', 'mpi', '--wait-for', '2', '--token-file', fixture.token];
  const others = [':', '-n', '2', ...nodeEnvironment, ...node(address)];
  return fixture.train(STEPS, ['--listen', address, ...flags, ...others], { ...ENVIRONMENT, ...environment }, [
    'mpirun',
    '-n',
    '1',
  ]);
}

const title = 'floats over MPI';
describe.skipIf(missing !== undefined && !isRequired)(missing === undefined ? title : `${title} (${missing})`, () => {
  let expected = '';
  beforeAll(async () => {
    expect(missing).toBeUndefined();
    expected = await fixture.train(STEPS).hash();
  });

  it.each(['star', 'mesh', 'hierarchical'])('give the bits of one process with 3 ranks in a %s', async (topology) => {
    const run = await start(topology);
    expect(await run.hash()).toBe(expected);
    expect(await run.exit).toBe(0);
    const joined = run.events.filter(({ event }) => event === 'node-joined').map(({ engine }) => String(engine));
    expect(joined.map((engine) => engine.slice(engine.indexOf(', ') + 2)).sort()).toEqual(['MPI rank 1', 'MPI rank 2']);
  });

  it('end all ranks when one dies', async () => {
    const killed = ['env', 'LOCKSTEP_FAULT=contribute:0:10:kill'];
    // without MPI the run would wait for nodes at step 15
    const run = await start('star', killed, { LOCKSTEP_HOLD: '15:2' });
    expect(await run.exit).not.toBe(0);
    // mpirun asks it to end before it kills it
    const end = run.events.find(({ event }) => event === 'end');
    expect(Number(end?.['steps'] ?? 0)).toBeLessThan(STEPS);
  });

  it('work: wait with the end of a run of two steps for a rank that comes late, which ends as the others do', async () => {
    const address = `127.0.0.1:${await findPort()}`;
    const late = `127.0.0.1:${await findPort()}`;
    // nothing is there until the run is over
    const others = [':', '-n', '1', ...node(address), ':', '-n', '1', ...node(late)];
    const flags = ['--listen', address, '--transport', 'mpi', '--token-file', fixture.token];
    const run = fixture.train(2, [...flags, ...others], ENVIRONMENT, ['mpirun', '-n', '1']);
    await run.event('end');
    await run.until(() => run.stderr.includes('Waiting up to'), 'the wait for the late rank');
    const relay = net.createServer((near) => {
      const far = net.connect(portOf(address), '127.0.0.1');
      near.pipe(far).pipe(near);
      for (const socket of [near, far]) socket.on('error', () => near.destroy());
    });
    relay.listen(portOf(late), '127.0.0.1');
    try {
      expect(await run.exit).toBe(0);
    } finally {
      relay.close();
    }
    expect(run.stderr.match(/ended: the run is over/g)).toHaveLength(2);
  });

  it('are refused to a process that mpirun has not started', async () => {
    const flags = ['--listen', '127.0.0.1:0', '--transport', 'mpi'];
    const run = fixture.train(STEPS, flags, ENVIRONMENT);
    expect(await run.exit).toBe(2);
    expect(run.stderr).toContain('LOCKSTEP_MPI: this process is alone');
  });
});
