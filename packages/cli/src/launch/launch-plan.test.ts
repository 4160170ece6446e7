import { describe, expect, it } from 'vitest';
import { findCoordinator } from './coordinator-address.js';
import { explicit } from './explicit.js';
import { countWorkers, type PlanInput, planCommand } from './launch-plan.js';
import { findLauncher } from './launchers.js';
import type { Place } from './place.js';

const place: Place = { rank: 0, size: 3, localRank: 0, localSize: 1, host: 'n1', port: 61_441 };
const input: PlanInput = {
  place,
  address: { host: 'n1', port: 61_441 },
  env: { LOCKSTEP_TOKEN: 'a secret of eight bytes' },
  usableCores: 8,
  machineCores: 8,
  trainWords: ['net19k', '--epochs', '2'],
  get: () => undefined,
  tlsCa: undefined,
  connectTimeout: undefined,
};
const fields =
  (values: Record<string, unknown>) =>
  (name: string): unknown =>
    values[name];
const plan = (more: Partial<PlanInput>): string => planCommand({ ...input, ...more }).join(' ');

describe('planCommand', () => {
  it('makes rank 0 the coordinator, which computes and waits for the others', () => {
    expect(plan({})).toBe(
      'train net19k --epochs 2 --preemptible --workers 8 --listen 0.0.0.0:61441 --wait-for 2 --expect 2',
    );
  });

  it('makes the others nodes', () => {
    expect(plan({ place: { ...place, rank: 2 } })).toBe(
      'worker --connect ws://n1:61441 --preemptible --threads 8 --name rank-2',
    );
  });

  it('opens no port for a single process', () => {
    expect(plan({ place: { ...place, size: 1 }, env: {} })).toBe('train net19k --epochs 2 --preemptible --workers 8');
  });

  it('goes on with a run that has a checkpoint folder', () => {
    expect(plan({ get: fields({ checkpoint: 'ckpt' }) })).toContain(' --continue ');
    expect(plan({ get: fields({ checkpoint: 'ckpt', resume: 'ckpt' }) })).not.toContain('--continue');
  });

  it('leaves alone what the line says itself', () => {
    const get = fields({
      workers: 2,
      waitFor: 1,
      expect: 0,
      listen: '10.0.0.5:7400',
      topology: 'mesh',
      transport: 'mpi',
      tokenFile: 'secret',
    });
    expect(plan({ get, env: {} })).toBe('train net19k --epochs 2 --preemptible');
    expect(plan({ get, env: {}, place: { ...place, rank: 1 } })).toBe(
      'worker --connect ws://n1:61441 --preemptible --threads 2 --name rank-1 --token-file secret --mesh-listen 0.0.0.0:0 --transport mpi',
    );
  });

  it('speaks TLS when the line has a certificate', () => {
    const node = { ...place, rank: 1 };
    expect(plan({ place: node, get: fields({ tlsCert: 'cert.pem' }), tlsCa: 'ca.pem' })).toContain(
      '--connect wss://n1:61441',
    );
  });

  it.each(['127.0.0.1', 'localhost', '::1'])('needs no secret on this machine alone (%s)', (host) => {
    expect(plan({ address: { host, port: 7400 }, env: {} })).toContain('--listen');
  });

  it.each([['10.0.0.5'], ['n1'], ['2001:db8::1']])('refuses other machines without a secret (%s)', (host) => {
    for (const rank of [0, 1]) {
      expect(() => plan({ address: { host, port: 7400 }, env: {}, place: { ...place, rank } })).toThrow(
        expect.objectContaining({ code: 'LOCKSTEP_LAUNCH_TOKEN', message: expect.stringContaining('--token-file') }),
      );
    }
  });

  it('listens on IPv6 when the coordinator is there', () => {
    expect(plan({ address: { host: '2001:db8::1', port: 7400 } })).toContain('--listen [::]:7400');
  });

  it.each([
    [{ rank: 3 }, 'rank 3 of 3'],
    [{ localRank: 2, localSize: 2 }, 'local rank 2 of 2'],
    [{ localSize: 4 }, 'local rank 0 of 4'],
    [{ size: 0 }, 'rank 0 of 0'],
  ])('refuses a place that cannot be: %j', (more, text) => {
    expect(() => plan({ place: { ...place, ...more } })).toThrow(
      expect.objectContaining({ code: 'LOCKSTEP_LAUNCH_VARIABLE', message: expect.stringContaining(text) }),
    );
  });
});

