/** Tables of Markdown from what `lockstep bench --json` and tools/peers print, and their places in a document. */

import { countOf, exact, fixed, formatTable, percent, rate, spread } from './figure-text.mjs';
import { formatCluster, formatPredictions, formatSimulation } from './figures-cluster.mjs';
import { formatReproduce, formatShards, formatSpeedrun } from './figures-training.mjs';

/** Where a report belongs: `speed`, `peers`, `engines`, `sync`, `memory`, `reproduce`, `kernels gap19k`, `speedrun 99.4%`. */
export function nameOf(report) {
  if (report.simulation !== undefined) return 'simulation';
  if (report.bench === 'kernels') return `kernels ${report.step.model}`;
  return report.bench === 'speedrun' ? `speedrun ${exact(report.target.accuracy)}` : report.bench;
}

/** The table of a report, with a line below that says where, when and how it was measured. */
export function formatReport(report) {
  const format = report.simulation === undefined ? FORMATS[report.bench] : formatSimulation;
  if (format === undefined) throw new Error(`there is no table for a report of the kind "${report.bench}"`);
  return `${format(report)}\n\n${describeOccasion(report)}`;
}

/**
 * Puts tables between their markers: `<!-- figures: NAME -->` and `<!-- /figures -->`.
 *
 * @param tables by name
 * @returns the document, and the names that have a place in it
 */
export function placeTables(document, tables) {
  const placed = [];
  const text = document.replace(
    /(<!-- figures: (.+?) -->\n)[\s\S]*?(<!-- \/figures -->)/g,
    (all, open, name, close) => {
      if (!(name in tables)) return all;
      placed.push(name);
      return `${open}\n${tables[name]}\n\n${close}`;
    },
  );
  return { text, placed };
}

const FORMATS = {
  speed: formatSpeed,
  peers: formatPeers,
  engines: formatEngines,
  sync: formatSync,
  memory: formatMemory,
  scaling: formatScaling,
  watching: formatWatching,
  kernels: formatKernels,
  reproduce: formatReproduce,
  speedrun: formatSpeedrun,
  shards: formatShards,
  predictions: formatPredictions,
  cluster: formatCluster,
};

function formatSpeed({ models }) {
  const headings = [
    '*model',
    'workers',
    'training, images/s',
    'of peak',
    'scaling',
    'inference, images/s',
    'of peak',
    'peak, GFLOP/s',
  ];
  const rows = models.flatMap(({ model, figures }) =>
    figures.map(({ workers, peakGigaflops, training, inference }) => [
      model,
      workers,
      spread(training.imagesPerSecond),
      percent(training.shareOfPeak),
      percent(training.scalingEfficiency),
      spread(inference.imagesPerSecond),
      percent(inference.shareOfPeak),
      rate(peakGigaflops.median),
    ]),
  );
  return formatTable(headings, rows);
}

function formatPeers({ models }) {
  const names = [...new Set(models.flatMap(({ rows }) => rows.flatMap(({ peers }) => peers.map(({ peer }) => peer))))];
  const cellOf = (peers, name) => {
    const found = peers.find(({ peer }) => peer === name);
    return found?.ratio === undefined ? '-' : `${spread(found.imagesPerSecond)}: ${fixed(found.ratio, 1)}x`;
  };
  const rows = models.flatMap(({ model, rows: own }) =>
    own.map(({ threads, lockstep, shareOfPeak, peers }) => [
      model,
      threads,
      spread(lockstep),
      percent(shareOfPeak),
      ...names.map((name) => cellOf(peers, name)),
    ]),
  );
  return formatTable(
    ['*model', 'threads', 'Lockstep, images/s', 'of peak', ...names.map((name) => `${name}: Lockstep is`)],
    rows,
  );
}

/** One row per model and number of workers; each engine with its ratio to trainOnBatch. */
function formatEngines({ models }) {
  const names = [...new Set(models.flatMap(({ figures }) => figures.map(({ engine }) => engine)))];
  const cellOf = (figure) =>
    figure === undefined ? '-' : `${spread(figure.imagesPerSecond)}: ${fixed(figure.timesBaseline, 2)}x`;
  const rows = models.flatMap(({ model, baseline, figures }) =>
    [...new Set(figures.map(({ workers }) => workers))].map((workers) => [
      model,
      workers,
      ...names.map((name) => cellOf(figures.find((one) => one.engine === name && one.workers === workers))),
      spread(baseline),
    ]),
  );
  const headings = names.map((name) => `${name}, images/s: of trainOnBatch`);
  return formatTable(['*model', 'workers', ...headings, 'trainOnBatch, images/s'], rows);
}

