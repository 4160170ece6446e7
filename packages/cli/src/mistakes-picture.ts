/** The most confident mistakes as a picture: an SVG with the images themselves, what they are and what they were taken for. */
import { type Dataset, encodePngImage, type Split } from '@lockstep/core';
import type { EvaluationReport } from './evaluation-report.js';
import { formatPercent } from './progress.js';

const COLUMNS = 10;
const IMAGE = 84;
const CELL = { width: 104, height: 132 };
const MARGIN = 12;
const TITLE = 40;

/** An SVG of a report's mistakes, light or dark as its reader's screen. */
export function drawMistakes(report: EvaluationReport, dataset: Dataset, split: Split, title: string): string {
  const { mistakes, classes } = report;
  const rows = Math.max(1, Math.ceil(mistakes.length / COLUMNS));
  const width = 2 * MARGIN + COLUMNS * CELL.width;
  const height = 2 * MARGIN + TITLE + rows * CELL.height;
  const nameOf = (label: number): string => classes[label]?.name ?? String(label);
  const cells = mistakes.map(({ index, label, predicted, confidence }, place) => {
    const x = MARGIN + (place % COLUMNS) * CELL.width;
    const y = MARGIN + TITLE + Math.floor(place / COLUMNS) * CELL.height;
    const caption = `${nameOf(label)} → ${nameOf(predicted)}`;
    const middle = x + CELL.width / 2;
    return [
      `<image x="${x + (CELL.width - IMAGE) / 2}" y="${y}" width="${IMAGE}" height="${IMAGE}" href="${toDataUri(dataset, split, index)}"><title>image ${index}</title></image>`,
      `<text x="${middle}" y="${y + IMAGE + 18}" class="caption">${escapeXml(caption)}</text>`,
      `<text x="${middle}" y="${y + IMAGE + 34}" class="small">${formatPercent(confidence)}% · #${index}</text>`,
    ].join('\n');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<style>
  svg { background: #fff; color-scheme: light dark }
  text { font: 13px system-ui, sans-serif; fill: #1d1d1f; text-anchor: middle }
  .title { font-size: 15px; font-weight: 600; text-anchor: start }
  .caption { font-weight: 600 }
  .small { font-size: 11px; fill: #6e6e73 }
  image { image-rendering: pixelated }
  @media (prefers-color-scheme: dark) { svg { background: #1c1c1e } text { fill: #f5f5f7 } .small { fill: #98989d } }
</style>
<text x="${MARGIN}" y="${MARGIN + 18}" class="title">${escapeXml(title)}</text>
${cells.length > 0 ? cells.join('\n') : `<text x="${MARGIN}" y="${MARGIN + TITLE + 20}" class="title">No mistakes.</text>`}
</svg>
`;
}

function toDataUri({ channels, height, width }: Dataset, split: Split, index: number): string {
  const bytes = channels * height * width;
  const pixels = split.images.subarray(index * bytes, (index + 1) * bytes);
  const png = encodePngImage({ channels, height, width, pixels });
  return `data:image/png;base64,${Buffer.from(png).toString('base64')}`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] as string);
