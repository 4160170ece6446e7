/** Our own variables, for everything that has no file of its own here. */
import { DEFAULT_PORT, type Launcher } from './place.js';
import { own, readWhole, readWholeIfSet } from './variables.js';

export const explicit: Launcher = {
  name: 'explicit',
  title: 'by hand',
  signs: [own('RANK')],
  isPresent: (env) => env[own('RANK')] !== undefined,
  readPlace(env) {
    const context = 'LOCKSTEP_RANK is set';
    const size = readWhole(env, context, own('SIZE'));
    return {
      rank: readWhole(env, context, own('RANK')),
      size,
      localRank: readWholeIfSet(env, own('LOCAL_RANK')) ?? 0,
      localSize: readWholeIfSet(env, own('LOCAL_SIZE')) ?? 1,
      host: undefined,
      port: DEFAULT_PORT,
    };
  },
  addressHint: "Set LOCKSTEP_COORDINATOR=host:port, rank 0's machine, in every process.",
};
