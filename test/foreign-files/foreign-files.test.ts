/** Files that came to hold something else: each is read, or refused with a code, in little memory and time. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { useBars } from '../support/bars-place.ts';
import { runHere } from '../support/program-here.ts';
import { seedOr } from '../support/seed.ts';
import { HOSTILE } from './hostile-files.mjs';
import { readDamaged, readHostile } from './read-damaged.ts';
import { READERS } from './readers.mjs';

const bars = useBars(runHere);
const RUNS = 25;

it('issue 25: a damaged file of any kind is read as what it holds, or refused with a code', async () => {
  expect((await bars.train('--steps', '2', '--out', 'run')).code).toBe(0);
  const { runs, faults } = await readDamaged(seedOr(1), RUNS, bars.place.folder);
  expect(faults).toEqual([]);
  expect(runs).toEqual(Object.fromEntries(Object.keys(READERS).map((name) => [name, RUNS])));
});

it('cases: peers 18, 19: files made to take all memory or time are refused before they do', async () => {
  const { runs, faults } = await readHostile();
  expect(faults).toEqual([]);
  expect(Object.keys(runs)).toEqual(Object.keys(HOSTILE));
});

describe('what reads files', () => {
  const root = path.resolve(import.meta.dirname, '../../packages');
  const READS =
    /\b(readFileSync|readFile|createReadStream|readSync|readWholeFile|readInPieces|readText|readKeptJson|readWeightsBytes)\(/;

  /** By which reader a source that reads files is tried above. */
  const TRIED: Readonly<Record<string, string>> = {
    'cli/src/commands/dashboard.ts': 'the chronicle of a run',
    'cli/src/fields/cluster-fields.ts': 'a token file',
    'cli/src/images/image-arguments.ts': 'PNG',
    'cli/src/lab/reproduce/run-record.ts': 'the record of a reproduced run',
    'cli/src/lab/simulate/costs.ts': 'a calibration',
    'cli/src/launch/kubernetes.ts': 'the hosts of a pod',
    'cli/src/settings/config-file.ts': 'settings in YAML',
    'cli/src/settings/weights-file.ts': 'safetensors',
    'coordinator/src/run/folder-lock.ts': 'a lock',
    'core/src/data/data-cache.ts': 'data that were kept',
    'core/src/data/mnist/file-cache.ts': 'a file of MNIST that was kept',
    'core/src/data/readers/csv-rows.ts': 'CSV with names',
    'core/src/data/readers/idx-folder.ts': 'IDX images',
    'core/src/data/readers/image-folder.ts': 'a folder of pictures',
    'core/src/files/kept-json.ts': 'data that were kept',
    'core/src/files/text-file.ts': 'a model file',
    'core/src/files/whole-file.ts': 'safetensors',
    'core/src/formats/tfjs-file.ts': 'a LayersModel',
    'core/src/formats/weight-bytes.ts': 'safetensors',
    'core/src/state/checkpoint-folder.ts': 'a checkpoint',
    'core/src/state/weights.ts': 'safetensors',
    'core/src/zoo/model-file.ts': 'a model file',
    'watch/src/files/earlier-lines.ts': 'the events of a run',
    'watch/src/files/find-run.ts': 'the name of the latest run',
    'watch/src/page/page-key.ts': 'the key of the page',
    'worker/src/connection/dataset-cache.ts': 'data of a coordinator that were kept',
  };

  /** Why others need not be. */
  const TRUSTED: Readonly<Record<string, string>> = {
    'cli/src/fields/connect-fields.ts': 'a certificate, which is handed to TLS as it is',
    'cli/src/lab/bench/measure/run-process.ts': 'a number of the system',
    'cli/src/lab/bench/nodes/lan.ts': 'a number of the system',
    'cli/src/lab/reproduce/energy.ts': 'a number of the system',
    'cli/src/lab/reproduce/promised-hashes.ts': 'part of the package',
    'cli/src/launch/slurm.ts': 'a variable, read by a function of that name',
    'cli/src/launch/torchrun.ts': 'a variable, read by a function of that name',
    'cli/src/launch/variables.ts': 'a variable, read by a function of that name',
    'cli/src/main.ts': 'part of the package',
    'coordinator/src/members/server.ts': 'a certificate, which is handed to TLS as it is',
    'coordinator/src/run/checkpoints.ts': 'a name that is compared; what is none is passed over',
    'coordinator/src/run/process-identity.ts': 'a number of the system',
    'core/src/data/pictures/image-file.ts': 'bytes in memory, read by a function of that name',
    'core/src/exports/html.ts': 'part of the package',
    'core/src/files/version.ts': 'part of the package',
    'core/src/machine/usable-cores.ts': 'a number of the system',
    'kernels/src/wasm/module.ts': 'part of the package',
    'kernels/src/builds.ts': 'a list of the system',
    'watch/src/page/page-files.ts': 'part of the package',
    'worker/src/tensorflow-engine/installation.ts': 'what the set-up has written, which is a library to be loaded',
  };

  it('issue 25: is tried with damaged files, or has a reason not to be', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((file) => file.split(path.sep).join('/'))
      .filter((file) => /^[^/]+\/src\/.*\.ts$/.test(file) && !/\.test\.ts$|\/(test-|testing\/)/.test(file));
    const reading = files.filter((file) => READS.test(readFileSync(path.join(root, file), 'utf8')));
    expect(reading.sort()).toEqual([...Object.keys(TRIED), ...Object.keys(TRUSTED)].sort());
    expect(Object.values(TRIED).filter((name) => !(name in READERS))).toEqual([]);
  });
});
