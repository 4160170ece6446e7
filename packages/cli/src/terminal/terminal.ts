/** One line at the bottom of a terminal that is redrawn in place. */
import type { Io, OutputStream } from './io.js';

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
/** The cursor stands at the line's beginning, and in a window made narrower the line is some rows long: all of them. */
const ERASE = '\r\x1b[J';
/** At most ten redraws a second. */
const REDRAW_MS = 100;
const DEFAULT_COLUMNS = 80;

/** Whether lines can be redrawn: a terminal that understands it, and nobody who keeps a log. */
export const canRedraw = (stream: OutputStream, env: Io['env']): boolean =>
  stream.isTTY === true && env['TERM'] !== 'dumb' && !isSet(env['CI']);

const isSet = (value: string | undefined): boolean => value !== undefined && value !== '' && value !== 'false';

/** What a line needs of its program. */
export type Screen = Pick<Io, 'stderr' | 'now' | 'onTerminal'>;

/** Makes a line something of the given width or less. */
type Format = (columns: number) => string;

export class StatusLine {
  private drawnAtMs = Number.NEGATIVE_INFINITY;
  /** What is shown, as long as something is. */
  private shown: Format | undefined;
  private unwatch = (): void => {};

  constructor(private readonly screen: Screen) {}

  /** Redraws the line, unless that was done a moment ago. `format` gets the width that the line may take. */
  update(format: Format): void {
    const now = this.screen.now();
    if (now - this.drawnAtMs < REDRAW_MS) return;
    this.drawnAtMs = now;
    this.draw(format);
  }

  /** Draws the line a last time and leaves it standing. */
  finish(format: Format): void {
    this.draw(format);
    this.write(`\n${SHOW_CURSOR}`);
    this.reset();
  }

  /** Takes the line away; other text can be written then. */
  clear(): void {
    if (this.shown === undefined) return;
    this.write(`${ERASE}${SHOW_CURSOR}`);
    this.reset();
  }

  private draw(format: Format): void {
    if (this.shown === undefined) {
      this.write(HIDE_CURSOR);
      this.watch();
    }
    // The last column stays free: some terminals wrap as soon as it is written.
    const columns = (this.screen.stderr.columns || DEFAULT_COLUMNS) - 1;
    this.write(`${ERASE}${format(columns).slice(0, columns)}\r`);
    this.shown = format;
  }

  /** Ctrl-Z leaves the terminal as it was; `fg` and another width bring the line again. */
  private watch(): void {
    const redraw = (): void => {
      if (this.shown !== undefined) this.draw(this.shown);
    };
    this.unwatch = this.screen.onTerminal({
      suspend: () => this.write(`${ERASE}${SHOW_CURSOR}`),
      resume: () => {
        this.write(HIDE_CURSOR);
        redraw();
      },
      resize: redraw,
    });
  }

  private reset(): void {
    this.unwatch();
    this.shown = undefined;
    this.drawnAtMs = Number.NEGATIVE_INFINITY;
  }

  private write(text: string): void {
    this.screen.stderr.write(text);
  }
}
