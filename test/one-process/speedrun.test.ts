import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/api/session.js';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import type { RunEvent } from '../../packages/core/dist/events/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_IMAGES, smallModel, smallRecipe, writeSample } from '../support/small-run.js';

let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-speedrun-'));
  await writeSample(folder, SMALL_IMAGES, 50);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('a run evaluated at its end', () => {
  it('has no epoch events, and ends with the bits of one that is evaluated after every epoch', async () => {
    const dataset = await cutSample(SMALL_IMAGES, 50);
    const recipe = { ...smallRecipe, epochs: 2 };
    const ends = [];
    for (const evaluate of ['epochs', 'end'] as const) {
      const events: RunEvent[] = [];
      const request = { model: smallModel, recipe, dataset, seed: 1, workers: 1, engine: 'native', evaluate } as const;
      for await (const event of train(request)) events.push(event);
      expect(events.filter(({ event }) => event === 'epoch')).toHaveLength(evaluate === 'end' ? 0 : 2);
      const { seconds: _, ...end } = events.at(-1) as { seconds: number };
      ends.push(end);
    }
    expect(ends[1]).toEqual(ends[0]);
    expect(ends[0]).toMatchObject({ event: 'end', epochs: 2, reason: 'completed' });
  });
});

describe('lockstep speedrun', () => {
  it('times whole processes, says how many reach the target, and fails when too few do', async () => {
    const io = new RecordingIo();
    const flags = ['--target', '0.99', '--runs', '2', '--workers', '1', '--data', folder, '--json'];
    expect(await main(['speedrun', ...flags, '--python', path.join(folder, 'no-python')], io)).toBe(1);
    const report = JSON.parse(io.stdout.text);
    expect(report).toMatchObject({ bench: 'speedrun', repetitions: 2, reached: 0, torch: [] });
    expect(report.torchMissing).toMatch(/no-python/);
    const [first, second] = report.sprints;
    expect([first.seed, second.seed]).toEqual([1, 2]);
    expect(first.parametersSha256).not.toBe(second.parametersSha256);
    expect(first.startSeconds).toBeLessThan(first.seconds);
    expect(first.coreSeconds).toBeGreaterThan(0);
    expect(io.stderr.text).toMatch(/seed 2: \d+\.\d\d%, short of the target/);
  });

  it('cases: work 25: sums up the trainings that are done when Ctrl-C comes, and ends with 130', async () => {
    const io = new RecordingIo();
    const flags = ['--target', '0.99', '--runs', '3', '--workers', '1', '--data', folder, '--json'];
    const write = io.stderr.write.bind(io.stderr);
    io.stderr.write = (text) => {
      write(text);
      if (text.startsWith('seed 1: ')) setImmediate(() => io.interrupt());
    };
    expect(await main(['speedrun', ...flags], io)).toBe(130);
    expect(JSON.parse(io.stdout.text)).toMatchObject({ repetitions: 1, sprints: [{ seed: 1 }] });
    expect(io.stderr.lines.at(-1)).toBe('Interrupted: 1 of 3 trainings are done.');
  });

  it('says which training came to nothing', async () => {
    const io = new RecordingIo();
    expect(await main(['speedrun', '--runs', '1', '--data', path.join(folder, 'nowhere')], io)).toBe(2);
    expect(io.stderr.text).toMatch(
      /LOCKSTEP_SPEEDRUN_PROCESS: the training of sprint33k with seed 1 ended with code 2/,
    );
  });

  it('refuses --evaluate end beside what judges epochs', async () => {
    const io = new RecordingIo();
    expect(await main(['train', '--evaluate', 'end', '--until', '0.99'], io)).toBe(2);
    expect(io.stderr.text).toMatch(/--evaluate end leaves nothing to judge epochs by; leave --until out/);
  });
});
