/** Finds and loads the @tensorflow/tfjs-node that `npm run setup:tensorflow` has put into the user's cache folder. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { findCacheFolder, isRecord, readJson, readText } from '@lockstep/core/files';
import { inClone } from '@lockstep/kernels';
import { giveBackUtil } from './given-back.js';
import type { TensorFlow } from './tfjs-node.js';

/** Kept in step with tools/setup/tensorflow.mjs by its test. */
export const TFJS_VERSION = '4.22.0';
export const LIBTENSORFLOW_VERSION = '2.15.1';
/** Of what the set-up changes in tfjs-node. */
export const BINDING_REVISION = 2;
export const SETUP_COMMAND = 'npm run setup:tensorflow';

/** In which tfjs-node was seen to compute; kept in step with the set-up as well. */
export const TRIED_NODES = 'Node 20, 24 or 26';

/** One thread per worker: then a worker's results repeat, and workers do not fight for cores. */
const SETTINGS = { TF_NUM_INTRAOP_THREADS: '1', TF_NUM_INTEROP_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '2' } as const;

/** Where this machine's set-up is, or would be: versions, platform and processor are part of the name. */
export function tensorFlowFolder(cacheFolder: string = findCacheFolder()): string {
  const name = `tfjs-${TFJS_VERSION}-tensorflow-${LIBTENSORFLOW_VERSION}-${process.platform}-${process.arch}`;
  return join(cacheFolder, 'tensorflow', name);
}

/** Whether the set-up was finished, by a release that changes the same things in tfjs-node. */
export const isTensorFlowSetUp = (folder: string = tensorFlowFolder()): boolean =>
  readSetUp(folder).revision === BINDING_REVISION;

/** For people: `tensorflow (tfjs-node 4.22.0, libtensorflow 2.15.1)`. */
export const ENGINE_NAME = `tensorflow (tfjs-node ${TFJS_VERSION}, libtensorflow ${LIBTENSORFLOW_VERSION})`;

/**
 * Sets what TensorFlow reads once, when it is loaded. Call it on the main thread, before any worker exists: a worker's
 * `process.env` is a copy that the library does not see.
 *
 * @throws LockstepError LOCKSTEP_ENGINE_MISSING when the set-up was not done
 */
export function prepareTensorFlow(folder: string = tensorFlowFolder()): void {
  requireSetUp(folder);
  Object.assign(process.env, SETTINGS);
}

/**
 * Loads the library, with its `tensorflow` backend.
 *
 * @throws LockstepError LOCKSTEP_ENGINE_MISSING, or LOCKSTEP_ENGINE_BROKEN when it does not load
 */
export function loadTensorFlow(folder: string = tensorFlowFolder()): TensorFlow {
  requireSetUp(folder);
  giveBackUtil();
  try {
    return withoutBanner(() => createRequire(join(folder, 'package.json'))('@tensorflow/tfjs-node') as TensorFlow);
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_ENGINE_BROKEN',
      `the tensorflow engine in ${folder} does not load: ${firstLine(error)}. Delete that folder and run ${inClone(SETUP_COMMAND)}.`,
      { cause: error },
    );
  }
}

function requireSetUp(folder: string): void {
  if (isTensorFlowSetUp(folder)) return;
  const why = existsSync(folder) ? `${folder} is unfinished, or of an earlier release` : `there is no ${folder}`;
  throw new LockstepError(
    'LOCKSTEP_ENGINE_MISSING',
    `the tensorflow engine is not set up on this machine (${why}). Run this once: ${inClone(SETUP_COMMAND)}`,
  );
}

interface SetUp {
  readonly compiler?: string;
  readonly revision?: number;
}

/** With what the set-up was done, for `lockstep doctor`; empty where `ready.json`, which is written last, is not there or is cut. */
function readSetUp(folder: string = tensorFlowFolder()): SetUp {
  try {
    const setUp = readJson(readText(join(folder, 'ready.json')));
    return isRecord(setUp) ? setUp : {};
  } catch {
    return {};
  }
}

/** tfjs advertises itself on stdout when it is loaded; stdout is the program's. */
function withoutBanner<T>(load: () => T): T {
  const { log, info, warn } = console;
  Object.assign(console, { log: () => {}, info: () => {}, warn: () => {} });
  try {
    return load();
  } finally {
    Object.assign(console, { log, info, warn });
  }
}

const firstLine = (error: unknown): string =>
  String(error instanceof Error ? error.message : error).split('\n')[0] ?? '';
