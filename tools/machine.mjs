/** What test results depend on beside the files: an Nx input, so that a cached result is only good where it was made. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './bootstrap.mjs';
import { detectInstructionSets } from './setup/instruction-sets.mjs';
import { isTensorFlowReady } from './setup/tensorflow.mjs';

const hasMnist = existsSync(path.join(ROOT, '..', 'shared', 'mnist'));
console.log(
  JSON.stringify([
    process.version,
    process.platform,
    process.arch,
    detectInstructionSets(),
    hasMnist,
    isTensorFlowReady(),
  ]),
);
