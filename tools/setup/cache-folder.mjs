/** What core finds out from the environment too. Lockstep's cache folder as core's findCacheFolder names it: the set-up runs before core is built. */
import os from 'node:os';
import path from 'node:path';

export function findCacheFolder(env = process.env) {
  if (env.LOCKSTEP_CACHE) return env.LOCKSTEP_CACHE;
  const home = env.HOME || os.homedir();
  const usual = process.platform === 'darwin' ? path.join(home, 'Library', 'Caches') : path.join(home, '.cache');
  const isGiven = env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME);
  return path.join(isGiven ? env.XDG_CACHE_HOME : usual, 'lockstep');
}

/** As core's isOffline. */
export const isOffline = (env = process.env) => !['', '0', undefined].includes(env.LOCKSTEP_OFFLINE);
