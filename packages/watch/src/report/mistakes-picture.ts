/** The most confident mistakes as pictures: the images themselves, what they are and what they were taken for. */

import { toPlanar } from '@lockstep/core/data';
import { decodeImage } from '@lockstep/core/data/pictures';
import { escapeHtml, formatPercent } from '@lockstep/core/text';
import type { Mistake } from '../chronicle/chronicle.js';
import { drawSheet } from './sheet.js';
import { drawPicture, drawText } from './svg.js';

const COLUMNS = 10;
const IMAGE = 84;
const CELL = { width: 104, height: 132 };
const MARGIN = 12;
const TITLE = 40;

/** An SVG, light or dark as its reader's screen. @param names of the classes */
export function drawMistakes(mistakes: readonly Mistake[], names: readonly string[], title: string): string {
  const rows = Math.max(1, Math.ceil(mistakes.length / COLUMNS));
  const width = 2 * MARGIN + COLUMNS * CELL.width;
  const height = 2 * MARGIN + TITLE + rows * CELL.height;
  const nameOf = (label: number): string => names[label] ?? String(label);
  const cells = mistakes.map(({ index, label, predicted, confidence, image }, place) => {
    const x = MARGIN + (place % COLUMNS) * CELL.width;
    const y = MARGIN + TITLE + Math.floor(place / COLUMNS) * CELL.height;
    const middle = x + CELL.width / 2;
    const caption = `${nameOf(label)} → ${nameOf(predicted)}`;
    return [
      `<image x="${x + (CELL.width - IMAGE) / 2}" y="${y}" width="${IMAGE}" height="${IMAGE}" href="${escapeHtml(image)}"><title>image ${index}</title></image>`,
      drawText(middle, y + IMAGE + 18, caption, 'strong middle'),
      drawText(middle, y + IMAGE + 34, `${formatPercent(confidence)}% · #${index}`, 'small middle'),
    ].join('\n');
  });
  return drawPicture(width, height, title, [
    drawText(MARGIN, MARGIN + 18, title, 'title'),
    ...(cells.length > 0 ? cells : [drawText(MARGIN, MARGIN + TITLE + 20, 'No mistakes.')]),
  ]);
}

const PNG_COLUMNS = 8;

/** A PNG of the images alone, in the order of the SVG; undefined where there are none. */
export function drawMistakeSheet(mistakes: readonly Mistake[]): Uint8Array | undefined {
  const images = mistakes.map(({ image, index }) =>
    toPlanar(decodeImage(Buffer.from(image.slice(image.indexOf(',') + 1), 'base64'), `image ${index}`)),
  );
  const rows = Math.ceil(images.length / PNG_COLUMNS);
  return images.length === 0
    ? undefined
    : drawSheet(Array.from({ length: rows }, (_, row) => images.slice(row * PNG_COLUMNS, (row + 1) * PNG_COLUMNS)));
}
