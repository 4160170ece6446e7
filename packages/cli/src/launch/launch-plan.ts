/** From a place to the command that the process becomes: `lockstep train --listen ...` or `lockstep worker --connect ...`. */
import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import type { Topology } from '@lockstep/coordinator/steps';
import { LockstepError } from '@lockstep/core/errors';
import { optionError } from '../fields/field.js';
import { type CoordinatorAddress, isLoopback } from './coordinator-address.js';
import type { Environment, Place } from './place.js';
import { findVariable, own, readWholeIfSet, variableError } from './variables.js';

export interface PlanInput {
  readonly place: Place;
  readonly address: CoordinatorAddress;
  readonly env: Environment;
  /** Cores that this process may run on. */
  readonly usableCores: number;
  /** Those of the machine. */
  readonly machineCores: number;
  /** The model and the flags of the common line that `train` takes, as words. */
  readonly trainWords: readonly string[];
  /** Value of a field of the common line, from its flags or its config file. */
  readonly get: (name: string) => unknown;
  /** Those of launch alone. */
  readonly tlsCa: string | undefined;
  readonly connectTimeout: string | undefined;
}

/** Ways of sums for which nodes connect to each other. */
const MESHED = new Set<unknown>(['mesh', 'hierarchical'] satisfies Topology[]);

/**
 * The words of the command. Flags of the common line that the plan would set itself win: `--workers`, `--wait-for`, `--expect`.
 *
 * @throws LockstepError LOCKSTEP_LAUNCH_TOKEN when other machines take part and there is no secret
 */
export function planCommand(input: PlanInput): string[] {
  const { place, address } = input;
  checkPlace(place);
  if (place.size > 1 && !isLoopback(address.host)) checkToken(input);
  return place.rank === 0 ? planCoordinator(input) : planNode(input);
}

function planCoordinator({ place, address, env, trainWords, get, ...cores }: PlanInput): string[] {
  const words = ['train', ...trainWords, '--preemptible'];
  if (get('workers') === undefined) words.push('--workers', String(countWorkers(place, env, cores)));
  // so that the same line starts a run and goes on with it
  if (typeof get('checkpoint') === 'string' && get('resume') === undefined) words.push('--continue');
  if (place.size === 1) return words;
  if (get('listen') === undefined)
    words.push('--listen', formatAddress({ ...address, host: listenHost(address.host) }));
  if (get('waitFor') === undefined) words.push('--wait-for', String(place.size - 1));
  if (get('expect') === undefined) words.push('--expect', String(place.size - 1));
  return words;
}

function planNode({ place, address, env, get, tlsCa, connectTimeout, ...cores }: PlanInput): string[] {
  const asked = get('workers') as number | undefined;
  if (asked === 0) throw optionError('--workers 0: under launch every process computes');
  const scheme = tlsCa === undefined && get('tlsCert') === undefined ? 'ws' : 'wss';
  const words = ['worker', '--connect', `${scheme}://${formatAddress(address)}`, '--preemptible'];
  words.push('--threads', String(asked ?? countWorkers(place, env, cores)), '--name', `rank-${place.rank}`);
  const tokenFile = get('tokenFile');
  if (typeof tokenFile === 'string') words.push('--token-file', tokenFile);
  // where the file systems are not shared, the coordinator sends the data
  const data = get('data');
  if (typeof data === 'string' && existsSync(data)) words.push('--data', data);
  if (MESHED.has(get('topology'))) words.push('--mesh-listen', isLoopback(address.host) ? '127.0.0.1:0' : '0.0.0.0:0');
  const transport = get('transport');
  if (typeof transport === 'string') words.push('--transport', transport);
  if (tlsCa !== undefined) words.push('--tls-ca', tlsCa);
  if (connectTimeout !== undefined) words.push('--connect-timeout', connectTimeout);
  const engine = get('engine');
  if (typeof engine === 'string') words.push('--engine', engine);
  const kernels = get('kernels');
  if (typeof kernels === 'string') words.push('--kernels', kernels);
  const health = get('health');
  if (typeof health === 'string') words.push('--health', health);
  return words;
}

function checkPlace({ rank, size, localRank, localSize }: Place): void {
  if (size < 1 || rank >= size)
    throw variableError(`rank ${rank} of ${size} processes: the rank must be below their number.`);
  if (localSize < 1 || localRank >= localSize || localSize > size) {
    throw variableError(
      `local rank ${localRank} of ${localSize} processes on this machine, ${size} in all: these do not fit together.`,
    );
  }
}

function checkToken({ get, env, place, address }: PlanInput): void {
  if (get('tokenFile') !== undefined || findVariable(env, own('TOKEN_FILE'), own('TOKEN')) !== undefined) return;
  throw new LockstepError(
    'LOCKSTEP_LAUNCH_TOKEN',
    `${place.size} processes on several machines meet at ${formatAddress(address)}, and have no secret: whoever reaches the port could take part. ` +
      'Put one where all of them read it (openssl rand -hex 32 > token; chmod 600 token) and add --token-file, or export LOCKSTEP_TOKEN to all.',
  );
}

/**
 * Workers of this process: what is given, else the cores that the launcher has set aside for it, else its share of those
 * that the processes on this machine see, the first ones getting what is left over.
 */
export function countWorkers(
  { localRank, localSize, cores, isBound }: Place,
  env: Environment,
  { usableCores, machineCores }: Pick<PlanInput, 'usableCores' | 'machineCores'>,
): number {
  const given = readWholeIfSet(env, own('WORKERS'));
  if (given !== undefined) return Math.max(1, given);
  if (cores !== undefined) return Math.max(1, Math.min(cores, usableCores));
  // bound to no more than an even share of the machine: nobody else is bound there
  if (isBound && usableCores <= Math.ceil(machineCores / localSize)) return usableCores;
  const share = Math.floor(usableCores / localSize) + (localRank < usableCores % localSize ? 1 : 0);
  return Math.max(1, share);
}

/** Where rank 0 listens so that others reach it at `host`. */
function listenHost(host: string): string {
  if (isLoopback(host)) return host;
  return isIP(host) === 6 ? '::' : '0.0.0.0';
}

const formatAddress = ({ host, port }: CoordinatorAddress): string =>
  isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
