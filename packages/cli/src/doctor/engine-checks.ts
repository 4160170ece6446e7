/** The engines: whether they load and compute. */
import { LockstepError } from '@lockstep/core/errors';
import { availableIsas, hasSources, inClone, loadKernels } from '@lockstep/kernels';
import {
  ENGINE_NAME,
  isTensorFlowSetUp,
  loadTensorFlow,
  prepareTensorFlow,
  SETUP_COMMAND,
  TRIED_NODES,
  tensorFlowFolder,
} from '@lockstep/worker/tensorflow-engine';
import type { Finding } from './finding.js';

/** Builds of the kernels that this processor can run, best first; none where they do not load. */
export function listIsas(): readonly string[] {
  try {
    return availableIsas();
  } catch {
    return [];
  }
}

/** Whether a compiler is of use here: a package compiles nothing. */
export const canCompile = (): boolean => hasSources();

export function checkNative(): Finding {
  const name = 'native engine';
  try {
    return { name, verdict: 'good', text: `kernels for ${loadKernels().isa}` };
  } catch (error) {
    return {
      name,
      verdict: 'problem',
      text: (error as Error).message.split('\n')[0] ?? '',
      cost: 'nothing can be trained or evaluated',
      fix: inClone('npm run build'),
    };
  }
}

/** Loads the library, if it is set up, and multiplies two numbers with it. */
export function checkTensorFlow(folder: string = tensorFlowFolder()): Finding {
  const name = 'tensorflow engine';
  if (!isTensorFlowSetUp(folder)) {
    return {
      name,
      verdict: 'notice',
      text: `not set up (${folder})`,
      cost: '--engine tensorflow, bench --engines, and the tests that compare the two engines',
      fix: `${inClone(SETUP_COMMAND)} (downloads 0.25 GB, takes 0.7 GB of disk; needs pip and a C++ compiler)`,
    };
  }
  try {
    prepareTensorFlow(folder);
    const tf = loadTensorFlow(folder);
    const product = tf.tidy(() => tf.tensor(Float32Array.of(6), [1]).mul(7).dataSync()[0]);
    if (tf.getBackend() !== 'tensorflow' || product !== 42)
      throw new Error(`6 * 7 gave ${product} on its ${tf.getBackend()} backend`);
    return { name, verdict: 'good', text: ENGINE_NAME.replace(/^tensorflow \((.*)\)$/, '$1') };
  } catch (error) {
    return {
      name,
      verdict: 'notice',
      text: (error as Error).message,
      cost: '--engine tensorflow does not work; the native engine does',
      // what loads but does not compute is whole: a new set-up would be the same
      fix:
        error instanceof LockstepError
          ? `delete ${folder}, then ${inClone(SETUP_COMMAND)}`
          : `${TRIED_NODES} (this is Node ${process.versions.node})`,
    };
  }
}
