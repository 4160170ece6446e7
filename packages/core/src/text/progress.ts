/** tqdm's progress line: `loss=0.1257 accuracy=92.45: 100%|██████████| 469/469 [00:14<00:00, 31.39it/s, 4018 images/s]`. */

import type { ProgressEvent } from '../events/events.js';
import { describeShares } from './node-text.js';
import { fixed, formatLoss, formatPercent, formatSpeed } from './number-text.js';

/** What a line shows; a part of a `ProgressEvent`. */
export type Progress = Pick<
  ProgressEvent,
  'step' | 'stepsPerEpoch' | 'trainLoss' | 'accuracy' | 'seconds' | 'imagesPerSecond' | 'nodes'
>;

/** A bar of fewer cells gives way to what stands beside it; the last gives way to nothing. */
const GOOD_BAR = 10;
const LEAST_BAR = 4;
/** Eighths of a character, from empty to seven. */
const PARTIAL_BLOCKS = ' ▏▎▍▌▋▊▉';

/**
 * The line in at most `columns` characters. What does not fit goes in this order: shares, images/s, steps per second, the
 * bar, the step, the times; loss and accuracy, which are the epoch's so far, go last. A bar fills what is left of the line.
 */
export function formatProgress(progress: Progress, columns: number): string {
  const { step, stepsPerEpoch, seconds, trainLoss, accuracy, imagesPerSecond, nodes } = progress;
  const numbers = `loss=${formatLoss(trainLoss)} accuracy=${formatPercent(accuracy)}`;
  const fraction = step / stepsPerEpoch;
  const start = `${numbers}: ${`${Math.floor(100 * fraction)}%`.padStart(4)}`;
  const count = ` ${step}/${stepsPerEpoch}`;
  const remaining = `<${formatRemaining(progress)}`;
  const times = `${formatClock(seconds)}${remaining}`;
  const rates = `${times}, ${formatRate(step, seconds)}`;
  const all = `${count} [${rates}, ${formatSpeed(imagesPerSecond)}]`;
  const withBar = (tail: string, leastBar: number): string | undefined => {
    const cells = columns - start.length - tail.length - 2;
    return cells < leastBar ? undefined : `${start}|${formatBar(fraction, cells)}|${tail}`;
  };
  const choices = [
    nodes && withBar(`${all} ${describeShares(nodes)}`, GOOD_BAR),
    withBar(all, GOOD_BAR),
    withBar(`${count} [${rates}]`, GOOD_BAR),
    withBar(`${count} [${times}]`, LEAST_BAR),
    `${start}${count} [${times}]`,
    `${start} [${times}]`,
    `${start} ${remaining}`,
    start,
    numbers,
    `${Math.floor(100 * fraction)}%`,
  ];
  return choices.find((choice) => choice !== undefined && choice.length <= columns) ?? '';
}

/** A bar of whole and partial blocks, always `columns` characters. */
export function formatBar(fraction: number, columns: number): string {
  const eighths = Math.floor(Math.min(Math.max(fraction, 0), 1) * columns * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  const partial = full.length < columns ? (PARTIAL_BLOCKS[eighths % 8] ?? '') : '';
  return (full + partial).padEnd(columns);
}

/** `00:14`, `1:02:03`. */
export function formatClock(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (n: number): string => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours > 0 ? `${hours}:` : ''}${two(minutes)}:${two(whole % 60)}`;
}

function formatRemaining({ step, stepsPerEpoch, seconds }: Progress): string {
  return step > 0 ? formatClock(((stepsPerEpoch - step) * seconds) / step) : '?';
}

function formatRate(step: number, seconds: number): string {
  if (step === 0 || seconds <= 0) return '?it/s';
  const perSecond = step / seconds;
  return perSecond >= 1 ? `${fixed(perSecond, 2)}it/s` : `${fixed(1 / perSecond, 2)}s/it`;
}
