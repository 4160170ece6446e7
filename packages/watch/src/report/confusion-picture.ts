/** A confusion matrix as an SVG: the deeper a cell, the larger its share of the row; of mistakes by its root. */

import { fixed, formatCount } from '@lockstep/core/text';
import type { Judgement } from '../chronicle/chronicle.js';
import { describeMoment } from '../chronicle/showing.js';
import { drawPicture, drawText, round } from './svg.js';

const CELL = 46;
const LEFT = 96;
/** Of the cells where the names of the columns stand upright. */
const TOP = 112;
/** More, where they are long and stand slanted. */
const SLANT = 44;
const SHORT_NAME = 5;
/** With more classes the numbers would not fit. */
const MOST_CLASSES = 40;
/** Of a character, at the most: a picture of few cells is as wide as its words. */
const CHARACTER = { title: 8.8, small: 6.8 };

/** An SVG of the matrix; undefined with more classes than a picture holds. */
export function drawConfusion(judgement: Judgement, names: readonly string[]): string | undefined {
  const { confusion, correct, total, split } = judgement;
  const classes = confusion.length;
  if (classes > MOST_CLASSES) return undefined;
  const labels = confusion.map((_, label) => shorten(names[label] ?? String(label)));
  const isSlanted = labels.some(({ length }) => length > SHORT_NAME);
  const top = TOP + (isSlanted ? SLANT : 0);
  const title = `Confusion matrix: ${formatCount(correct)} of ${formatCount(total)} right`;
  const notes = [`${split} set after ${describeMoment(judgement)}`, 'rows: what it is, columns: what it was taken for'];
  const words = Math.max(CHARACTER.title * title.length, ...notes.map(({ length }) => CHARACTER.small * length));
  const size = classes * CELL;
  const width = Math.max(LEFT + size + (isSlanted ? SLANT : 24), 16 + words + 16);
  return drawPicture(Math.ceil(width), top + size + 24, title, [
    drawText(16, 26, title, 'title'),
    ...notes.map((note, row) => drawText(16, 46 + 17 * row, note, 'small')),
    ...labels.flatMap((label, index) => [
      drawColumnName(LEFT + (index + 0.5) * CELL, top - 10, label, isSlanted),
      drawText(LEFT - 12, top + (index + 0.5) * CELL + 4, label, 'strong end'),
    ]),
    ...confusion.flatMap((row, label) => {
      const count = row.reduce((sum, value) => sum + value, 0);
      return row.map((value, predicted) =>
        drawCell(value, count, LEFT + predicted * CELL, top + label * CELL, label === predicted),
      );
    }),
  ]);
}

const drawColumnName = (x: number, y: number, name: string, isSlanted: boolean): string =>
  isSlanted
    ? `<g transform="translate(${round(x)} ${round(y)}) rotate(-45)">${drawText(0, 0, name, 'strong')}</g>`
    : drawText(x, y, name, 'strong middle');

function drawCell(value: number, count: number, x: number, y: number, isRight: boolean): string {
  if (value === 0) return '';
  const share = value / count;
  const opacity = fixed(isRight ? 0.4 * share : 0.14 + 0.6 * Math.sqrt(share), 2);
  const color = isRight ? 'training' : 'validation';
  const box = `<rect x="${x + 1}" y="${y + 1}" width="${CELL - 2}" height="${CELL - 2}" rx="5" fill="var(--${color})" fill-opacity="${opacity}"/>`;
  return box + drawText(x + CELL / 2, y + CELL / 2 + 4, String(value), 'strong middle');
}

const shorten = (name: string): string => (name.length > 10 ? `${name.slice(0, 9)}…` : name);
