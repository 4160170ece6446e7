import { expect, it } from 'vitest';
import { findCacheFolder, isOffline } from './cache-folder.js';

it.each<[NodeJS.Platform, NodeJS.ProcessEnv, string, string]>([
  ['linux', { LOCKSTEP_CACHE: '/data/cache', XDG_CACHE_HOME: '/xdg' }, '/home/ann', '/data/cache'],
  ['linux', { XDG_CACHE_HOME: '/xdg' }, '/home/ann', '/xdg/lockstep'],
  ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/ann', '/home/ann/.cache/lockstep'],
  ['linux', { LOCKSTEP_CACHE: '', XDG_CACHE_HOME: '' }, '/home/ann', '/home/ann/.cache/lockstep'],
  ['darwin', {}, '/Users/ann', '/Users/ann/Library/Caches/lockstep'],
  ['darwin', { XDG_CACHE_HOME: '/xdg' }, '/Users/ann', '/xdg/lockstep'],
  ['win32', { LOCALAPPDATA: 'C:\\Local' }, 'C:\\Users\\ann', 'C:\\Local\\lockstep\\Cache'],
  ['win32', {}, 'C:\\Users\\ann', 'C:\\Users\\ann\\AppData\\Local\\lockstep\\Cache'],
  ['win32', { LOCKSTEP_CACHE: 'D:\\cache' }, 'C:\\Users\\ann', 'D:\\cache'],
])('the cache folder on %s with %j and home %s is %s', (platform, environment, home, folder) => {
  expect(findCacheFolder(environment, platform, () => home)).toBe(folder);
});

it('cases: work 32: LOCKSTEP_OFFLINE counts when it is neither empty nor 0', () => {
  expect([{}, { LOCKSTEP_OFFLINE: '' }, { LOCKSTEP_OFFLINE: '0' }].map((env) => isOffline(env))).toEqual(
    Array(3).fill(false),
  );
  expect(['1', 'true'].map((LOCKSTEP_OFFLINE) => isOffline({ LOCKSTEP_OFFLINE }))).toEqual([true, true]);
});
