/** One line at the bottom of a terminal that is redrawn in place. */
import type { Io, OutputStream } from './io.js';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const ERASE_LINE = '\r\x1b[K';
/** At most ten redraws a second. */
const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 80;

/** Whether lines can be redrawn: a terminal that understands it, and nobody who keeps a log. */
export const canRedraw = (stream: OutputStream, env: Io['env']): boolean =>
  stream.isTTY === true && env['TERM'] !== 'dumb' && !isSet(env['CI']);

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '' && value !== 'false';

export class StatusLine {
  private drawnAtMs = Number.NEGATIVE_INFINITY;
  private isShown = false;

  constructor(
    private readonly stream: OutputStream,
    private readonly now: () => number,
  ) {}

  /** Redraws the line, unless that was done a moment ago. `format` gets the width that the line may take. */
  update(format: (columns: number) => string): void {
    const now = this.now();
    if (now - this.drawnAtMs < REDRAW_MS) return;
    this.drawnAtMs = now;
    this.draw(format);
  }

  /** Draws the line a last time and leaves it standing. */
  finish(format: (columns: number) => string): void {
    this.draw(format);
    this.stream.write(`\n${SHOW_CURSOR}`);
    this.reset();
  }

  /** Takes the line away; other text can be written then. */
  clear(): void {
    if (!this.isShown) return;
    this.stream.write(`${ERASE_LINE}${SHOW_CURSOR}`);
    this.reset();
  }

  private draw(format: (columns: number) => string): void {
    // The last column stays free: some terminals wrap as soon as it is written.
    const columns = (this.stream.columns || DEFAULT_COLUMNS) - 1;
    const text = format(columns).slice(0, columns);
    this.stream.write(`${this.isShown ? '' : HIDE_CURSOR}${ERASE_LINE}${text}`);
    this.isShown = true;
  }

  private reset(): void {
    this.isShown = false;
    this.drawnAtMs = Number.NEGATIVE_INFINITY;
  }
}
