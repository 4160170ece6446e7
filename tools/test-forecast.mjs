/** What `npm test` says first: how long it takes, and what it fetches before that. */
import { existsSync } from 'node:fs';
import { isOffline } from './setup/cache-folder.mjs';
import { areDependenciesFresh } from './setup/dependencies.mjs';
import { areKernelsFresh, kernelsProject } from './setup/kernels.mjs';
import { readersFolder } from './setup/readers.mjs';
import { isTensorFlowReady } from './setup/tensorflow.mjs';
import { findWheel } from './setup/tensorflow-platforms.mjs';
import { isTypeScriptFresh } from './setup/typescript.mjs';

const BUDGETS = { quick: '5 minutes', slow: '3 hours' };

/** What is missing here, each with how large it is. */
function listPending(root, kind) {
  const isBuilt = isTypeScriptFresh(root) && areKernelsFresh(kernelsProject(root));
  return [
    !areDependenciesFresh(root) && 'npm packages (400 MB on disk)',
    !isBuilt && 'kernels and TypeScript are built (a minute)',
    !isTensorFlowReady() && `TensorFlow from PyPI (${describeWheel()})`,
    kind === 'quick' &&
      !existsSync(readersFolder()) &&
      'TensorBoard and a reader of metrics from PyPI (160 MB on disk)',
  ].filter((text) => text !== false);
}

function describeWheel() {
  try {
    return `${Math.round(findWheel().bytes / 1e6)} MB to fetch`;
  } catch {
    return 'none for this machine';
  }
}

/**
 * The lines.
 *
 * @param kind 'quick' or 'slow'
 * @param pending what is missing, as `listPending` says
 */
export function describeForecast(kind, pending, { offline = false } = {}) {
  const usual = `about ${BUDGETS[kind]} on two cores, less where Nx knows packages as tested`;
  const rest = kind === 'quick' ? '; the long tests are npm run test:slow' : '';
  const lines = [`test: ${usual}${rest}`];
  if (pending.length > 0) {
    const how = offline ? ', without a network (LOCKSTEP_OFFLINE): what cannot be had is skipped' : ' (once)';
    lines.push(`test: before that${how}: ${pending.join(', ')}`);
  }
  return lines;
}

export const forecast = (root, kind) => describeForecast(kind, listPending(root, kind), { offline: isOffline() });
