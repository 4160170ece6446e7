/** The program as a process: what comes out of its streams, its exit code, signals. What it says: test/one-process/cli.test.ts. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { findEvent, useBars } from '../support/bars-place.ts';
import { BIN, readEvents, startProgram } from '../support/digit-bars.ts';

const { place, run, train } = useBars((folder, argv) => startProgram(folder, argv).finished);

const start = (argv: readonly string[]) => startProgram(place.folder, argv);

/** Resolves as soon as a stream has said `text`. */
function waitFor(stream: NodeJS.ReadableStream | null, text: string): Promise<void> {
  return new Promise((resolve) => {
    let seen = '';
    stream?.on('data', (part: string) => {
      seen += part;
      if (seen.includes(text)) resolve();
    });
  });
}

it('says which file the program is when a part of it is run', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BIN.replace(/bin\.js$/, 'main.js'), 'train']);
  expect({ status, out: stdout.toString() }).toEqual({ status: 2, out: '' });
  expect(stderr.toString()).toMatch(/main\.js is a part of the program, which is bin\.js beside it\.\n$/);
});

describe('lockstep train', () => {
  it('prints start, epochs and end as JSON lines and nothing else on stdout', async () => {
    const finished = await train('--json', '--no-save', '--workers', '2', '--validation', '20');
    expect(finished.code).toBe(0);
    expect(readEvents(finished).map(({ event }) => event)).toEqual(['start', 'data', 'epoch', 'epoch', 'epoch', 'end']);
    expect(findEvent(finished, 'start')).toMatchObject({ model: 'bars', workers: 2, seed: 1, stepsPerEpoch: 5 });
    expect(findEvent(finished, 'start')).toMatchObject({ trainSamples: 300, validationSamples: 20, testSamples: 90 });
    expect(findEvent(finished, 'epoch')).toMatchObject({ epoch: 1, testTotal: 90, validation: { total: 20 } });
    expect(findEvent(finished, 'end')).toMatchObject({ epochs: 3, steps: 15, reason: 'completed' });
    expect(findEvent(finished, 'end')['parametersSha256']).toMatch(/^[0-9a-f]{64}$/);
  });

  it('gives the same bits for 1 and 3 workers, others for another seed', async () => {
    const hash = async (...argv: string[]) =>
      findEvent(await train('--json', '--no-save', ...argv), 'end')['parametersSha256'];
    const [one, three, other] = await Promise.all([
      hash('--workers', '1'),
      hash('--workers', '3'),
      hash('--workers', '1', '--seed', '2'),
    ]);
    expect(three).toBe(one);
    expect(other).not.toBe(one);
  });

  it('rejects data that the model cannot read, with exit code 2 and one line', async () => {
    const { code, out, error } = await run('train', 'lenet5', '--data', place.folder, '--no-save');
    expect(code).toBe(2);
    expect(out).toBe('');
    expect(error).toBe(
      'lockstep: LOCKSTEP_DATA_MODEL: lenet5 reads images of 1x28x28 in 10 classes, ' +
        'the data has 1x12x12 in 10, and its layers do not fit that (lenet5: layer 4 (conv): kernel 5 does not fit its 4x4 input). ' +
        'Choose another model, or bring the data to its size with --resize.\n',
    );
  });
});

describe.skipIf(process.platform === 'win32')('Ctrl-C', () => {
  it('finishes the step, saves and ends with a summary, the way on and exit code 130', async () => {
    const weights = path.join(place.folder, 'interrupted.safetensors');
    const argv = ['train', place.model, '--data', place.folder, '--epochs', '1000000', '--json', '--save', weights];
    const { child, finished } = start(argv);
    await waitFor(child.stdout, '"event":"epoch"');
    child.kill('SIGINT');
    const result = await finished;
    expect(result.code).toBe(130);
    expect(result.error).toContain(`Saved to ${weights}\n`);
    expect(result.error).toContain('This run cannot be resumed: it was started without --checkpoint.\n');
    const end = readEvents(result).at(-1);
    expect(end).toMatchObject({ event: 'end', reason: 'interrupted', signal: 'SIGINT' });
    const { code, out } = await run('evaluate', '--weights', weights, '--data', place.folder, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ correct: end?.['testCorrect'], loss: end?.['testLoss'] });
  });

  it('exits at once with 130 the second time', async () => {
    // One step of this takes long enough for a second signal to come before its end.
    const bars = JSON.parse(readFileSync(place.model, 'utf8'));
    const wide = { ...bars, name: 'wide', layers: [...bars.layers] };
    wide.layers.splice(
      3,
      0,
      ...Array.from({ length: 12 }, () => ({ type: 'conv', outChannels: 512, kernel: 3, padding: 1 })),
    );
    const file = path.join(place.folder, 'wide.json');
    writeFileSync(file, JSON.stringify(wide));
    const argv = [
      'train',
      file,
      '--data',
      place.folder,
      '--batch-size',
      '320',
      '--workers',
      '1',
      '--json',
      '--no-save',
    ];
    const { child, finished } = start(argv);
    await waitFor(child.stdout, '"event":"start"');
    child.kill('SIGINT');
    await waitFor(child.stderr, 'Finishing the step');
    child.kill('SIGINT');
    const { code, out } = await finished;
    expect(code).toBe(130);
    expect(out).not.toContain('"event":"end"');
  });
});

it.skipIf(process.platform === 'win32').each([
  ['SIGUSR1', 138, []],
  ['SIGUSR2', 140, []],
  ['SIGUSR1', 75, ['--preemptible']],
] as const)('%s while its data are read ends it with %i %j, and leaves nothing behind', async (signal, code, more) => {
  const data = mkdtempSync(path.join(place.folder, 'slow-'));
  const images = path.join(data, 'train-images-idx3-ubyte');
  spawnSync('mkfifo', [images]);
  for (const name of ['train-labels-idx1-ubyte', 't10k-images-idx3-ubyte', 't10k-labels-idx1-ubyte'])
    writeFileSync(path.join(data, name), '');
  const out = path.join(data, 'out');
  const { child, finished } = start(['train', place.model, '--data', data, '--out', out, '--checkpoint', out, ...more]);
  const said = waitFor(child.stderr, `Ended by ${signal} before the run began.`);
  // opens when the program does
  const pipe = await open(images, 'w');
  child.kill(signal);
  await said;
  await pipe.close();
  expect(await finished).toMatchObject({ code, error: `Ended by ${signal} before the run began.\n` });
  expect(existsSync(out)).toBe(false);
});

it.skipIf(!existsSync('/dev/full'))('cases: work 2: says that the disk under what it prints is full, and ends', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [BIN, 'models'], { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  expect([status, stderr.toString()]).toEqual([
    0,
    'lockstep: nothing more can be written to stdout (ENOSPC: no space left on device, write); the rest is left out\n',
  ]);
});

it('does not mind a reader that goes away', async () => {
  const { child, finished } = start(['summary', 'cnn11m']);
  child.stdout?.destroy();
  expect(await finished).toMatchObject({ code: 0, error: '' });
});
