/** The few pieces of SVG that the lab's charts are made of. */
import { escapeHtml, fixed } from '@lockstep/core/text';

export const svgText = (x: number, y: number, content: string, anchor: 'start' | 'middle' | 'end', size = 12): string =>
  `<text x="${fixed(x, 1)}" y="${fixed(y, 1)}" text-anchor="${anchor}" font-size="${size}">${escapeHtml(content)}</text>`;

export const svgBox = (x: number, y: number, width: number, height: number, fill: string): string =>
  `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${height}" fill="${fill}"/>`;

export const svgLine = (x: number, top: number, bottom: number, stroke: string): string =>
  `<line x1="${fixed(x, 1)}" y1="${top}" x2="${fixed(x, 1)}" y2="${bottom}" stroke="${stroke}"/>`;

const COLORS = ['#4c78a8', '#f58518', '#54a24b', '#b279a2'];

export const colorOf = (index: number): string => COLORS[index % COLORS.length] as string;

/** The picture around its parts, on white. */
export const svgPicture = (width: number, height: number, parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');

const round = (value: number): number => Number(value.toFixed(1));
