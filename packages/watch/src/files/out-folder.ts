/**
 * The folder of `--out`: what a run was, for whoever opens it later. run.json is written at the start, events.jsonl grows,
 * history.csv is written anew after each epoch, so that a resumed run has every epoch once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import type { EpochEvent, RunEvent } from '@lockstep/core/events';
import { LOCKSTEP_VERSION, writeFileAtomically } from '@lockstep/core/files';
import type { RunObserver, RunView } from '@lockstep/core/seams';
import { committedSteps } from './earlier-lines.js';
import { FileSink } from './file-sink.js';
import { formatHistory } from './history-csv.js';

/** Changes when a reader of an older folder would be misled. */
export const OUT_FORMAT = 1;

export const outFiles = { run: 'run.json', events: 'events.jsonl', history: 'history.csv' } as const;

/** Between two `progress` lines. */
const PROGRESS_MS = 1000;

/**
 * @param resumedStep where the run goes on: its lines follow those that are there up to this step
 * @param tell takes a line about those after it
 * @throws LockstepError LOCKSTEP_OUT_EXISTS for the folder of another run, LOCKSTEP_SAVE_PATH
 */
export async function openOutFolder(
  folder: string,
  resumedStep: number | undefined,
  tell: (line: string) => void,
): Promise<RunObserver> {
  const path = join(folder, outFiles.events);
  if (resumedStep === undefined && existsSync(path)) {
    throw new LockstepError(
      'LOCKSTEP_OUT_EXISTS',
      `${folder} already holds a run. Choose another --out folder, or go on with that run by --resume.`,
    );
  }
  const events = await FileSink.open(path, '--out', { resumedStep, tell });
  return new OutFolder(folder, events, resumedStep);
}

class OutFolder implements RunObserver {
  readonly name: string;
  #epochs: EpochEvent[] = [];
  #stepsPerEpoch = 1;
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly folder: string,
    private readonly events: FileSink,
    private readonly resumedStep: number | undefined,
  ) {
    this.name = `--out ${folder}`;
  }

  begin(view: RunView): void {
    this.#epochs = [...view.history];
    this.#stepsPerEpoch = view.stepsPerEpoch;
    this.#write(outFiles.run, `${JSON.stringify(describeRun(view), null, 2)}\n`);
    this.#writeHistory();
  }

  onEvent(event: RunEvent): void {
    if (event.event === 'progress') {
      if (committedSteps({ ...event }, event.stepsPerEpoch) === this.resumedStep) return;
      const nowMs = performance.now();
      if (nowMs - this.#lastProgressMs < PROGRESS_MS) return;
      this.#lastProgressMs = nowMs;
    }
    this.#note(event);
    if (event.event !== 'epoch') return;
    this.#epochs.push(event);
    this.#writeHistory();
  }

  onFailed(error: unknown): void {
    const { message } = error as Error;
    this.#note({ event: 'failed', ...(error instanceof LockstepError && { code: error.code }), message });
  }

  async close(): Promise<void> {
    await this.events.close();
  }

  #note(line: object): void {
    this.events.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
  }

  #writeHistory(): void {
    this.#write(outFiles.history, formatHistory(this.#epochs, this.#stepsPerEpoch));
  }

  #write(name: string, text: string): void {
    writeFileAtomically(join(this.folder, name), [Buffer.from(text)]);
  }
}

function describeRun({ model, recipe, seed, workers, engine, dataset, stepsPerEpoch }: RunView) {
  const { name, source, checksum, channels, height, width, classes, classNames, mean, std } = dataset;
  const [train, validation, test] = [dataset.train.count, dataset.validation.count, dataset.test.count];
  return {
    format: OUT_FORMAT,
    version: LOCKSTEP_VERSION,
    model,
    recipe,
    seed,
    workers,
    engine,
    stepsPerEpoch,
    dataset: {
      ...{ name, source, checksum, train, validation, test, channels, height, width, classes, mean, std },
      ...(classNames && { classNames }),
    },
  };
}
