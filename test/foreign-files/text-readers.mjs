/** Readers of settings, models, and what a run leaves beside its weights. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { dist } from './common.mjs';

/** Texts, read by a function of a text or of a path. */
const text = (name, content, open) => ({
  async open(at, sample) {
    const read = await open(path.join(at, name), at);
    return { files: { [name]: typeof content === 'function' ? content(sample) : content }, damaged: name, read };
  },
});

const MODEL = {
  name: 'm',
  input: { channels: 1, height: 6, width: 6 },
  classes: 3,
  layers: [
    { type: 'conv', outChannels: 2, kernel: 3, padding: 1 },
    { type: 'batchNorm' },
    { type: 'relu' },
    { type: 'maxPool', kernel: 2 },
    { type: 'flatten' },
    { type: 'dropout', p: 0.5 },
    { type: 'linear', outFeatures: 3 },
  ],
  recipe: { epochs: 2, batchSize: 32, optimizer: { type: 'adamw', weightDecay: 0.01 } },
};

const YAML = `# a run
model: tiny6k
epochs: 3
recipe: &r
  batchSize: 64
  optimizer: {type: sgd, learningRate: 1e-2, momentum: 0.9}
  augmentation:
    rotation: 10
data: "some/where"
seed: 7
`;

const seconds = 0.001;
const COSTS = {
  calibration: 4,
  machine: { cpu: 'x' },
  date: '2026',
  cores: 2,
  message: { send: seconds, receive: seconds, sendByte: 0, receiveByte: 0 },
  step: { swap: seconds, star: seconds, mesh: seconds },
  models: [
    {
      model: 'tiny6k',
      floats: 6000,
      tailFloats: 60,
      shardSize: 16,
      threads: [
        {
          threads: 1,
          contributeBase: seconds,
          contributeShard: seconds,
          afterTail: 0.5,
          foldVector: 0,
          updateVector: 0,
          order: 0,
        },
      ],
    },
  ],
};

const ofRun = (name) => (sample) => readFileSync(path.join(sample, 'run', name));

export const TEXT_READERS = {
  'a model file': text('m.json', JSON.stringify(MODEL, null, 1), async (file) => {
    const { loadModelSpec } = await dist('core/dist/zoo/index');
    return () => loadModelSpec(file);
  }),
  'settings in YAML': text('run.yaml', YAML, async (file) => {
    const { readConfigFile } = await dist('cli/dist/settings/config-file');
    return () => readConfigFile(file);
  }),
  'settings in JSON': text('run.json', JSON.stringify({ ...MODEL.recipe, model: MODEL }), async (file) => {
    const { readConfigFile } = await dist('cli/dist/settings/config-file');
    return () => readConfigFile(file);
  }),
  'the run.json of a run': text('run.json', ofRun('run.json'), async (file) => {
    const { readConfigFile } = await dist('cli/dist/settings/config-file');
    return () => readConfigFile(file);
  }),
  'the events of a run': text('events.jsonl', ofRun('events.jsonl'), async (file) => {
    const { dropLaterLines, readProgress } = await dist('watch/dist/files/earlier-lines');
    return () => {
      const { ended, kept } = readProgress(file);
      if (Number.isNaN(ended + kept)) throw new Error('a run came to no number of steps');
      dropLaterLines(file, 1, () => {});
    };
  }),
  'the chronicle of a run': text('chronicle.json', ofRun('chronicle.json'), async (_, at) => {
    const { readChronicle } = await dist('cli/dist/commands/dashboard');
    const { completeSource, Feed, NOTHING_KNOWN } = await dist('watch/dist/page/index');
    return () => new Feed(0, 'x', completeSource(readChronicle(at))).newsFor(NOTHING_KNOWN);
  }),
  'a calibration': text('costs.json', JSON.stringify(COSTS), async (file) => {
    const { readCosts } = await dist('cli/dist/lab/simulate/costs');
    return () => readCosts(file);
  }),
  'a token file': text('token', 'a secret of some length\n', async (file) => {
    const { findToken } = await dist('cli/dist/fields/cluster-fields');
    return () => findToken(file, {});
  }),
  'the name of the latest run': text('runs/latest', 'tiny6k-seed1\n', async (_, at) => {
    const { findRunWeights } = await dist('watch/dist/files/index');
    return () => {
      const home = process.cwd();
      process.chdir(at);
      try {
        findRunWeights('latest');
      } finally {
        process.chdir(home);
      }
    };
  }),
  'the record of a reproduced run': text('run.json', '{"seed":1,"steps":[1,2]}', async (_, at) => {
    const { readCost, readRecord } = await dist('cli/dist/lab/reproduce/run-record');
    return () => [readRecord(at, () => {}), readCost(at, () => {})];
  }),
  'a lock': text(
    'run.lock',
    JSON.stringify({
      id: 'x',
      run: 'tiny6k, seed 1',
      since: 'now',
      process: { host: 'h', boot: 'b', pid: 1, started: 1 },
    }),
    async (_, at) => {
      const { FolderLock } = await dist('coordinator/dist/run/folder-lock');
      return async () => {
        const lock = await FolderLock.take(at, { run: 'x', onWarning: () => {}, silentMs: 0 });
        lock.release();
      };
    },
  ),
  'the key of the page': text('page-key', 'a'.repeat(64), async (_, at) => {
    const { readPageKey } = await dist('watch/dist/page/page-key');
    return () => readPageKey(at);
  }),
  'the hosts of a pod': text('hosts', '10.1.0.7 job-2.svc.ns.svc.cluster.local job-2\n', async (file) => {
    const { findFirstPod } = await dist('cli/dist/launch/kubernetes');
    return () => findFirstPod({ HOSTNAME: 'job-2' }, readFileSync(file, 'utf8'));
  }),
  "Slurm's node list": text('nodes', 'n[1-3,7],m05,rack[0-1]n[08-11]', async (file) => {
    const { expandNodeList } = await dist('cli/dist/launch/node-list');
    return () => expandNodeList(readFileSync(file, 'latin1'));
  }),
};
