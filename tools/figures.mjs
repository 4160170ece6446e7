/** Tables of Markdown from what `lockstep bench --json` and tools/peers print, and their places in a document. */

/** Where a report belongs: `speed`, `peers`, `sync`, `memory`, `kernels gap19k`. */
export const nameOf = (report) => (report.bench === 'kernels' ? `kernels ${report.step.model}` : report.bench);

/** The table of a report, with a line below that says where, when and how it was measured. */
export function formatReport(report) {
  const format = FORMATS[report.bench];
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
  sync: formatSync,
  memory: formatMemory,
  kernels: formatKernels,
};

const rate = (value) => Math.round(value).toLocaleString('en-US');
const percent = (fraction) => `${(100 * fraction).toFixed(0)}%`;
const spread = ({ median, min, max }) => `${rate(median)} (${rate(min)}-${rate(max)})`;
const countOf = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Columns that start with * are text, the others numbers. */
function formatTable(headings, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = line(headings.map((heading) => (heading.startsWith('*') ? '---' : '---:')));
  return [line(headings.map((heading) => heading.replace(/^\*/, ''))), rule, ...rows.map(line)].join('\n');
}

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
    return found?.ratio === undefined ? '-' : `${spread(found.imagesPerSecond)}: ${found.ratio.toFixed(1)}x`;
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
  const share = (value) => `${(100 * value).toFixed(1)}%`;
  const ops = step.kernels.map((kernel) => [
    kernel.op,
    kernel.shape,
    kernel.algorithm,
    kernel.microseconds.toFixed(0),
    share(kernel.shareOfStep),
    rateOf(kernel),
  ]);
  const passes = step.passes.map(({ pass, microseconds, shareOfStep }) => [
    pass,
    microseconds.toFixed(0),
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
    `batch ${batchSize}`,
    ...(repetitions === undefined ? [] : [`median of ${repetitions} (smallest-largest)`]),
    date.slice(0, 10),
    ...(commit === undefined ? [] : [`commit ${commit}`]),
  ];
  return `${parts.join('; ')}.`;
}