function formatSync({ rows }) {
  return formatTable(
    ['*model', 'workers', 'images/s', 'step, us', 'at barriers', 'cores idle'],
    rows.map(({ model, workers, imagesPerSecond, stepMicroseconds, waitingShare, idleShare }) => [
      model,
      workers,
      rate(imagesPerSecond),
      rate(stepMicroseconds),
      percent(waitingShare),
      percent(idleShare),
    ]),
  );
}

function formatScaling({ models }) {
  const times = ({ median, min, max }) => `${fixed(median, 2)}x (${fixed(min, 2)}-${fixed(max, 2)})`;
  const shares = ({ median, min, max }) => `${percent(median)} (${percent(min)}-${percent(max)})`;
  const rows = models.flatMap(({ model, figures, tensorflow }) => [
    ...figures.map(({ workers, imagesPerSecond, speedUp, efficiency, shares: own }) => [
      model,
      workers,
      spread(imagesPerSecond),
      times(speedUp),
      shares(efficiency),
      ...[own.contribute, own.update, own.wait].map(percent),
    ]),
    ...(tensorflow ? [[model, 'tensorflow, 1', spread(tensorflow), ...['', '', '', '', '']]] : []),
  ]);
  return formatTable(
    ['*model', 'workers', 'images/s', 'speed-up', 'of the cores', 'shards', 'update', 'waiting'],
    rows,
  );
}

function formatWatching({ rows }) {
  const cost = ({ median, min, max }) => [median, min, max].map((share) => `${fixed(100 * share, 2)}%`);
  const range = (share) => {
    const [middle, least, most] = cost(share);
    return `${middle} (${least} to ${most})`;
  };
  return formatTable(
    [
      '*model',
      '*before the page',
      'images/s',
      'watched',
      'a step takes longer by',
      'threads beside it take, of a core',
      'of it by the crowd',
    ],
    rows.map(({ model, crowd, plainImagesPerSecond, watchedImagesPerSecond, cost: share, beside }) => [
      model,
      crowd,
      spread(plainImagesPerSecond),
      spread(watchedImagesPerSecond),
      range(share),
      beside ? range(beside) : '',
      byCrowd(beside, rows.find((row) => row.model === model && row.crowd === 'nobody')?.beside),
    ]),
  );
}

/** What a crowd takes beyond a run with a page that nobody looks at. */
function byCrowd(beside, nobody) {
  return beside && nobody && beside !== nobody ? `${fixed(100 * (beside.median - nobody.median), 2)}%` : '';
}

function formatMemory({ rows }) {
  const counts = [...new Set(rows.map(({ workers }) => workers))];
  const models = [...new Set(rows.map(({ model }) => model))];
  const megabytes = (bytes) => (bytes === undefined ? '' : rate(bytes / 1e6));
  const find = (model, workers) => rows.find((row) => row.model === model && row.workers === workers);
  return formatTable(
    ['*RSS in MB', 'data only', ...counts.map((count) => countOf(count, 'worker'))],
    models.map((model) => [
      model,
      megabytes(find(model, counts[0])?.beforeBytes),
      ...counts.map((count) => megabytes(find(model, count)?.afterBytes)),
    ]),
  );
}

function formatKernels({ step }) {
  const rateOf = ({ gigaflops, gigabytesPerSecond }) => {
    if (gigaflops !== undefined) return `${rate(gigaflops)} GFLOP/s`;
    return gigabytesPerSecond === undefined ? '' : `${rate(gigabytesPerSecond)} GB/s`;
  };
  const share = (value) => `${fixed(100 * value, 1)}%`;
  const ops = step.kernels.map((kernel) => [
    kernel.op,
    kernel.shape,
    kernel.algorithm,
    fixed(kernel.microseconds, 0),
    share(kernel.shareOfStep),
    rateOf(kernel),
  ]);
  const passes = step.passes.map(({ pass, microseconds, shareOfStep }) => [
    pass,
    fixed(microseconds, 0),
    share(shareOfStep),
  ]);
  return [
    formatTable(['*op', '*shape', '*algorithm', 'us per step', 'share', 'rate'], ops),
    formatTable(['*pass', 'us per step', 'share'], passes),
    `${rate(step.imagesPerSecond)} images/s on one thread, ${percent(step.shareOfPeak)} of ${rate(step.peakGigaflops)} GFLOP/s.`,
  ].join('\n\n');
}

function describeOccasion({ machine, date, commit, repetitions, batchSize, versions }) {
  const { processor, cores, isa, node } = machine;
  const parts = [
    `${processor}, ${countOf(cores, 'core')}, ${isa}, Node ${node}`,
    ...(versions ?? []),
    ...(batchSize === undefined ? [] : [`batch ${batchSize}`]),
    ...(repetitions === undefined ? [] : [`median of ${repetitions} (smallest-largest)`]),
    date.slice(0, 10),
    ...(commit === undefined ? [] : [`commit ${commit}`]),
  ];
  return `${parts.join('; ')}.`;
}
