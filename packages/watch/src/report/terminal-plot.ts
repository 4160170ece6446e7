/**
 * Learning curves in the terminal: a column of characters per moment, a mark per series, told apart without colours.
 * Own code: libraries for this draw staircases of lines whose series differ by colour alone.
 */
import type { EpochEvent } from '@lockstep/core/events';
import { makeScale } from './curves-picture.js';

const ROWS = 12;
const LEAST_COLUMNS = 24;
const MOST_COLUMNS = 84;
/** Of the labels at the left, with the axis behind them. */
const MARGIN = 10;

interface Series {
  readonly name: string;
  readonly mark: string;
  readonly values: readonly (number | undefined)[];
}

/**
 * Lines with two charts, loss and accuracy over the epochs; none for fewer than two epochs.
 *
 * @param columns characters that a line may have
 */
export function plotEpochs(epochs: readonly EpochEvent[], columns: number): string[] {
  if (epochs.length < 2) return [];
  const width = Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, columns - MARGIN - 1));
  const lists = (training: Reader, validation: Reader, test: Reader): Series[] => [
    { name: 'training', mark: '·', values: epochs.map(training) },
    { name: 'validation', mark: 'o', values: epochs.map(validation) },
    { name: 'test', mark: '*', values: epochs.map(test) },
  ];
  const loss = lists(
    (e) => e.trainLoss,
    (e) => e.validation?.loss,
    (e) => e.testLoss,
  );
  const accuracy = lists(
    (e) => e.trainAccuracy,
    (e) => e.validation?.accuracy,
    (e) => e.testAccuracy,
  );
  const xLabels = labelEpochs(epochs, width);
  return [
    ...draw('Loss', loss, width, xLabels, (value) => String(Number(value.toPrecision(3)))),
    '',
    ...draw('Accuracy', accuracy, width, xLabels, (value) => `${Number((100 * value).toFixed(2))}%`),
  ];
}

type Reader = (epoch: EpochEvent) => number | undefined;

function draw(
  title: string,
  all: readonly Series[],
  width: number,
  xLabels: string,
  format: (value: number) => string,
): string[] {
  const series = all.filter(({ values }) => values.some(isNumber));
  const known = series.flatMap(({ values }) => values.filter(isNumber));
  if (known.length === 0) return [title, '  nothing that is a number'];
  const { ticks, place } = makeScale(Math.min(...known), Math.max(...known));
  const rowOf = (value: number): number => Math.round((ROWS - 1) * (1 - place(value)));
  const grid = Array.from({ length: ROWS }, () => new Array<string>(width).fill(' '));
  for (const { values, mark } of series) {
    for (let column = 0; column < width; column++) {
      const value = interpolate(values, (column / (width - 1)) * (values.length - 1));
      const row = value === undefined ? undefined : grid[rowOf(value)];
      if (row !== undefined) row[column] = mark;
    }
  }
  const labels = new Map(ticks.map((tick) => [rowOf(tick), format(tick)]));
  const lines = grid.map((row, index) => {
    const label = labels.get(index);
    return `${(label ?? '').padStart(MARGIN - 2)} ${label === undefined ? '│' : '┤'}${row.join('')}`.trimEnd();
  });
  const legend = series.map(({ name, mark }) => `${mark} ${name}`).join('   ');
  return [
    `${' '.repeat(MARGIN)}${title}   ${legend}`,
    ...lines,
    `${' '.repeat(MARGIN - 1)}└${'─'.repeat(width)}`,
    xLabels,
  ];
}

const isNumber = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);

/** Between two values; undefined where one of them is missing. */
function interpolate(values: readonly (number | undefined)[], at: number): number | undefined {
  const index = Math.min(values.length - 2, Math.floor(at));
  const [before, after] = [values[index], values[index + 1]];
  return isNumber(before) && isNumber(after) ? before + (after - before) * (at - index) : undefined;
}

/** The first and the last epoch below the ends of the axis. */
function labelEpochs(epochs: readonly EpochEvent[], width: number): string {
  const [first, last] = [`epoch ${epochs[0]?.epoch}`, String(epochs.at(-1)?.epoch)];
  return `${' '.repeat(MARGIN)}${first}${last.padStart(width - first.length)}`;
}
