/**
 * The figures of `lockstep bench` as an SVG picture: one bar per model and worker count, the share of peak in training.
 * Plain text: no library that is kept up draws bars without a browser's DOM, and bars are rectangles.
 */
import { countOf } from '@lockstep/core/text';
import { colorOf, svgBox, svgLine, svgPicture, svgText } from '../svg-pieces.js';
import { formatPercent, formatRate } from './measure/rate-text.js';
import type { ModelFigures } from './speed.js';

const WIDTH = 720;
const LABEL_WIDTH = 110;
const NOTE_WIDTH = 190;
const BAR_HEIGHT = 16;
const GAP = 12;
const TOP = 56;
const BOTTOM = 34;

/** Draws the picture. @param subtitle machine and date */
export function drawSpeed(models: readonly ModelFigures[], subtitle: string): string {
  const bars = models.flatMap(({ figures }) => figures.map(({ training }) => training.shareOfPeak));
  const scaleEnd = Math.max(1, Math.ceil(Math.max(...bars) * 4) / 4);
  const toX = (share: number): number => LABEL_WIDTH + ((WIDTH - LABEL_WIDTH - NOTE_WIDTH) * share) / scaleEnd;
  const parts: string[] = [];
  let y = TOP;
  for (const { model, figures } of models) {
    parts.push(svgText(LABEL_WIDTH - 8, y + (figures.length * BAR_HEIGHT) / 2 + 4, model, 'end'));
    for (const [index, { workers, training }] of figures.entries()) {
      const end = toX(training.shareOfPeak);
      parts.push(svgBox(LABEL_WIDTH, y, end - LABEL_WIDTH, BAR_HEIGHT - 2, colorOf(index)));
      const rate = formatRate(training.imagesPerSecond.median);
      const note = `${formatPercent(training.shareOfPeak)}, ${rate}/s, ${countOf(workers, 'worker')}`;
      parts.push(svgText(end + 6, y + BAR_HEIGHT - 5, note, 'start'));
      y += BAR_HEIGHT;
    }
    y += GAP;
  }
  const grid = Array.from({ length: Math.round(4 * scaleEnd) + 1 }, (_, i) => drawGridLine(toX(i / 4), y, i / 4));
  return svgPicture(WIDTH, y + BOTTOM, [
    svgText(LABEL_WIDTH, 20, 'Training: share of the peak of the cores in use, images per second', 'start', 14),
    svgText(LABEL_WIDTH, 38, subtitle, 'start', 10),
    ...grid,
    ...parts,
  ]);
}

const drawGridLine = (x: number, bottom: number, share: number): string =>
  svgLine(x, TOP - 6, bottom, '#cccccc') + svgText(x, bottom + 16, formatPercent(share), 'middle', 10);
