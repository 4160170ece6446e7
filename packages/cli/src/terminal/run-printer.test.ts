import type { EndEvent, EpochEvent, ProgressEvent, RunEvent, StartEvent } from '@lockstep/core/events';
import { learningRateAt } from '@lockstep/core/run';
import { recipeSchema } from '@lockstep/core/spec';
import { formatRate } from '@lockstep/core/text';
import { describe, expect, it } from 'vitest';
import { RecordingIo } from '../testing/recording-io.js';
import { createPrinter } from './run-printer.js';

const start: StartEvent = {
  event: 'start',
  model: 'net19k',
  parameters: 18_970,
  workers: 2,
  engine: 'native (avx2)',
  data: '60,000 + 10,000 images from mnist',
  trainSamples: 60_000,
  validationSamples: 0,
  testSamples: 10_000,
  seed: 1,
  stepsPerEpoch: 469,
  recipe: recipeSchema.parse({ epochs: 2, learningRate: 0.025 }),
};

const progress = (epoch: number, step: number, seconds: number): ProgressEvent => ({
  event: 'progress',
  epoch,
  step,
  stepsPerEpoch: 469,
  learningRate: 0.025,
  loss: 0.9999,
  trainLoss: 0.1257,
  accuracy: 0.9,
  seconds,
  imagesPerSecond: 4018,
});

const epoch = (number: number, testCorrect: number): EpochEvent => ({
  event: 'epoch',
  epoch: number,
  learningRate: 0.025,
  trainLoss: 0.2,
  trainAccuracy: 0.92451,
  testLoss: 0.0553,
  testAccuracy: testCorrect / 10_000,
  testCorrect,
  testTotal: 10_000,
  seconds: 14.94,
  imagesPerSecond: 4016,
});

const end = (epochs: number, steps: number, reason: EndEvent['reason'], testCorrect: number): EndEvent => ({
  event: 'end',
  epochs,
  steps,
  testLoss: 0.0553,
  testAccuracy: testCorrect / 10_000,
  testCorrect,
  testTotal: 10_000,
  parametersSha256: 'abc123',
  seconds: 31.2,
  reason,
});

const completed: RunEvent[] = [
  start,
  progress(1, 234, 7),
  epoch(1, 9871),
  progress(2, 234, 7),
  epoch(2, 9810),
  end(2, 938, 'completed', 9810),
];

function print(
  io: RecordingIo,
  events: readonly RunEvent[],
  { json = false, quiet = false, saved = 'runs/w.st' } = {},
) {
  const printer = createPrinter({ json, quiet }, io);
  for (const event of events) {
    printer.print(event);
    io.nowMs += 1000;
  }
  printer.finish(saved === '' ? undefined : saved);
  printer.close();
  return io;
}

