/** One run of `lockstep reproduce`: found finished, gone on with, or begun. */
import { existsSync, rmSync } from 'node:fs';
import { type Dataset, describeData } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import type { EndEvent, EpochEvent, RunEvent } from '@lockstep/core/events';
import { createFolder } from '@lockstep/core/files';
import { type FoundCheckpoint, findCheckpoint } from '@lockstep/core/state';
import { train } from '../../api/session.js';
import { saveModelState } from '../../settings/weights-file.js';
import type { Occasion } from '../bench/measure/machine.js';
import type { EnergyMeter } from './energy.js';
import {
  checkpointFolder,
  type RunCost,
  type RunIdentity,
  type RunRecord,
  readCost,
  readRecord,
  runFolder,
  weightsPath,
  writeCost,
  writeRecord,
} from './run-record.js';

export interface RunJob {
  readonly identity: RunIdentity;
  readonly recipeName: string;
  readonly dataset: Dataset;
  readonly workers: number;
}

/** Where a run is done, and with what. */
export interface RunPlace {
  /** Folder of all runs. */
  readonly root: string;
  readonly occasion: Occasion;
  /** GFLOP/s that so many workers can do now. */
  readonly peak: (workers: number) => Promise<number>;
  readonly energy: EnergyMeter | undefined;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** Takes a line about what is kept of a run and cannot be used. */
  readonly tell: (text: string) => void;
}

/**
 * The record of a run: from its folder if it is there; else the run is done, from its last checkpoint if it was
 * interrupted, and recorded.
 *
 * @returns undefined when the signal ended it; the same call goes on from there
 */
export async function reproduceRun(job: RunJob, place: RunPlace): Promise<RunRecord | undefined> {
  const folder = runFolder(place.root, job.recipeName, job.identity);
  const finished = readRecord(folder, place.tell);
  if (finished !== undefined) return finished;
  createFolder(folder);
  const checkpoints = checkpointFolder(folder);
  const resume = findUsable(checkpoints);
  const meter = new CostMeter(resume && readCost(folder, place.tell), place.energy);
  const peakGigaflops = await place.peak(job.workers);
  const { model, recipe, seed, steps, until } = job.identity;
  const { dataset, workers } = job;
  const { signal } = place;
  const policy = { folder: checkpoints, keep: 1 };
  const run = { model, recipe, dataset, seed, steps, until, workers, resume, signal, checkpoints: policy };
  const epochs: EpochEvent[] = [...(resume?.checkpoint.info.epochs ?? [])];
  let end: EndEvent | undefined;
  const events = train({ ...run, engine: 'native' });
  for (;;) {
    const next = await events.next();
    if (next.done) {
      if (end === undefined || end.reason === 'interrupted') return undefined;
      saveModelState(weightsPath(folder), model, next.value.state, end.steps, describeData(dataset));
      break;
    }
    const event = next.value;
    if (event.event === 'epoch') epochs.push(event);
    if (event.event === 'checkpoint') writeCost(folder, meter.read());
    if (event.event === 'end') end = event;
    place.onEvent(event);
  }
  const record: RunRecord = {
    model: model.name,
    recipe: job.recipeName,
    seed,
    workers,
    epochs,
    end,
    cost: meter.read(),
    imagesPerSecond: meanRate(epochs),
    peakGigaflops,
    occasion: place.occasion,
    checksum: job.identity.checksum,
  };
  writeRecord(folder, record);
  rmSync(checkpoints, { recursive: true, force: true });
  return record;
}

/** The newest whole checkpoint; undefined when there is none, and the run begins anew. */
function findUsable(folder: string): FoundCheckpoint | undefined {
  if (!existsSync(folder)) return undefined;
  try {
    return findCheckpoint(folder);
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    rmSync(folder, { recursive: true, force: true });
    return undefined;
  }
}

function meanRate(epochs: readonly EpochEvent[]): number {
  const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
  const images = epochs.reduce((sum, epoch) => sum + epoch.seconds * epoch.imagesPerSecond, 0);
  return images / seconds;
}

const MICROSECONDS = 1e6;

/** Seconds, core-seconds and joules from now on, after those of earlier parts. */
class CostMeter {
  readonly #began = performance.now();
  readonly #cpu = process.cpuUsage();
  #joules: number | undefined;

  constructor(
    private readonly before: RunCost | undefined,
    private readonly energy: EnergyMeter | undefined,
  ) {
    energy?.read();
    const isKnown = energy !== undefined && (before === undefined || before.joules !== undefined);
    this.#joules = isKnown ? (before?.joules ?? 0) : undefined;
  }

  read(): RunCost {
    const { user, system } = process.cpuUsage(this.#cpu);
    if (this.#joules !== undefined && this.energy !== undefined) this.#joules += this.energy.read();
    return {
      seconds: (this.before?.seconds ?? 0) + (performance.now() - this.#began) / 1000,
      coreSeconds: (this.before?.coreSeconds ?? 0) + (user + system) / MICROSECONDS,
      joules: this.#joules,
    };
  }
}
