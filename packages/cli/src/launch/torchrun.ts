/**
 * PyTorch's variables, which torchrun sets, and others after it: Ray Train, Kubeflow; DeepSpeed and Azure ML with LOCAL_SIZE
 * in place of LOCAL_WORLD_SIZE (docs.pytorch.org/docs/stable/elastic/run.html, "Environment Variables").
 */
import type { Environment, Launcher } from './place.js';
import { own, readText, readWhole, readWholeIfSet, variableError } from './variables.js';

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
      localSize: readLocalSize(env),
      host: readText(env, context, 'MASTER_ADDR'),
      // torchrun's agent itself listens on MASTER_PORT then
      port: env['TORCHELASTIC_USE_AGENT_STORE'] === 'True' ? port + 1 : port,
      restarts: readWholeIfSet(env, 'TORCHELASTIC_RESTART_COUNT'),
    };
  },
  addressHint: "Set MASTER_ADDR to rank 0's machine.",
};

/** Processes on this machine; where they are numbered and not counted, the cores cannot be shared out among them. */
function readLocalSize(env: Environment): number {
  const size = readWholeIfSet(env, own('LOCAL_SIZE'), 'LOCAL_WORLD_SIZE', 'LOCAL_SIZE');
  if (size !== undefined) return size;
  if (env['LOCAL_RANK'] === undefined || readWholeIfSet(env, own('SIZE'), 'WORLD_SIZE') === 1) return 1;
  throw variableError(
    'LOCAL_RANK is set, and LOCAL_WORLD_SIZE and LOCAL_SIZE are not: how many processes share this machine and its cores? Set LOCKSTEP_LOCAL_SIZE.',
  );
}
