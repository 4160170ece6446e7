/** A confusion matrix as an SVG: the deeper a cell, the larger its share of the row; of mistakes by its root. */
import type { Judgement } from '@lockstep/coordinator/page';
import { drawPicture, drawText } from './svg.js';

const CELL = 46;
const LEFT = 96;
const TOP = 92;
/** With more classes the numbers would not fit. */
const MOST_CLASSES = 40;

/** An SVG of the matrix; undefined with more classes than a picture holds. */
export function drawConfusion(
  { confusion, correct, total, epoch, split }: Judgement,
  names: readonly string[],
): string | undefined {
  const classes = confusion.length;
  if (classes > MOST_CLASSES) return undefined;
  const nameOf = (label: number): string => shorten(names[label] ?? String(label));
  const cells = confusion.flatMap((row, label) => {
    const count = row.reduce((sum, value) => sum + value, 0);
    return row.map((value, predicted) => drawCell(value, count, label, predicted));
  });
  const size = classes * CELL;
  return drawPicture(LEFT + size + 24, TOP + size + 24, `Confusion matrix: ${correct} of ${total} right`, [
    drawText(
      16,
      26,
      `Confusion matrix: ${correct.toLocaleString('en-US')} of ${total.toLocaleString('en-US')} right`,
      'title',
    ),
    drawText(
      16,
      46,
      `${split} set after ${epoch} ${epoch === 1 ? 'epoch' : 'epochs'}; rows: what it is, columns: what it was taken for`,
      'small',
    ),
    ...confusion.flatMap((_, label) => [
      drawText(LEFT + (label + 0.5) * CELL, TOP - 10, nameOf(label), 'strong middle'),
      drawText(LEFT - 12, TOP + (label + 0.5) * CELL + 4, nameOf(label), 'strong end'),
    ]),
    ...cells,
  ]);
}

function drawCell(value: number, count: number, label: number, predicted: number): string {
  if (value === 0) return '';
  const isRight = label === predicted;
  const share = value / count;
  const opacity = (isRight ? 0.4 * share : 0.14 + 0.6 * Math.sqrt(share)).toFixed(2);
  const [x, y] = [LEFT + predicted * CELL, TOP + label * CELL];
  const color = isRight ? 'training' : 'validation';
  const box = `<rect x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="5" fill="var(--${color})" fill-opacity="${opacity}"/>`;
  return box + drawText(x + CELL / 2, y + CELL / 2 + 4, String(value), 'strong middle');
}

const shorten = (name: string): string => (name.length > 10 ? `${name.slice(0, 9)}…` : name);
