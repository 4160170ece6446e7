/** Rates and shares as the tables and pictures have them. */
import { fixed, formatCount } from '@lockstep/core/text';
import type { Spread } from './statistics.js';

export const formatRate = (rate: number): string => formatCount(Math.round(rate));
export const formatRange = ({ min, max }: Spread): string => `(${formatRate(min)}-${formatRate(max)})`;
export const formatPercent = (fraction: number): string => `${fixed(100 * fraction, 0)}%`;
