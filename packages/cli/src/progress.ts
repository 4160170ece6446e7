/** tqdm's progress line: `loss=0.1257 accuracy=92.45: 100%|██████████| 469/469 [00:14<00:00, 31.39it/s, 4018 images/s]`. */
import { describeShares, type ProgressEvent } from '@lockstep/core';

/** What a line shows; a part of a `ProgressEvent`. */
export type Progress = Pick<
  ProgressEvent,
  'step' | 'stepsPerEpoch' | 'loss' | 'accuracy' | 'seconds' | 'imagesPerSecond' | 'nodes'
>;

const BAR_COLUMNS = 10;
/** Eighths of a character, from empty to seven. */
const PARTIAL_BLOCKS = ' ▏▎▍▌▋▊▉';

/** The line in at most `columns` characters: what fits of bar, images/s, description, in this order of importance. */
export function formatProgress(progress: Progress, columns: number): string {
  const { step, stepsPerEpoch, seconds, loss, accuracy, imagesPerSecond } = progress;
  const description = `loss=${loss.toFixed(4)} accuracy=${formatPercent(accuracy)}: `;
  const percent = `${Math.floor((100 * step) / stepsPerEpoch)}%`.padStart(4);
  const count = `${step}/${stepsPerEpoch}`;
  const times = `${formatClock(seconds)}<${formatRemaining(progress)}`;
  const rate = formatRate(step, seconds);
  const images = `, ${Math.round(imagesPerSecond)} images/s`;
  const line = (head: string, barColumns: number, tail: string): string =>
    `${head}${percent}|${formatBar(step / stepsPerEpoch, barColumns)}| ${count} [${times}, ${rate}${tail}]`;
  const choices = [
    ...(progress.nodes ? [`${line(description, BAR_COLUMNS, images)} ${describeShares(progress.nodes)}`] : []),
    line(description, BAR_COLUMNS, images),
    line(description, BAR_COLUMNS, ''),
    line('', BAR_COLUMNS, images),
    line('', BAR_COLUMNS, ''),
    `${percent} ${count} [${times}]`.trimStart(),
    percent.trimStart(),
  ];
  return choices.find((choice) => choice.length <= columns) ?? '';
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

/** `14.9 s`, from a minute on as a clock. */
export const formatDuration = (seconds: number): string =>
  seconds < 60 ? `${seconds.toFixed(1)} s` : formatClock(seconds);

/** `92.45`: percent without its sign. */
export const formatPercent = (fraction: number): string => (100 * fraction).toFixed(2);

function formatRemaining({ step, stepsPerEpoch, seconds }: Progress): string {
  return step > 0 ? formatClock(((stepsPerEpoch - step) * seconds) / step) : '?';
}

function formatRate(step: number, seconds: number): string {
  if (step === 0 || seconds <= 0) return '?it/s';
  const perSecond = step / seconds;
  return perSecond >= 1 ? `${perSecond.toFixed(2)}it/s` : `${(1 / perSecond).toFixed(2)}s/it`;
}
