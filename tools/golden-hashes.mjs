/**
 * `node tools/golden-hashes.mjs` computes the hashes of test/golden-hashes.json again and writes those that changed:
 * after a change of the arithmetic that is meant. It prints each change; the commit should say why it was made.
 */
import { writeFileSync } from 'node:fs';
import { bootstrap } from './bootstrap.mjs';
import { computeGoldenHash, describeRun, GOLDEN_FILE, readGoldenRuns } from './golden-runs.mjs';

async function refresh() {
  const runs = readGoldenRuns();
  let changed = 0;
  for (const run of runs) {
    const sha256 = await computeGoldenHash(run, 1);
    if (sha256 === run.sha256) continue;
    console.log(`${describeRun(run)}: ${run.sha256} -> ${sha256}`);
    run.sha256 = sha256;
    changed++;
  }
  writeFileSync(GOLDEN_FILE, `${JSON.stringify(runs, null, 2)}\n`);
  console.log(`${changed} of ${runs.length} golden hashes changed`);
}

if (await bootstrap()) await refresh();
else process.exitCode = 1;
