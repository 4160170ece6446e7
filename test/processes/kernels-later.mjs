/**
 * `node kernels-later.mjs LIB LATER`: the first golden run by the packages of a folder that have no kernels for this
 * machine, until they get those in LATER after the first epoch. Prints its events.
 */
import { renameSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { readGoldenRuns, trainGolden } from '../../tools/golden-runs.mjs';

const [lib, later] = process.argv.slice(2);
let finish = () => {};
const compiled = new Promise((resolve) => {
  finish = resolve;
});
const asked = { workers: 2, compileKernels: () => compiled };
for await (const event of trainGolden(readGoldenRuns()[0], asked, pathToFileURL(`${lib}/`))) {
  console.log(JSON.stringify(event));
  if (event.event !== 'epoch' || event.epoch !== 1) continue;
  renameSync(later, path.join(lib, 'kernels', 'prebuilds'));
  finish();
}
