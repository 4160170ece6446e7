/** Simulated steps as a table. */
import { fixed, formatCount } from '@lockstep/core/text';
import { formatTable } from '../../terminal/text-table.js';
import { formatLink, type SimulatedCase } from './simulate.js';

const HEADINGS = [
  'Model',
  'Link',
  'Topology',
  'Nodes',
  'Batch',
  'Compute',
  'Exchange',
  'Step',
  'Images/s',
  'Efficiency',
  'MB/node',
  'MB',
  'Limit',
];

/** MB/node: through the busiest cable, each way; MB: all that is sent in a step. */
export function formatCases(cases: readonly SimulatedCase[]): string[] {
  const rows = cases.map((one) => [
    one.model,
    formatLink(one.bitsPerSecond),
    one.groupSize === undefined ? one.topology : `${one.topology} ${one.groupSize}`,
    String(one.nodes),
    String(one.batchSize),
    formatMs(one.compute),
    formatMs(one.exchange),
    formatMs(one.step),
    formatCount(Math.round(one.imagesPerSecond)),
    `${fixed(100 * one.efficiency, 0)}%`,
    formatMegabytes(one.busiestBytes),
    formatMegabytes(one.totalBytes),
    one.nodes === 1 ? '' : one.busiest,
  ]);
  return formatTable([HEADINGS, ...rows], 'lllrrrrrrrrrl');
}

const formatMs = (seconds: number): string => `${fixed(1000 * seconds, seconds < 0.1 ? 2 : 0)} ms`;
const formatMegabytes = (bytes: number): string => fixed(bytes / 1e6, bytes < 1e8 ? 2 : 0);
