/** Numbers and times as people read them. */

export const percent = (fraction: number, digits = 2): string => `${(100 * fraction).toFixed(digits)}%`;

export const count = (value: number): string => Math.round(value).toLocaleString('en-US');

/** Up to four digits: `0.0279`, `4e-7`. */
export const rate = (value: number): string => String(Number(value.toPrecision(4)));

export const loss = (value: number): string => (Number.isFinite(value) ? value.toFixed(4) : '–');

/** `48 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** `0:07`, `12:40`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

export const milliseconds = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(1)} ms`;
