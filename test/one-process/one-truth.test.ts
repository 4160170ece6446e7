/** Terminal, page and report of one run say the same numbers under the same names, after Stop too. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { train } from '../../packages/cli/dist/api/session.js';
import { createPrinter } from '../../packages/cli/dist/terminal/run-printer.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { holdOutValidation } from '../../packages/core/dist/data/index.js';
import type { ProgressEvent } from '../../packages/core/dist/events/index.js';
import { RunControl } from '../../packages/core/dist/seams/index.js';
import { recipeSchema } from '../../packages/core/dist/spec/index.js';
import { formatLoss } from '../../packages/core/dist/text/index.js';
import {
  Chronicler,
  describeMoment,
  describeResult,
  nameOfPhase,
  percentOf,
  readNow,
} from '../../packages/watch/dist/chronicle/index.js';
import { RunFolder } from '../../packages/watch/dist/files/index.js';
import { ReportFolder } from '../../packages/watch/dist/report/report-folder.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_STEPS_PER_EPOCH, smallModel, smallRecipe } from '../support/small-run.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-one-truth-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Text of an HTML page as a reader sees it. */
const readText = (file: string): string =>
  readFileSync(file, 'utf8')
    .replace(/<style>[\s\S]*?<\/style>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');

describe('a run of two epochs and some steps, stopped as by the button of the page', async () => {
  const control = new RunControl();
  const io = new RecordingIo({ stderrIsTTY: true, stdoutIsTTY: true });
  io.stderr.columns = 120;
  const printer = createPrinter({ json: false, quiet: false }, io);
  const chronicler = new Chronicler({ startedAt: new Date(0).toISOString(), now: () => performance.now() });
  const commandOf = (path: string): string => `lockstep train --config ${path}`;
  const dataset = holdOutValidation(await cutSample(250, 400), 50);
  const recipe = recipeSchema.parse({ ...smallRecipe, ema: 0.9 });
  const observers = [chronicler, new ReportFolder(RunFolder.at(folder), chronicler, commandOf)];
  let last: ProgressEvent | undefined;
  const request = {
    model: smallModel,
    recipe,
    dataset,
    seed: 1,
    workers: 2,
    engine: 'native' as const,
    observers,
    control,
  };
  for await (const event of train(request)) {
    printer.print(event);
    if (event.event === 'progress') {
      last = event;
      if (event.epoch > 2 && event.step > 0) control.stop();
    }
    // a step at a time from here on, so that the run is stopped inside an epoch
    if (event.event === 'epoch' && event.epoch === 2) control.pause();
    if (event.event === 'paused') control.resume();
    if (event.event === 'resumed') control.pause();
  }
  printer.finish(undefined);
  const { chronicle } = chronicler;
  const result = describeResult(chronicle);
  const report = readText(path.join(folder, 'report.html'));

  it('says in the report which command does the run again, by the run.json beside it', () => {
    expect(report).toContain(`The same run again ${commandOf(folder)} `);
  });

  it('cases: work 24: ends with the same sentence and the same results on all three', () => {
    expect(chronicle.status.committed % SMALL_STEPS_PER_EPOCH).not.toBe(0);
    expect(result?.ending).toMatch(/^Stopped on request: small: 2 epochs, \d+ steps in /);
    const lines = [result?.ending, ...(result?.results ?? []).map(([name, value]) => `${name}: ${value}`)];
    expect(io.stdout.lines.slice(-lines.length)).toEqual(lines);
    expect(report).toContain(result?.ending);
    for (const [name, value] of result?.results ?? []) expect(report).toContain(`${name} ${value}`);
    expect(result?.results.map(([name]) => name)).toEqual([
      'Parameters SHA-256',
      'Moving average',
      'Validation accuracy',
      'Test accuracy',
    ]);
  });

  it('cases: work 24: shows one accuracy, one loss, and where the run was stopped', () => {
    const now = readNow(chronicle);
    expect(now.test).toEqual(chronicle.status.end?.test);
    expect(now.trainLoss).toBe(last?.trainLoss);
    expect(chronicle.status.step).toBe(last?.step);
    // the bar that was left standing
    expect(io.stderr.text).toContain(
      `loss=${formatLoss(now.trainLoss)} accuracy=${percentOf(now.trainAccuracy).slice(0, -1)}`,
    );
    expect(report).toContain(`Training loss ${formatLoss(now.trainLoss)} in epoch 3`);
    const { step } = chronicle.status;
    expect(describeMoment(chronicle.judgement ?? { epoch: 0 })).toBe(
      `2 epochs and ${step} step${step === 1 ? '' : 's'}`,
    );
  });

  it('cases: work 24: calls a stopped run stopped, and nobody still working', () => {
    expect(nameOfPhase(chronicle.status)).toBe('Stopped');
    expect(report).toContain('A run of Lockstep: Stopped');
    expect(chronicle.crew.map(({ state }) => state)).toEqual(['done', 'done']);
  });

  it('cases: work 24: marks the best epoch in the report, and has its recipe in words', () => {
    expect(report.match(/% best/g)).toHaveLength(1);
    expect(report).toMatch(/best (?:of whole epochs )?\d+\/400 \(\d+\.\d\d%\) in epoch [12]/);
    expect(report).not.toContain('{"');
    expect(report).toContain('augmentation rotation 10');
  });
});
