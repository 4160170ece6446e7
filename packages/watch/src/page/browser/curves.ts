/** The charts of one run: loss, accuracy, learning rate, images per second. */
import type { Chronicle, Curve } from '../../chronicle/chronicle.js';
import { alignColumns, Chart, type ChartData, type Line, showNothing, smooth } from './chart.js';
import { byId } from './dom.js';
import { count, loss, percent, rate } from './format.js';

const TRAINING: Line = { label: 'training', color: 'training' };
const RAW: Line = { label: 'each step', color: 'training', width: 1, isFaint: true };
const VALIDATION: Line = { label: 'validation', color: 'validation', dash: [6, 4], points: 6 };
const TEST: Line = { label: 'test', color: 'test', points: 7 };
const AVERAGE: Line = { label: 'test, moving average', color: 'average', dash: [2, 3], points: 5 };

/** Epochs at the start that may lie outside of the picture, since everything after would be flat. */
const WARM_UP = 0.34;

export class Curves {
  readonly #loss = new Chart({ id: 'chart-loss', format: loss, formatTick: rate });
  readonly #accuracy = new Chart({
    id: 'chart-accuracy',
    format: (value) => percent(value),
    formatTick: tickPercent,
    range: (least, most) => this.#accuracyRange(least, most),
  });
  readonly #rate = new Chart({ id: 'chart-rate', format: rate, height: 170, range: fromZero });
  readonly #speed = new Chart({ id: 'chart-speed', format: count, formatTick: compact, height: 170, range: fromZero });
  #shown: Partial<Chronicle> = {};

  constructor() {
    const button = byId<HTMLButtonElement>('loss-scale');
    button.addEventListener('click', () => {
      this.#loss.isLogarithmic = !this.#loss.isLogarithmic;
      button.setAttribute('aria-pressed', String(this.#loss.isLogarithmic));
      this.#loss.restyle();
    });
    for (const id of ['chart-loss', 'chart-accuracy', 'chart-rate', 'chart-speed']) showNothing(id, 'Nothing yet');
  }

  show(chronicle: Partial<Chronicle>): void {
    this.#shown = chronicle;
    const { curve, epochs = [] } = chronicle;
    if (curve === undefined || curve.epoch.length + epochs.length === 0) return;
    const span = Math.max(1, Math.min(15, curve.epoch.length / 60));
    this.#loss.show(...this.#drawLoss(curve, span));
    this.#accuracy.show(...this.#drawAccuracy(curve, span));
    this.#rate.show([{ ...TRAINING, label: 'learning rate' }], [curve.epoch, curve.learningRate]);
    this.#speed.show(
      [{ ...TRAINING, label: 'images/s', color: 'speed' }],
      [curve.epoch, smooth(curve.imagesPerSecond, Math.min(5, span))],
    );
  }

  restyle(): void {
    for (const chart of [this.#loss, this.#accuracy, this.#rate, this.#speed]) chart.restyle();
  }

  #drawLoss(curve: Curve, span: number): [Line[], ChartData] {
    const training = { x: curve.epoch, y: smooth(curve.loss, span) };
    return this.#draw(
      [
        [RAW, { x: curve.epoch, y: curve.loss }],
        [TRAINING, training],
      ],
      {
        test: ({ testLoss }) => testLoss,
        validation: ({ validation }) => validation?.loss,
        average: ({ ema }) => ema?.testLoss,
      },
    );
  }

  #drawAccuracy(curve: Curve, span: number): [Line[], ChartData] {
    const training = { x: curve.epoch, y: smooth(curve.accuracy, span) };
    return this.#draw([[TRAINING, training]], {
      test: ({ testAccuracy }) => testAccuracy,
      validation: ({ validation }) => validation?.accuracy,
      average: ({ ema }) => ema?.testAccuracy,
    });
  }

  #draw(steps: readonly [Line, Column][], read: EpochReaders): [Line[], ChartData] {
    const { epochs = [] } = this.#shown;
    const ofEpochs = (
      [
        [VALIDATION, read.validation],
        [TEST, read.test],
        [AVERAGE, read.average],
      ] as const
    ).flatMap(([line, readValue]): [Line, Column][] => {
      const known = epochs.flatMap((epoch) => {
        const value = readValue(epoch);
        return value === undefined ? [] : [{ x: epoch.epoch, y: value }];
      });
      return known.length > 0 ? [[line, { x: known.map(({ x }) => x), y: known.map(({ y }) => y) }]] : [];
    });
    const all = [...steps, ...ofEpochs];
    return [all.map(([line]) => line), alignColumns(all.map(([, column]) => column))];
  }

  #accuracyRange(least: number, most: number): [number, number] {
    const { curve, epochs = [] } = this.#shown;
    const start = curve?.epoch[0] ?? 0;
    const later = (curve?.accuracy ?? []).filter((_, i) => (curve?.epoch[i] ?? 0) > start + WARM_UP);
    const known = [...smooth(later, 4), ...epochs.map(({ testAccuracy }) => testAccuracy)];
    const floor = known.length > 0 ? Math.min(...known) : least;
    const gap = Math.max(0.004, 0.12 * (most - floor));
    return [Math.max(0, floor - gap), Math.min(1, most + gap / 3)];
  }
}

interface Column {
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
}

type EpochReaders = Readonly<
  Record<'test' | 'validation' | 'average', (epoch: Chronicle['epochs'][number]) => number | undefined>
>;

const fromZero = (_: number, most: number): [number, number] => [0, most > 0 ? 1.08 * most : 1];

const tickPercent = (value: number): string => `${Number((100 * value).toFixed(2))}%`;

const compact = (value: number): string =>
  value >= 1000 ? `${Number((value / 1000).toFixed(1))}k` : String(Number(value.toPrecision(3)));
