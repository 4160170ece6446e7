/**
 * PyTorch's variables, which torchrun sets, and others after it: Ray Train, Kubeflow, DeepSpeed
 * (docs.pytorch.org/docs/stable/elastic/run.html, "Environment Variables").
 */
import type { Launcher } from './place.js';
import { own, readText, readWhole, readWholeIfSet } from './variables.js';

export const torchrun: Launcher = {
  name: 'torchrun',
  title: 'torchrun',
  signs: ['RANK', 'WORLD_SIZE', 'MASTER_ADDR'],
  isPresent: (env) => ['RANK', 'WORLD_SIZE', 'MASTER_ADDR'].every((name) => env[name] !== undefined),
  readPlace(env) {
    const context = 'RANK, WORLD_SIZE and MASTER_ADDR are set as by torchrun';
    const port = readWhole(env, context, 'MASTER_PORT');
    return {
      rank: readWhole(env, context, own('RANK'), 'RANK'),
      size: readWhole(env, context, own('SIZE'), 'WORLD_SIZE'),
      localRank: readWholeIfSet(env, own('LOCAL_RANK'), 'LOCAL_RANK') ?? 0,
      localSize: readWholeIfSet(env, own('LOCAL_SIZE'), 'LOCAL_WORLD_SIZE') ?? 1,
      host: readText(env, context, 'MASTER_ADDR'),
      // torchrun's agent itself listens on MASTER_PORT then
      port: env['TORCHELASTIC_USE_AGENT_STORE'] === 'True' ? port + 1 : port,
      restarts: readWholeIfSet(env, 'TORCHELASTIC_RESTART_COUNT'),
    };
  },
  addressHint: "Set MASTER_ADDR to rank 0's machine.",
};
