/** Where this user's caches live. */
import { homedir } from 'node:os';
import { posix, win32 } from 'node:path';

/**
 * Lockstep's cache folder: `$LOCKSTEP_CACHE`, else `$XDG_CACHE_HOME/lockstep`, else the platform's usual place. It need
 * not exist.
 */
export function findCacheFolder(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: () => string = homedir,
): string {
  const { LOCKSTEP_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = environment;
  const { join, isAbsolute } = platform === 'win32' ? win32 : posix;
  if (LOCKSTEP_CACHE) return LOCKSTEP_CACHE;
  // The XDG specification says to ignore a relative path.
  if (XDG_CACHE_HOME && isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'lockstep');
  if (platform === 'win32') return join(LOCALAPPDATA || join(home(), 'AppData', 'Local'), 'lockstep', 'Cache');
  if (platform === 'darwin') return join(home(), 'Library', 'Caches', 'lockstep');
  return join(home(), '.cache', 'lockstep');
}

/** Whether LOCKSTEP_OFFLINE says to leave the network alone: set, and neither empty nor 0. */
export const isOffline = ({ LOCKSTEP_OFFLINE = '' }: NodeJS.ProcessEnv = process.env): boolean =>
  LOCKSTEP_OFFLINE !== '' && LOCKSTEP_OFFLINE !== '0';
