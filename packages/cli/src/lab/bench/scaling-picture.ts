/**
 * `lockstep bench scaling` as an SVG picture: a bar per model and worker count, as long as its speed-up, cut by what the
 * workers did; a black tick where the cores' peak would let it end.
 */
import { countOf, fixed } from '@lockstep/core/text';
import { svgBox, svgLine, svgPicture, svgText } from '../svg-pieces.js';
import { formatPercent, formatRate } from './measure/rate-text.js';
import type { ModelScaling, ScalingFigure } from './scaling.js';

const WIDTH = 760;
const LABEL_WIDTH = 150;
const NOTE_WIDTH = 210;
const BAR_HEIGHT = 16;
const GAP = 12;
const TOP = 76;
const BOTTOM = 34;
const parts = [
  ['contribute', 'shards', '#4c78a8'],
  ['update', 'reduction and update', '#54a24b'],
  ['wait', 'waiting', '#d9d9d9'],
] as const;

/** @param subtitle machine and date */
export function drawScaling(models: readonly ModelScaling[], subtitle: string): string {
  const ends = models.flatMap(({ figures }) => figures.flatMap((f) => [f.speedUp.median, f.peakGrowth]));
  const scaleEnd = Math.max(1, Math.ceil(2 * Math.max(...ends)) / 2);
  const lengthOf = (times: number): number => ((WIDTH - LABEL_WIDTH - NOTE_WIDTH) * times) / scaleEnd;
  const drawn: string[] = [];
  let y = TOP;
  for (const { model, figures } of models) {
    for (const figure of figures) {
      const label = `${model}, ${countOf(figure.workers, 'worker')}`;
      drawn.push(svgText(LABEL_WIDTH - 8, y + BAR_HEIGHT - 4, label, 'end'), ...drawBar(figure, y, lengthOf));
      y += BAR_HEIGHT;
    }
    y += GAP;
  }
  const grid = Array.from({ length: 2 * scaleEnd + 1 }, (_, i) => {
    const x = LABEL_WIDTH + lengthOf(i / 2);
    return svgLine(x, TOP - 6, y, '#eeeeee') + svgText(x, y + 16, `${i / 2}x`, 'middle', 10);
  });
  return svgPicture(WIDTH, y + BOTTOM, [
    svgText(LABEL_WIDTH, 20, 'Training: speed-up over one worker, and what the workers did', 'start', 14),
    svgText(LABEL_WIDTH, 38, subtitle, 'start', 10),
    ...drawLegend(),
    ...grid,
    ...drawn,
  ]);
}

function drawBar(
  { speedUp, efficiency, imagesPerSecond, peakGrowth, shares }: ScalingFigure,
  y: number,
  lengthOf: (times: number) => number,
): string[] {
  const pieces: string[] = [];
  let x = LABEL_WIDTH;
  for (const [phase, , color] of parts) {
    const length = lengthOf(speedUp.median * shares[phase]);
    pieces.push(svgBox(x, y, length, BAR_HEIGHT - 2, color));
    x += length;
  }
  const limit = LABEL_WIDTH + lengthOf(peakGrowth);
  const note = `${fixed(speedUp.median, 2)}x, ${formatPercent(efficiency.median)}, ${formatRate(imagesPerSecond.median)}/s`;
  pieces.push(svgLine(limit, y - 1, y + BAR_HEIGHT - 1, '#000000'));
  pieces.push(svgText(Math.max(x, limit) + 6, y + BAR_HEIGHT - 5, note, 'start'));
  return pieces;
}

function drawLegend(): string[] {
  let x = LABEL_WIDTH;
  const entries = parts.flatMap(([, name, color]) => {
    const entry = [svgBox(x, 48, 12, 12, color), svgText(x + 17, 58, name, 'start', 11)];
    x += 40 + 6 * name.length;
    return entry;
  });
  return [...entries, svgLine(x, 47, 61, '#000000'), svgText(x + 6, 58, "the cores' peak", 'start', 11)];
}
