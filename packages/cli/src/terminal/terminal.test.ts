import { describe, expect, it } from 'vitest';
import { RecordingIo, RecordingStream } from '../testing/recording-io.js';
import { canRedraw, StatusLine } from './terminal.js';

const HIDE = '\x1b[?25l';
const SHOW = '\x1b[?25h';
const ERASE = '\r\x1b[J';

function createLine(columns?: number) {
  const io = new RecordingIo({ stderrIsTTY: true });
  io.stderr.columns = columns;
  return { io, stream: io.stderr, line: new StatusLine(io) };
}

describe('StatusLine', () => {
  it('hides the cursor once, redraws in place and shows the cursor when it is cleared', () => {
    const { io, stream, line } = createLine();
    line.update(() => 'one');
    io.nowMs = 100;
    line.update(() => 'two');
    line.clear();
    expect(stream.text).toBe(`${HIDE}${ERASE}one\r${ERASE}two\r${ERASE}${SHOW}`);
  });

  it('redraws at most ten times a second', () => {
    const { io, stream, line } = createLine();
    for (let ms = 0; ms < 1000; ms++) {
      io.nowMs = ms;
      line.update(() => 'x');
    }
    expect(stream.text.split('x')).toHaveLength(11);
  });

  it('draws the last state whatever the time and leaves it standing', () => {
    const { stream, line } = createLine();
    line.update(() => 'half');
    line.finish(() => 'full');
    line.clear();
    expect(stream.text).toBe(`${HIDE}${ERASE}half\r${ERASE}full\r\n${SHOW}`);
  });

  it('draws again at once after it was cleared', () => {
    const { stream, line } = createLine();
    line.update(() => 'one');
    line.clear();
    line.update(() => 'two');
    expect(stream.text).toContain('two');
  });

  it('follows the width of the window and leaves its last column free', () => {
    const { io, stream, line } = createLine(20);
    const widths: number[] = [];
    const draw = (columns: number): string => {
      widths.push(columns);
      return 'y'.repeat(100);
    };
    line.update(draw);
    stream.columns = 10;
    io.nowMs = 100;
    line.update(draw);
    expect(widths).toEqual([19, 9]);
    expect(stream.text).toBe(`${HIDE}${ERASE}${'y'.repeat(19)}\r${ERASE}${'y'.repeat(9)}\r`);
  });

  it('cases: work 23: gives the cursor back at Ctrl-Z, and draws the line again after fg', () => {
    const { io, stream, line } = createLine();
    line.update(() => 'one');
    const [terminal] = io.terminal;
    stream.text = '';
    terminal?.suspend();
    expect(stream.text).toBe(`${ERASE}${SHOW}`);
    stream.text = '';
    terminal?.resume();
    expect(stream.text).toBe(`${HIDE}${ERASE}one\r`);
  });

  it('cases: work 23: draws the line anew when the window changes, over all rows that the old one has come to take', () => {
    const { io, stream, line } = createLine(20);
    line.update((columns) => 'y'.repeat(columns));
    stream.text = '';
    stream.columns = 8;
    for (const { resize } of io.terminal) resize();
    // the cursor stood at the beginning of the line, whatever the terminal has made of its end
    expect(stream.text).toBe(`${ERASE}${'y'.repeat(7)}\r`);
  });

  it('listens to the terminal only while something is drawn', () => {
    const { io, line } = createLine();
    expect(io.terminal.size).toBe(0);
    line.update(() => 'one');
    expect(io.terminal.size).toBe(1);
    line.finish(() => 'two');
    line.update(() => 'three');
    line.clear();
    expect(io.terminal.size).toBe(0);
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