describe('countWorkers', () => {
  const count = (more: Partial<Place>, usableCores = 8, machineCores = 8, env = {}) =>
    countWorkers({ ...place, ...more }, env, { usableCores, machineCores });

  it.each([
    [1, [8]],
    [2, [4, 4]],
    [3, [3, 3, 2]],
    [8, [1, 1, 1, 1, 1, 1, 1, 1]],
    [9, [1, 1, 1, 1, 1, 1, 1, 1, 1]],
  ])('shares 8 cores among %i processes', (localSize, expected) => {
    expect(expected.map((_, localRank) => count({ localRank, localSize }))).toEqual(expected);
  });

  it('takes the cores that the launcher has set aside, if it may use that many', () => {
    expect(count({ cores: 4, localSize: 2 })).toBe(4);
    expect(count({ cores: 16, localSize: 2 })).toBe(8);
  });

  it('does not divide again what a process is bound to', () => {
    expect(count({ isBound: true, localSize: 2 }, 4)).toBe(4);
    expect(count({ isBound: true, localSize: 4 }, 4)).toBe(1);
  });

  it('lets LOCKSTEP_WORKERS win', () => {
    expect(count({ cores: 4 }, 8, 8, { LOCKSTEP_WORKERS: '2' })).toBe(2);
  });
});

describe('findCoordinator', () => {
  it.each([
    ['10.0.0.5:7401', { host: '10.0.0.5', port: 7401 }],
    ['trainer', { host: 'trainer', port: 61_441 }],
    ['[2001:db8::1]:7400', { host: '2001:db8::1', port: 7400 }],
  ])('takes LOCKSTEP_COORDINATOR=%s before all else', async (text, expected) => {
    expect(await findCoordinator(explicit, place, { LOCKSTEP_COORDINATOR: text })).toEqual(expected);
  });

  it.each(['', 'host:port', 'a:b:c', '[n1]:7400', 'n1:0', 'n1:70000', 'ws://n1:7400'])(
    'refuses LOCKSTEP_COORDINATOR=%j',
    async (text) => {
      await expect(findCoordinator(explicit, place, { LOCKSTEP_COORDINATOR: text })).rejects.toMatchObject({
        code: 'LOCKSTEP_LAUNCH_VARIABLE',
      });
    },
  );

  it('meets on the loopback when all processes are on one machine', async () => {
    expect(await findCoordinator(explicit, { ...place, localSize: 3 }, {})).toEqual({
      host: '127.0.0.1',
      port: 61_441,
    });
  });

  it('says what to set when nobody knows where rank 0 is', async () => {
    await expect(findCoordinator(explicit, { ...place, host: undefined }, {})).rejects.toMatchObject({
      code: 'LOCKSTEP_LAUNCH_ADDRESS',
      message: expect.stringContaining('LOCKSTEP_COORDINATOR'),
    });
  });

  it("refuses mpirun's address when rank 0 runs on another machine", async () => {
    const openMpi = findLauncher({}, 'openmpi');
    const elsewhere = { ...place, host: '192.0.2.77' };
    await expect(findCoordinator(openMpi, elsewhere, {})).rejects.toMatchObject({ code: 'LOCKSTEP_LAUNCH_ADDRESS' });
    expect(await findCoordinator(openMpi, { ...elsewhere, rank: 1 }, {})).toMatchObject({ host: '192.0.2.77' });
    expect(await findCoordinator(openMpi, { ...place, host: '127.0.0.1' }, {})).toMatchObject({ host: '127.0.0.1' });
  });
});
