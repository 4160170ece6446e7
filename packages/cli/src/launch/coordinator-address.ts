/** Where the coordinator listens and the nodes connect: from what is given, the launcher, and this machine. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { LockstepError } from '@lockstep/core/errors';
import { DEFAULT_PORT, type Environment, type Launcher, type Place } from './place.js';
import { own, variableError } from './variables.js';

export interface CoordinatorAddress {
  readonly host: string;
  readonly port: number;
}

const LOOPBACK = '127.0.0.1';

/**
 * LOCKSTEP_COORDINATOR before the launcher's word. Processes that are all on one machine meet on its loopback.
 *
 * @throws LockstepError LOCKSTEP_LAUNCH_ADDRESS when nobody says where rank 0 is
 */
export async function findCoordinator(launcher: Launcher, place: Place, env: Environment): Promise<CoordinatorAddress> {
  const given = env[own('COORDINATOR')];
  if (given !== undefined) return readAddress(given, place.port);
  if (place.localSize === place.size) return { host: LOOPBACK, port: place.port };
  if (place.host === undefined) {
    throw addressError(`${launcher.title} has started ${place.size} processes. ${launcher.addressHint}`);
  }
  const host = (await resolves(place.host)) ? place.host : await launcher.findAddress?.(place.host);
  if (launcher.isHostGuessed && place.rank === 0 && !isOwnAddress(place.host)) {
    throw addressError(`rank 0 runs on ${hostname()}, and ${place.host} is another machine. ${launcher.addressHint}`);
  }
  // A name that is not known yet may be in a moment: nodes go on trying.
  return { host: host ?? place.host, port: place.port };
}

/** `host`, `host:port`, `[2001:db8::1]:7400`. */
function readAddress(text: string, launcherPort: number): CoordinatorAddress {
  const match = /^(?:\[([^\]]+)\]|([^:[\]/\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? launcherPort : Number(match[3]);
  if (host !== undefined && port > 0 && port <= 65_535 && (match?.[1] === undefined || isIP(host) === 6)) {
    return { host, port };
  }
  throw variableError(
    `LOCKSTEP_COORDINATOR is ${JSON.stringify(text)}, and must be host:port, such as 10.0.0.5:${DEFAULT_PORT}.`,
  );
}

async function resolves(host: string): Promise<boolean> {
  try {
    await lookup(host);
    return true;
  } catch {
    return false;
  }
}

const isOwnAddress = (address: string): boolean =>
  isLoopback(address) ||
  Object.values(networkInterfaces()).some((list) => list?.some((own) => own.address === address));

/** Whether only this machine can reach it. */
export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);

const addressError = (text: string): LockstepError => new LockstepError('LOCKSTEP_LAUNCH_ADDRESS', text);
