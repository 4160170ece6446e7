/** What the pictures of a run have in common: one set of colours, light or dark as their reader's screen. */
import { escapeHtml } from '@lockstep/core/text';

/** Okabe and Ito's colours, lighter in the dark: told apart with any colour vision. */
const STYLE = `
  .picture { --ground: #fff; --ink: #17181c; --soft: #5b5f69; --grid: #e6e9ee; --training: #0b62c4; --validation: #b85c00; --test: #00805c; --average: #a23c80; background: var(--ground); font: 13px system-ui, sans-serif }
  .picture text { fill: var(--soft); font-variant-numeric: tabular-nums }
  .picture .title { fill: var(--ink); font-size: 15px; font-weight: 600 }
  .picture .strong { fill: var(--ink); font-weight: 600 }
  .picture .small { font-size: 11px }
  .picture .middle { text-anchor: middle }
  .picture .end { text-anchor: end }
  .picture .grid { stroke: var(--grid) }
  .picture .line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round }
  .picture .faint { stroke-width: 1; opacity: 0.35 }
  .picture image { image-rendering: pixelated }
  @media (prefers-color-scheme: dark) { .picture { --ground: #181b20; --ink: #eef0f4; --soft: #a3a9b5; --grid: #2c313a; --training: #6fb1ff; --validation: #ffab5e; --test: #4fd1a1; --average: #e69bcb } }
`;

/** A whole picture; `label` says what is on it to whoever does not see it. */
export const drawPicture = (width: number, height: number, label: string, parts: readonly string[]): string =>
  [
    `<svg xmlns="http://www.w3.org/2000/svg" class="picture" role="img" aria-label="${escapeHtml(label)}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<style>${STYLE}</style>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');

export const drawText = (x: number, y: number, text: string, classes = ''): string =>
  `<text x="${round(x)}" y="${round(y)}"${classes === '' ? '' : ` class="${classes}"`}>${escapeHtml(text)}</text>`;

export const round = (value: number): string => String(Number(value.toFixed(1)));
