/** How the numbers of a run are written, in the terminal, on the page and in the report: everywhere the same. */

const UNKNOWN = '–';

/** With this many digits behind the point; what is rounded to zero has no sign. */
export const fixed = (value: number, digits: number): string => value.toFixed(digits).replace(/^-(0(?:\.0*)?)$/, '$1');

/** `0.1257`; what is no number says so. */
export const formatLoss = (loss: number | undefined): string => (loss === undefined ? UNKNOWN : fixed(loss, 4));

/** `92.45`: percent without its sign. */
export const formatPercent = (fraction: number): string => fixed(100 * fraction, 2);

/** `9810/10000 (98.10%)`. */
export const formatScore = ({ correct, total, accuracy }: Score): string =>
  `${correct}/${total} (${formatPercent(accuracy)}%)`;

export interface Score {
  readonly correct: number;
  readonly total: number;
  readonly accuracy: number;
}

/** A learning rate with up to four digits: `0.025`, `4.012e-7`. */
export const formatRate = (rate: number): string => String(Number(rate.toPrecision(4)));

/** `4018 images/s`. */
export const formatSpeed = (imagesPerSecond: number): string => `${Math.round(imagesPerSecond)} images/s`;

/** `14.9 s`, `3 min 20 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 59.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
