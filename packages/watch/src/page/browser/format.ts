/** Numbers and times of the page alone; what terminal and report write too is in `@lockstep/core/text`. */
import { fixed, formatCount } from '@lockstep/core/text';

export { formatDuration as duration, formatLoss as loss, formatRate as rate } from '@lockstep/core/text';

export const percent = (fraction: number, digits = 2): string => `${fixed(100 * fraction, digits)}%`;

export const count = (value: number): string => formatCount(Math.round(value));

/** `0:07`, `12:40`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

export const milliseconds = (value: number): string => `${fixed(value, value < 10 ? 2 : 1)} ms`;
