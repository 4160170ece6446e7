import { describe, expect, it } from 'vitest';
import { canRedraw, StatusLine } from './terminal.js';
import { RecordingStream } from './testing/recording-io.js';

const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';
const ERASE = '\r\x1b[K';

function createLine(columns?: number) {
  const stream = new RecordingStream(true);
  stream.columns = columns;
  const clock = { nowMs: 0 };
  return { stream, clock, line: new StatusLine(stream, () => clock.nowMs) };
}

describe('StatusLine', () => {
  it('hides the cursor once, redraws in place and shows the cursor when it is cleared', () => {
    const { stream, clock, line } = createLine();
    line.update(() => 'one');
    clock.nowMs = 100;
    line.update(() => 'two');
    line.clear();
    expect(stream.text).toBe(`${HIDE}${ERASE}one${ERASE}two${ERASE}${SHOW}`);
  });

  it('redraws at most ten times a second', () => {
    const { stream, clock, line } = createLine();
    for (let ms = 0; ms < 1000; ms++) {
      clock.nowMs = ms;
      line.update(() => 'x');
    }
    expect(stream.text.split('x')).toHaveLength(11);
  });

  it('draws the last state whatever the time and leaves it standing', () => {
    const { stream, line } = createLine();
    line.update(() => 'half');
    line.finish(() => 'full');
    line.clear();
    expect(stream.text).toBe(`${HIDE}${ERASE}half${ERASE}full\n${SHOW}`);
  });

  it('draws again at once after it was cleared', () => {
    const { stream, line } = createLine();
    line.update(() => 'one');
    line.clear();
    line.update(() => 'two');
    expect(stream.text).toContain('two');
  });

  it('follows the width of the window and leaves its last column free', () => {
    const { stream, clock, line } = createLine(20);
    const widths: number[] = [];
    const draw = (columns: number): string => {
      widths.push(columns);
      return 'y'.repeat(100);
    };
    line.update(draw);
    stream.columns = 10;
    clock.nowMs = 100;
    line.update(draw);
    expect(widths).toEqual([19, 9]);
    expect(stream.text).toBe(`${HIDE}${ERASE}${'y'.repeat(19)}${ERASE}${'y'.repeat(9)}`);
  });

  it('takes 80 columns when the terminal does not tell', () => {
    const { line } = createLine();
    line.update((columns) => {
      expect(columns).toBe(79);
      return '';
    });
  });

  it('writes nothing when there is nothing to clear', () => {
    const { stream, line } = createLine();
    line.clear();
    expect(stream.text).toBe('');
  });
});

describe('canRedraw', () => {
  it.each([
    ['a terminal', true, { TERM: 'xterm' }, true],
    ['a pipe', false, { TERM: 'xterm' }, false],
    ['a dumb terminal', true, { TERM: 'dumb' }, false],
    ['a CI that pretends to be a terminal', true, { CI: 'true' }, false],
    ['CI=false', true, { CI: 'false' }, true],
  ])('%s', (_, isTTY, env, expected) => {
    expect(canRedraw(new RecordingStream(isTTY), env)).toBe(expected);
  });
});
