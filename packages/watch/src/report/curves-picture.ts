/** The learning curves of a run as an SVG: loss on the left, accuracy on the right, over epochs. */
import type { Chronicle } from '../chronicle/chronicle.js';
import { drawPicture, drawText, round } from './svg.js';

interface Series {
  readonly label: string;
  /** A colour of the pictures' style. */
  readonly color: string;
  readonly dash?: string;
  readonly isFaint?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

interface Panel {
  readonly title: string;
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** Largest value that makes sense. */
  readonly most: number;
}

/** Of a panel; as wide as a phone, so that its text can be read there. */
const PANEL = { width: 400, height: 330 };
const TITLE = 32;
/** In its panel. */
const PLOT = { left: 60, top: 24, width: 326, height: 230 };
const LEGEND_ROW = 18;
/** Of a character of the legend; the widest systems' fonts take less. */
const LEGEND_CHARACTER = 6.8;
const TICKS = 5;

type Epoch = Chronicle['epochs'][number];

/** An SVG of the curves of a run, however short it was: both panels beside each other. */
export function drawCurves(chronicle: Chronicle): string {
  const panels = listPanels(chronicle).map(
    (panel, index) => `<g transform="translate(${index * PANEL.width} ${TITLE})">\n${drawPanel(panel)}\n</g>`,
  );
  const title = `Learning curves: ${nameOf(chronicle)}`;
  return drawPicture(2 * PANEL.width, TITLE + PANEL.height, title, [drawText(16, 26, title, 'title'), ...panels]);
}

/** The same as a picture for each panel, which a narrow page can put below each other. */
export const drawCurvePanels = (chronicle: Chronicle): string[] =>
  listPanels(chronicle).map((panel) =>
    drawPicture(PANEL.width, PANEL.height, `${panel.title} of ${nameOf(chronicle)}`, [drawPanel(panel)]),
  );

const nameOf = ({ about }: Chronicle): string => (about ? `${about.model}, seed ${about.seed}` : 'a run');

function listPanels(chronicle: Chronicle): [loss: Panel, accuracy: Panel] {
  const { curve } = chronicle;
  const steps = (column: readonly number[]) =>
    curve.epoch.map((epoch, index) => [epoch, column[index] as number] as const);
  const loss: Panel = {
    title: 'Loss',
    series: [
      { label: 'training, each step', color: 'training', isFaint: true, points: steps(curve.loss) },
      ...listSeries(chronicle.epochs, {
        training: ({ trainLoss }) => trainLoss,
        validation: ({ validation }) => validation?.loss,
        test: ({ testLoss }) => testLoss,
        average: ({ ema }) => ema?.testLoss,
      }),
    ],
    format: (value) => String(Number(value.toPrecision(3))),
    most: Number.POSITIVE_INFINITY,
  };
  const accuracy: Panel = {
    title: 'Accuracy',
    series: listSeries(chronicle.epochs, {
      training: ({ trainAccuracy }) => trainAccuracy,
      validation: ({ validation }) => validation?.accuracy,
      test: ({ testAccuracy }) => testAccuracy,
      average: ({ ema }) => ema?.testAccuracy,
    }),
    format: (value) => `${Number((100 * value).toFixed(2))}%`,
    most: 1,
  };
  return [loss, accuracy];
}

type Readers = Readonly<Record<'training' | 'validation' | 'test' | 'average', (epoch: Epoch) => number | undefined>>;

function listSeries(epochs: readonly Epoch[], read: Readers): Series[] {
  const styles = [
    { name: 'training', label: 'training' },
    { name: 'validation', label: 'validation', dash: '6 4' },
    { name: 'test', label: 'test' },
    { name: 'average', label: 'test, moving average', dash: '2 4' },
  ] as const;
  return styles.flatMap(({ name, ...style }) => {
    const points = epochs.flatMap((epoch) => {
      const value = read[name](epoch);
      return value === undefined ? [] : [[epoch.epoch, value] as const];
    });
    return points.length > 0 ? [{ ...style, color: name, points }] : [];
  });
}

function drawPanel({ title, series, format, most }: Panel): string {
  const { left } = PLOT;
  const shown = series.filter(({ points }) => points.length > 0);
  const heading = drawText(left, PLOT.top - 6, title, 'strong');
  if (shown.length === 0) return `${heading}\n${drawText(left, PLOT.top + 40, 'Nothing was recorded.')}`;
  const points = shown.flatMap((each) => each.points);
  const x = makeScale(Math.min(0, ...points.map(([value]) => value)), Math.max(1, ...points.map(([value]) => value)));
  const values = points.map(([, value]) => value).filter(Number.isFinite);
  const y = makeScale(Math.min(...values), Math.max(...values), most);
  const toX = (value: number): number => left + PLOT.width * x.place(value);
  const toY = (value: number): number => PLOT.top + 10 + PLOT.height * (1 - y.place(value));
  const bottom = PLOT.top + 10 + PLOT.height;
  return [
    heading,
    ...y.ticks.map(
      (tick) =>
        `<line class="grid" x1="${left}" x2="${left + PLOT.width}" y1="${round(toY(tick))}" y2="${round(toY(tick))}"/>${drawText(left - 8, toY(tick) + 4, format(tick), 'small end')}`,
    ),
    ...x.ticks.map((tick) => drawText(toX(tick), bottom + 16, String(tick), 'small middle')),
    ...shown.map((each) => drawSeries(each, toX, toY)),
    ...drawLegend(shown, left, bottom + 38),
  ].join('\n');
}

function drawSeries({ points, color, dash, isFaint }: Series, toX: Scale, toY: Scale): string {
  const finite = points.filter(([, value]) => Number.isFinite(value));
  const path = finite.map(([x, y]) => `${round(toX(x))},${round(toY(y))}`).join(' ');
  const dashes = dash === undefined ? '' : ` stroke-dasharray="${dash}"`;
  const line = `<polyline class="line${isFaint ? ' faint' : ''}" stroke="var(--${color})"${dashes} points="${path}"/>`;
  if (isFaint) return line;
  const dots = finite.map(
    ([x, y]) => `<circle fill="var(--${color})" cx="${round(toX(x))}" cy="${round(toY(y))}" r="3"/>`,
  );
  return line + dots.join('');
}

/** From left to right under the plot, in as many rows as it takes. */
function drawLegend(series: readonly Series[], left: number, top: number): string[] {
  let [x, y] = [left, top];
  return series.map(({ label, color, isFaint }) => {
    const width = 15 + LEGEND_CHARACTER * label.length;
    if (x > left && x + width > PANEL.width) [x, y] = [left, y + LEGEND_ROW];
    const mark = `<rect x="${round(x)}" y="${y - 9}" width="10" height="10" rx="3" fill="var(--${color})"${isFaint ? ' opacity="0.35"' : ''}/>`;
    const text = drawText(x + 15, y, label, 'small');
    x += width + 12;
    return mark + text;
  });
}

type Scale = (value: number) => number;

/** Ticks at round numbers around a range, and the place of a value among them, from 0 to 1. */
export function makeScale(
  least: number,
  most: number,
  limit = Number.POSITIVE_INFINITY,
): { ticks: number[]; place: Scale } {
  const span = most > least ? most - least : Math.abs(most) || 1;
  const rough = span / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.floor(least / step);
  const last = Math.max(first + 1, Math.min(Math.ceil(most / step), Math.floor(limit / step + 1e-9)));
  const ticks = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
  return { ticks, place: (value) => (value - first * step) / ((last - first) * step) };
}
