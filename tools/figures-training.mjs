/** Tables of whole trainings: what they reach, and how long it takes. */
import { exact, fixed, formatTable, percent, rate, seconds } from './figure-text.mjs';

/** Every seed in the order of seeds; the hash that a seed ends with stands in report.md. */
export function formatReproduce({ claims }) {
  const headings = [
    '*model (recipe)',
    '*claim',
    'median of best epochs',
    '*each seed, best (epoch)',
    'median at the end',
    '*reached',
    'seconds',
    'images/s',
    'of peak',
    'FLOP per image',
    'core-seconds',
    'joules',
  ];
  const rows = claims.map((result) => [
    `${result.claim.model} (${result.claim.recipe})`,
    result.claim.text,
    exact(result.medianBest),
    result.seeds.map(({ best, bestEpoch }) => `${exact(best)} (${bestEpoch})`).join(', '),
    exact(result.medianFinal),
    result.isReached === undefined ? 'curves' : result.isReached ? 'yes' : 'no',
    seconds(result.seconds),
    rate(result.imagesPerSecond),
    percent(result.shareOfPeak),
    rate(result.flopsPerImage),
    rate(result.coreSeconds),
    result.joules === undefined ? 'not available' : rate(result.joules),
  ]);
  return formatTable(headings, rows);
}

/** Images of the test set that are right: the mean over seeds, then each seed. */
export function formatShards({ rows }) {
  const sizes = [...new Set(rows.flatMap(({ sizes: own }) => own.map(({ shardSize }) => shardSize)))];
  const mean = (values) => fixed(values.reduce((a, b) => a + b, 0) / values.length, 0);
  const cellOf = ({ sizes: own }, size) => {
    const found = own.find(({ shardSize }) => shardSize === size);
    return found === undefined ? '-' : `${mean(found.correct)} (${found.correct.join(', ')})`;
  };
  return formatTable(
    ['*test images right, in shards of', ...sizes.map(String)],
    rows.map((row) => [row.model, ...sizes.map((size) => cellOf(row, size))]),
  );
}

export function formatSpeedrun({ target, workers, sprints, torch, torchMissing, ...report }) {
  const timeOf = ({ median, min, max }) => `${seconds(median)} (${seconds(min)}-${seconds(max)})`;
  const peers = torch.map((run) => `${seconds(run.seconds)} (${exact(run.accuracy)})`).join(', ');
  const rows = [
    ['network', target.model],
    ['runs that reach it', `${report.reached} of ${report.repetitions}`],
    ['median accuracy', exact(report.medianAccuracy)],
    ['every run', sprints.map(({ accuracy }) => exact(accuracy)).join(', ')],
    ['seconds from process start to exit', timeOf(report.seconds)],
    ['of them before the first step', timeOf(report.startSeconds)],
    ['workers', workers],
    ['images/s over all of it', rate(report.imagesPerSecond)],
    ['of peak, between start and exit', percent(report.shareOfPeak)],
    ['FLOP per image', rate(report.flopsPerImage)],
    ['core-seconds', timeOf(report.coreSeconds)],
    ['PyTorch, same network and recipe, seconds', peers || (torchMissing ?? 'not run')],
  ];
  return formatTable([`*to ${exact(target.accuracy)}`, '*'], rows);
}
