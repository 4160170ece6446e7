/** A line chart: uPlot with the page's colours and sizes, redrawn when the window or the theme changes. */
import { fixed } from '@lockstep/core/text';
import uPlot from 'uplot';
import { byId, element } from './dom.js';
import { color } from './theme.js';

export interface Line {
  readonly label: string;
  /** A colour of style.css. */
  readonly color: string;
  readonly width?: number;
  readonly dash?: number[];
  /** Points of this size, and a line between them over gaps. */
  readonly points?: number;
  /** Drawn behind the others, without a place in the legend. */
  readonly isFaint?: boolean;
}

export interface ChartOptions {
  readonly id: string;
  readonly format: (value: number) => string;
  /** Of the ticks; default: `format`. */
  readonly formatTick?: (value: number) => string;
  readonly height?: number;
  /** Smallest and largest value to show, given the data's. */
  readonly range?: (least: number, most: number) => [number, number];
  readonly isLogarithmic?: boolean;
}

export type ChartData = readonly (readonly (number | null)[])[];

const AXIS_FONT = '12px system-ui, sans-serif';
/** Charts whose cursors move together. */
const cursors = uPlot.sync('epochs');

export class Chart {
  #plot: uPlot | undefined;
  #data: ChartData = [[]];
  #lines: readonly Line[] = [];
  #signature = '';
  readonly #host: HTMLElement;
  isLogarithmic: boolean;

  constructor(private readonly options: ChartOptions) {
    this.#host = byId(options.id);
    this.isLogarithmic = options.isLogarithmic ?? false;
    new ResizeObserver(() => this.#plot?.setSize(this.#size)).observe(this.#host);
  }

  /** @param data [x, then one column per line] */
  show(lines: readonly Line[], data: ChartData): void {
    const signature = JSON.stringify(lines);
    this.#data = data;
    this.#lines = lines;
    if (this.#plot === undefined || signature !== this.#signature) this.restyle();
    else this.#plot.setData(data as uPlot.AlignedData);
    this.#signature = signature;
  }

  /** Draws it anew, after a change of colours or scales. */
  restyle(): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (this.#lines.length === 0) return;
    this.#host.replaceChildren();
    this.#plot = new uPlot(this.#describe(), this.#data as uPlot.AlignedData, this.#host);
    const canvas = this.#host.querySelector('canvas');
    canvas?.setAttribute('aria-hidden', 'true');
    this.#host.querySelector('.u-legend')?.setAttribute('role', 'presentation');
  }

  get #size(): { width: number; height: number } {
    return { width: Math.max(160, this.#host.clientWidth), height: this.options.height ?? 240 };
  }

  #describe(): uPlot.Options {
    const { format, formatTick, range } = this.options;
    const axis = {
      stroke: color('soft'),
      font: AXIS_FONT,
      grid: { stroke: color('grid'), width: 1 },
      ticks: { show: false },
    };
    const scale: uPlot.Scale = this.isLogarithmic
      ? { distr: 3 }
      : range
        ? { range: (_, least, most) => range(least ?? 0, most ?? 1) }
        : {};
    return {
      ...this.#size,
      padding: [10, 12, 0, 0],
      scales: { x: { time: false }, y: scale },
      cursor: { sync: { key: cursors.key }, points: { size: 7 }, drag: { x: true, y: false } },
      legend: { live: true, markers: { width: 0, fill: (_, index) => color(this.#lines[index - 1]?.color ?? 'ink') } },
      axes: [
        { ...axis, size: 30, gap: 6, values: (_, ticks) => ticks.map((tick) => String(Number(tick.toPrecision(6)))) },
        {
          ...axis,
          size: 62,
          gap: 6,
          values: (_, ticks) => ticks.map((tick) => (tick === null ? '' : (formatTick ?? format)(tick))),
        },
      ],
      series: [
        {
          label: 'epoch',
          value: (plot, value, _, index) => formatEpoch(index === null ? lastOf(plot.data[0]) : value),
        },
        ...this.#lines.map((line) => this.#series(line)),
      ],
    };
  }

  #formatValue(value: number | null | undefined): string {
    return value == null ? '–' : this.options.format(value);
  }

  #series({ label, color: name, width = 2, dash, points, isFaint }: Line): uPlot.Series {
    const stroke = color(name);
    return {
      label,
      stroke,
      width,
      spanGaps: true,
      ...(dash && { dash }),
      ...(isFaint && { alpha: 0.28 }),
      // away from the chart the legend shows the newest values
      value: (plot, value, series, index) => this.#formatValue(index === null ? lastOf(plot.data[series]) : value),
      points: points === undefined ? { show: false } : { show: true, size: points, fill: stroke, stroke },
    };
  }
}

const lastOf = (values: uPlot.AlignedData[number] | undefined): number | null | undefined => {
  for (let index = (values?.length ?? 0) - 1; index >= 0; index--) if (values?.[index] != null) return values[index];
  return undefined;
};

const formatEpoch = (value: number | null | undefined): string => (value == null ? '–' : fixed(value, 2));

/** Puts columns with x of their own under one x; null where a column has no value. */
export function alignColumns(
  columns: readonly { readonly x: readonly number[]; readonly y: readonly (number | null)[] }[],
): (number | null)[][] {
  const xs = [...new Set(columns.flatMap(({ x }) => x))].sort((a, b) => a - b);
  const places = new Map(xs.map((x, index) => [x, index]));
  const aligned = columns.map(({ x, y }) => {
    const values = new Array<number | null>(xs.length).fill(null);
    for (const [index, place] of x.entries()) values[places.get(place) as number] = y[index] ?? null;
    return values;
  });
  return [xs, ...aligned];
}

/** Exponential smoothing over about `span` points, without the pull of a start at 0. */
export function smooth(values: readonly number[], span: number): number[] {
  const keep = 1 - 1 / span;
  let sum = 0;
  let weight = 0;
  return values.map((value) => {
    sum = keep * sum + value;
    weight = keep * weight + 1;
    return sum / weight;
  });
}

/** A note in place of a chart that has nothing to show yet. */
export const showNothing = (id: string, text: string): void =>
  byId(id).replaceChildren(element('p', { class: 'empty' }, text));
