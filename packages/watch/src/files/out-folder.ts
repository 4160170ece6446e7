/**
 * What a run was, in its folder, for whoever opens it later. run.json is written at the start, events.jsonl grows,
 * history.csv is written anew after each epoch, so that a resumed run has every epoch once.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { LockstepError } from '@lockstep/core/errors';
import { type EpochEvent, followEpochs, type RunEvent } from '@lockstep/core/events';
import { writeFileAtomically } from '@lockstep/core/files';
import type { RunObserver, RunView } from '@lockstep/core/seams';
import { committedSteps } from './earlier-lines.js';
import { FileSink } from './file-sink.js';
import { formatHistory } from './history-csv.js';
import { outFiles } from './out-files.js';
import { describeRun } from './run-file.js';
import { RunFolder } from './run-folder.js';

/** Between two `progress` lines. */
const PROGRESS_MS = 1000;

/**
 * Opens a folder that is named before the run begins.
 *
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
      `${folder} already holds a run. Choose another --out folder, or go on with that run by --resume and the folder that it wrote with --checkpoint.`,
    );
  }
  const events = await FileSink.open(path, '--out', { resumedStep, tell });
  return new OutFolder(RunFolder.at(folder), resumedStep, events);
}

/**
 * @param folder is made when steps of this process are committed; what happens before is kept until then
 * @param resumedStep where the run goes on
 */
export const createOutFolder = (folder: RunFolder, resumedStep: number | undefined): RunObserver =>
  new OutFolder(folder, resumedStep);

class OutFolder implements RunObserver {
  readonly name: string;
  #view: RunView | undefined;
  /** Lines from before the folder was made. */
  readonly #kept: string[] = [];
  readonly #epochs: EpochEvent[] = [];
  #stepsPerEpoch = 1;
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly folder: RunFolder,
    private readonly resumedStep: number | undefined,
    private events?: FileSink,
  ) {
    this.name = folder.path === undefined ? "the run's folder" : `--out ${folder.path}`;
  }

  begin(view: RunView): void {
    this.#view = view;
    this.#epochs.push(...view.history);
    this.#stepsPerEpoch = view.stepsPerEpoch;
    if (this.events === undefined) return;
    this.folder.noteLatest();
    this.#writeStart();
  }

  onEvent(event: RunEvent): void {
    if (this.events === undefined && this.#hasProgressed(event)) this.#make();
    if (event.event === 'progress') {
      if (committedSteps({ ...event }, event.stepsPerEpoch) === this.resumedStep) return;
      const nowMs = performance.now();
      if (nowMs - this.#lastProgressMs < PROGRESS_MS) return;
      this.#lastProgressMs = nowMs;
    }
    this.#note(event);
    if (followEpochs(this.#epochs, event)) this.#writeHistory();
  }

  onFailed(error: unknown): void {
    const { message } = error as Error;
    this.#note({ event: 'failed', ...(error instanceof LockstepError && { code: error.code }), message });
  }

  async close(): Promise<void> {
    await this.events?.close();
  }

  #hasProgressed(event: RunEvent): boolean {
    if (event.event === 'end') return true;
    if (event.event !== 'progress' && event.event !== 'epoch') return false;
    return committedSteps({ ...event }, this.#stepsPerEpoch) > (this.resumedStep ?? 0);
  }

  #make(): void {
    this.events = FileSink.create(join(this.folder.make(), outFiles.events));
    this.#writeStart();
    for (const line of this.#kept.splice(0)) this.events.write(line);
  }

  #writeStart(): void {
    if (this.#view) this.#write(outFiles.run, `${JSON.stringify(describeRun(this.#view), null, 2)}\n`);
    this.#writeHistory();
  }

  #note(line: object): void {
    const text = `${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`;
    if (this.events === undefined) this.#kept.push(text);
    else this.events.write(text);
  }

  #writeHistory(): void {
    this.#write(outFiles.history, formatHistory(this.#epochs, this.#stepsPerEpoch));
  }

  #write(name: string, text: string): void {
    writeFileAtomically(join(this.folder.make(), name), [Buffer.from(text)]);
  }
}
