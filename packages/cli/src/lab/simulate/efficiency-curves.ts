/**
 * Curves of efficiency over the number of nodes as an SVG picture, a panel for each model and link.
 */

import { fixed } from '@lockstep/core/text';
import { colorOf, svgPicture, svgText } from '../svg-pieces.js';
import { formatLink, type SimulatedCase } from './simulate.js';

const PANEL_WIDTH = 360;
const PANEL_HEIGHT = 250;
const LEFT = 44;
const TOP = 34;
const BOTTOM = 40;
const COLUMNS = 2;
const HEADER = 64;

/** Draws efficiency over nodes. @param subtitle machine and date of the calibration */
export function drawCurves(cases: readonly SimulatedCase[], subtitle: string): string {
  const titleOf = ({ model, bitsPerSecond }: SimulatedCase): string => `${model}, ${formatLink(bitsPerSecond)}`;
  const panels = [...new Set(cases.map(titleOf))].map((title) => ({
    title,
    own: cases.filter((one) => titleOf(one) === title),
  }));
  const names = [...new Set(cases.map(({ topology }) => topology))];
  const width = COLUMNS * PANEL_WIDTH;
  const height = HEADER + Math.ceil(panels.length / COLUMNS) * PANEL_HEIGHT;
  return svgPicture(width, height, [
    svgText(LEFT, 20, 'Scaling efficiency over nodes, simulated', 'start', 14),
    svgText(LEFT, 36, subtitle, 'start', 10),
    ...names.map((name, index) => drawKey(LEFT + 110 * index, 52, name, colorOf(index))),
    ...panels.map(({ title, own }, index) => {
      const x = (index % COLUMNS) * PANEL_WIDTH;
      const y = HEADER + Math.floor(index / COLUMNS) * PANEL_HEIGHT;
      return `<g transform="translate(${x} ${y})">${drawPanel(title, own, names)}</g>`;
    }),
  ]);
}

const drawKey = (x: number, y: number, name: string, color: string): string =>
  `<line x1="${x}" y1="${y - 4}" x2="${x + 20}" y2="${y - 4}" stroke="${color}" stroke-width="2"/>${svgText(x + 26, y, name, 'start', 10)}`;

function drawPanel(title: string, cases: readonly SimulatedCase[], names: readonly string[]): string {
  const counts = [...new Set(cases.map(({ nodes }) => nodes))].sort((a, b) => a - b);
  const last = Math.log2(Math.max(2, counts.at(-1) ?? 2));
  const toX = (nodes: number): number => LEFT + ((PANEL_WIDTH - LEFT - 16) * Math.log2(nodes)) / last;
  const toY = (share: number): number => PANEL_HEIGHT - BOTTOM - (PANEL_HEIGHT - TOP - BOTTOM) * Math.min(1, share);
  const grid = [0, 0.25, 0.5, 0.75, 1].map(
    (share) =>
      `<line x1="${LEFT}" y1="${toY(share)}" x2="${PANEL_WIDTH - 16}" y2="${toY(share)}" stroke="#dddddd"/>${svgText(LEFT - 6, toY(share) + 3, `${100 * share}%`, 'end', 10)}`,
  );
  const curves = names.map((name, index) => {
    const points = cases
      .filter(({ topology }) => topology === name)
      .map(({ nodes, efficiency }) => `${fixed(toX(nodes), 1)},${fixed(toY(efficiency), 1)}`);
    return `<polyline points="${points.join(' ')}" fill="none" stroke="${colorOf(index)}" stroke-width="2"/>`;
  });
  const ticks = counts
    .filter((_, index) => counts.length <= 8 || index % 2 === 0)
    .map((nodes) => svgText(toX(nodes), PANEL_HEIGHT - BOTTOM + 16, String(nodes), 'middle', 10));
  return [svgText(LEFT, 20, title, 'start', 12), ...grid, ...ticks, ...curves].join('');
}