/** What a terminal shows in the end: redrawn lines keep their last text, the cursor's escapes show nothing. */
const render = (text: string): string[] =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what is looked for.
    .replace(/\x1b\[\?25[lh]/g, '')
    .split('\n')
    .map((line) => (line.split('\r\x1b[J').at(-1) as string).replace(/\r$/, ''));

const opening = [
  'Model: net19k, 18,970 parameters',
  'Data: 60,000 + 10,000 images from mnist',
  'Recipe: 2 epochs, batch 128, Adam, rate 0.025',
  'Engine: native (avx2), 2 workers, seed 1',
  '',
];

const summary = [
  'Trained net19k: 2 epochs, 938 steps in 31.2 s, 4016 images/s',
  'Parameters SHA-256: abc123',
  'Test accuracy: 9810/10000 (98.10%), best 9871/10000 (98.71%) in epoch 1',
  'Saved to runs/w.st',
];

describe('without a terminal', () => {
  it('says in the epoch line what computed, where that is not what the run began with', () => {
    const engine = 'native (wasm), then native (avx2)';
    const changed = completed.map((event) =>
      event.event === 'epoch' && event.epoch === 2 ? { ...event, engine } : event,
    );
    expect(print(new RecordingIo(), changed).stdout.lines).toContain(
      'Epoch 2, Learning Rate: 0.025, loss=0.2000 accuracy=92.45, 469 steps in 14.9 s, 4016 images/s, native (wasm), then native (avx2)',
    );
  });

  it('prints one line per epoch, its test set, and ends with accuracy and path', () => {
    const io = print(new RecordingIo(), completed);
    expect(io.stderr.text).toBe('');
    expect(io.stdout.lines).toEqual([
      ...opening,
      'Epoch 1, Learning Rate: 0.025, loss=0.2000 accuracy=92.45, 469 steps in 14.9 s, 4016 images/s',
      'Test set: Average loss: 0.0553, Accuracy: 9871/10000 (98.71%)',
      'Epoch 2, Learning Rate: 0.025, loss=0.2000 accuracy=92.45, 469 steps in 14.9 s, 4016 images/s',
      'Test set: Average loss: 0.0553, Accuracy: 9810/10000 (98.10%)',
      ...summary,
    ]);
  });

  it('reports a validation split as well', () => {
    const validation = { loss: 0.1, accuracy: 0.5, correct: 10, total: 20 };
    const io = print(new RecordingIo(), [start, { ...epoch(1, 9871), validation }, end(1, 469, 'steps', 9871)]);
    expect(io.stdout.lines).toContain('Validation set: Average loss: 0.1000, Accuracy: 10/20 (50.00%)');
  });

  it('prints the last evaluation of a run that ends inside an epoch', () => {
    const io = print(new RecordingIo(), [start, epoch(1, 9871), end(1, 500, 'interrupted', 9875)], { saved: '' });
    expect(io.stdout.lines.slice(-4)).toEqual([
      'Test set: Average loss: 0.0553, Accuracy: 9875/10000 (98.75%)',
      'Interrupted: net19k: 1 epoch, 500 steps in 31.2 s, 4016 images/s',
      'Parameters SHA-256: abc123',
      'Test accuracy: 9875/10000 (98.75%), best of whole epochs 9871/10000 (98.71%) in epoch 1',
    ]);
  });

  it('has no best epoch and no speed before the first epoch is complete', () => {
    const io = print(new RecordingIo(), [start, end(0, 1, 'steps', 980)], { saved: '' });
    expect(io.stdout.lines.slice(-3)).toEqual([
      'Stopped after --steps: net19k: 0 epochs, 1 step in 31.2 s',
      'Parameters SHA-256: abc123',
      'Test accuracy: 980/10000 (9.80%)',
    ]);
  });
});

describe('of nodes', () => {
  const joined: RunEvent = { event: 'node-joined', node: 'b', address: 'x', workers: 2, engine: 'native', step: 3 };
  const rebalanced: RunEvent = { event: 'rebalanced', step: 9, shards: [{ node: 'b', shards: 4 }] };

  it('cases: work 23: says who comes, and leaves who has which shards to the page, the log and --json', () => {
    const io = print(new RecordingIo(), [start, joined, rebalanced]);
    expect(io.stderr.lines).toEqual(['Node b (x, 2 threads, native) joins at step 3']);
    const json = print(new RecordingIo(), [start, rebalanced], { json: true });
    expect(JSON.parse(json.stdout.lines[1] as string)).toEqual(rebalanced);
  });
});

describe('a run that is resumed', () => {
  it('counts the epochs before for the best', () => {
    const io = new RecordingIo();
    const printer = createPrinter({ json: false, quiet: false, history: [epoch(1, 9871)] }, io);
    for (const event of [start, epoch(2, 9810), end(2, 938, 'completed', 9810)]) printer.print(event);
    printer.finish(undefined);
    expect(io.stdout.lines.at(-1)).toBe('Test accuracy: 9810/10000 (98.10%), best 9871/10000 (98.71%) in epoch 1');
  });
});

describe('in a terminal', () => {
  const terminal = (): RecordingIo => {
    const io = new RecordingIo({ stdoutIsTTY: true, stderrIsTTY: true });
    io.stderr.columns = 120;
    return io;
  };

  it('says below the bar what computed an epoch, where that is not what the run began with', () => {
    const engine = 'native (wasm), then native (avx2)';
    const screen = terminal();
    print(
      screen,
      completed.map((event) => (event.event === 'epoch' ? { ...event, engine } : event)),
    );
    expect(screen.stdout.text).toContain(`\nEngine: ${engine}\nTest set`);
  });

  it('cases: work 23: prints the lines of the seeds: epoch and rate, a bar that ends with the epoch’s means, test set', () => {
    const io = terminal();
    // One screen: both streams go to the same terminal.
    const screen = io.stdout;
    io.stderr.write = (text) => screen.write(text);
    print(io, completed);
    // the epoch's mean, as its line says without a terminal
    const bar = `loss=0.2000 accuracy=92.45: 100%|${'█'.repeat(37)}| 469/469 [00:14<00:00, 31.39it/s, 4016 images/s]`;
    expect(render(screen.text)).toEqual([
      ...opening,
      'Epoch 1, Learning Rate: 0.025',
      bar,
      'Test set: Average loss: 0.0553, Accuracy: 9871/10000 (98.71%)',
      '',
      'Epoch 2, Learning Rate: 0.025',
      bar,
      'Test set: Average loss: 0.0553, Accuracy: 9810/10000 (98.10%)',
      '',
      ...summary,
      '',
    ]);
  });

  it('titles each epoch with the rate of its last step, whichever step is seen first, as the line without a terminal does', () => {
    const schedule = { type: 'one-cycle' } as const;
    const recipe = recipeSchema.parse({ epochs: 2, learningRate: 0.1, schedule });
    for (const step of [1, 234, 469]) {
      const seen = { ...progress(1, step, 1), learningRate: learningRateAt(recipe, step - 1, 469) };
      const last = { ...epoch(1, 9871), learningRate: learningRateAt(recipe, 468, 469) };
      const [bar, file] = [terminal(), new RecordingIo()];
      for (const io of [bar, file]) print(io, [{ ...start, recipe }, seen, last]);
      const title = `Epoch 1, Learning Rate: ${formatRate(last.learningRate)}`;
      expect(bar.stdout.lines).toContain(title);
      expect(file.stdout.text).toContain(`${title}, loss=`);
    }
  });

  it('draws the bar on stderr alone and gives the cursor back', () => {
    const io = print(terminal(), completed);
    expect(io.stderr.text).toContain('loss=0.1257 accuracy=90.00:  49%|█');
    expect(io.stderr.text).toContain('| 234/469 [00:07<00:07, 33.43it/s');
    expect(io.stdout.text).not.toContain('\x1b');
    expect(io.stderr.text.lastIndexOf('\x1b[?25h')).toBeGreaterThan(io.stderr.text.lastIndexOf('\x1b[?25l'));
  });

  it('leaves the bar of an unfinished epoch where it stopped', () => {
    const io = print(terminal(), [start, progress(1, 234, 7), end(0, 234, 'interrupted', 9000)]);
    expect(render(io.stderr.text)[0]).toContain('234/469 [00:07<00:07');
    expect(io.stdout.lines).toContain('Test set: Average loss: 0.0553, Accuracy: 9000/10000 (90.00%)');
  });

  it('gives the cursor back when it is closed in the middle', () => {
    const io = terminal();
    const printer = createPrinter({ json: false, quiet: false }, io);
    printer.print(start);
    printer.print(progress(1, 10, 1));
    printer.close();
    expect(io.stderr.text.endsWith('\r\x1b[J\x1b[?25h')).toBe(true);
  });

  it('takes the bar away for a warning', () => {
    const io = terminal();
    const printer = createPrinter({ json: false, quiet: false }, io);
    printer.print(start);
    printer.print(progress(1, 10, 1));
    printer.print({ event: 'warning', code: 'LOCKSTEP_WORKER_LOST', message: 'worker 1 was replaced' });
    expect(render(io.stderr.text)).toEqual(['warning: LOCKSTEP_WORKER_LOST: worker 1 was replaced', '']);
  });

  it('prints whole lines to a file while the bar is in the terminal', () => {
    const io = new RecordingIo({ stderrIsTTY: true });
    io.stderr.columns = 120;
    print(io, completed);
    expect(io.stdout.lines[5]).toBe(
      'Epoch 1, Learning Rate: 0.025, loss=0.2000 accuracy=92.45, 469 steps in 14.9 s, 4016 images/s',
    );
    expect(io.stderr.text).toContain('234/469');
    expect(render(io.stderr.text)).toEqual(['']);
  });
});

describe('--quiet', () => {
  it('prints accuracy and path alone', () => {
    const io = print(new RecordingIo({ stdoutIsTTY: true, stderrIsTTY: true }), completed, { quiet: true });
    expect(io.stdout.lines).toEqual(['Test accuracy: 9810/10000 (98.10%)', 'Saved to runs/w.st']);
    expect(io.stderr.text).toBe('');
  });
});

describe('--json', () => {
  const warning: RunEvent = { event: 'warning', code: 'LOCKSTEP_WORKER_LOST', message: 'worker 1 was replaced' };

  it('prints the events but progress as they are, one a line, and nothing else on stdout', () => {
    const io = print(
      new RecordingIo(),
      [start, progress(1, 10, 1), warning, epoch(1, 9871), end(1, 469, 'until', 9871)],
      {
        json: true,
      },
    );
    expect(io.stdout.lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      start,
      warning,
      epoch(1, 9871),
      end(1, 469, 'until', 9871),
    ]);
    expect(io.stderr.text).toBe('Saved to runs/w.st\n');
  });

  it('shows a bar when only stderr is a terminal', () => {
    const io = print(new RecordingIo({ stderrIsTTY: true }), completed, { json: true });
    expect(io.stderr.text).toContain('234/469');
    expect(io.stdout.text).not.toContain('\x1b');
    const both = print(new RecordingIo({ stdoutIsTTY: true, stderrIsTTY: true }), completed, { json: true });
    expect(both.stderr.text).toBe('Saved to runs/w.st\n');
  });
});
