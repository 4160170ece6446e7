/**
 * The figures of `lockstep bench` as an SVG picture: one bar per model and worker count, the share of peak in training.
 * Plain text: no library that is kept up draws bars without a browser's DOM, and bars are rectangles.
 */
import type { ModelFigures } from './speed.js';
import { formatPercent, formatRate } from './speed-table.js';

const WIDTH = 720;
const LABEL_WIDTH = 110;
const NOTE_WIDTH = 190;
const BAR_HEIGHT = 16;
const GAP = 12;
const TOP = 56;
const BOTTOM = 34;
const COLORS = ['#4c78a8', '#f58518', '#54a24b', '#b279a2'];

/** Draws the picture. @param subtitle machine and date */
export function drawSpeed(models: readonly ModelFigures[], subtitle: string): string {
  const bars = models.flatMap(({ figures }) => figures.map(({ training }) => training.shareOfPeak));
  const scaleEnd = Math.max(1, Math.ceil(Math.max(...bars) * 4) / 4);
  const toX = (share: number): number => LABEL_WIDTH + ((WIDTH - LABEL_WIDTH - NOTE_WIDTH) * share) / scaleEnd;
  const parts: string[] = [];
  let y = TOP;
  for (const { model, figures } of models) {
    parts.push(text(LABEL_WIDTH - 8, y + (figures.length * BAR_HEIGHT) / 2 + 4, model, 'end'));
    for (const [index, { workers, training }] of figures.entries()) {
      const end = toX(training.shareOfPeak);
      const width = (end - LABEL_WIDTH).toFixed(1);
      parts.push(
        `<rect x="${LABEL_WIDTH}" y="${y}" width="${width}" height="${BAR_HEIGHT - 2}" fill="${colorOf(index)}"/>`,
      );
      const rate = formatRate(training.imagesPerSecond.median);
      const note = `${formatPercent(training.shareOfPeak)}, ${rate}/s, ${workers} ${workers === 1 ? 'worker' : 'workers'}`;
      parts.push(text(end + 6, y + BAR_HEIGHT - 5, note, 'start'));
      y += BAR_HEIGHT;
    }
    y += GAP;
  }
  const grid = Array.from({ length: Math.round(4 * scaleEnd) + 1 }, (_, i) => drawGridLine(toX(i / 4), y, i / 4));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y + BOTTOM}" viewBox="0 0 ${WIDTH} ${y + BOTTOM}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${y + BOTTOM}" fill="#ffffff"/>`,
    text(LABEL_WIDTH, 20, 'Training: share of the peak of the cores in use, images per second', 'start', 14),
    text(LABEL_WIDTH, 38, subtitle, 'start', 10),
    ...grid,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

const colorOf = (index: number): string => COLORS[index % COLORS.length] as string;

const drawGridLine = (x: number, bottom: number, share: number): string =>
  `<line x1="${x.toFixed(1)}" y1="${TOP - 6}" x2="${x.toFixed(1)}" y2="${bottom}" stroke="#cccccc"/>` +
  text(x, bottom + 16, formatPercent(share), 'middle', 10);

const text = (x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', size = 12): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" font-size="${size}">${escapeText(content)}</text>`;

const escapeText = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
