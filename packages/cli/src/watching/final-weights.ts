/**
 * Writes the weights when a run is over. What was cut short replaces no file that is there; a disk that is full is waited
 * for, and then another place is taken: the weights are lost only when no place takes them.
 */
import { existsSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, parse } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DataNotes } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { createFolder, findCacheFolder } from '@lockstep/core/files';
import type { ModelSpec } from '@lockstep/core/spec';
import { type RunFolder, weightsFiles } from '@lockstep/watch/files';
import { saveModelState } from '../settings/weights-file.js';
import type { BestWeights, Kept } from './best-weights.js';

/** Before a full disk is tried again. */
const WAITS_MS = [1000, 2000, 4000];

export interface FinalWeights {
  readonly model: ModelSpec;
  readonly notes: DataNotes;
  /** After the last step. */
  readonly last: Kept;
  /** Their moving average. */
  readonly average?: Kept | undefined;
  /** Whether the run was interrupted or stopped. */
  readonly isCutShort: boolean;
}

export interface Places {
  /** Takes the best and the last weights. */
  readonly folder?: RunFolder | undefined;
  readonly best?: BestWeights | undefined;
  /** Files that a person has named. */
  readonly save?: string | undefined;
  readonly saveEma?: string | undefined;
}

export interface Surroundings {
  /** Takes lines for the person at the terminal. */
  readonly tell: (line: string) => void;
  /** Ends the waiting for a full disk. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Saved {
  /** Where the weights are, in words; undefined where none were to be written. */
  readonly place?: string | undefined;
  /** Of weights that no place took. */
  readonly failure?: unknown;
}

/** Writes all that is asked for. */
export async function saveFinalWeights(weights: FinalWeights, places: Places, around: Surroundings): Promise<Saved> {
  const saver = new Saver(weights, around);
  const said: string[] = [];
  try {
    const { folder, best, save, saveEma } = places;
    if (folder !== undefined) said.push(await saver.saveFolder(folder, best));
    if (save !== undefined) said.push(await saver.saveFile(save, weights.last));
    if (saveEma !== undefined && weights.average) await saver.saveFile(saveEma, weights.average);
    return { place: said.length > 0 ? said.join(' and ') : undefined };
  } catch (failure) {
    return { failure };
  }
}

class Saver {
  #hasWaited = false;
  #refuge: string | undefined;

  constructor(
    private readonly weights: FinalWeights,
    private readonly around: Surroundings,
  ) {}

  /** @returns the folder where they are */
  async saveFolder(folder: RunFolder, best: BestWeights | undefined): Promise<string> {
    const path = this.#makeFolder(folder);
    const bestPath = join(path, weightsFiles.best);
    const places = [await this.#write(join(path, weightsFiles.last), this.weights.last)];
    // without an epoch to judge, the last are the best
    const missing = best?.unsaved ?? (existsSync(bestPath) ? undefined : this.weights.last);
    if (missing !== undefined) places.push(await this.#write(bestPath, missing));
    return this.#refuge !== undefined && places.some((place) => place.startsWith(this.#refuge as string))
      ? places.join(' and ')
      : path;
  }

  /** @returns its path; where it cannot be made, the one that it was to have, in which every write fails and goes elsewhere */
  #makeFolder(folder: RunFolder): string {
    try {
      return folder.make();
    } catch {
      return folder.path ?? folder.wanted;
    }
  }

  /** @returns where they are */
  async saveFile(path: string, kept: Kept): Promise<string> {
    if (!this.weights.isCutShort || !statSync(path, { throwIfNoEntry: false })?.isFile()) {
      return await this.#write(path, kept);
    }
    const { dir, name, ext } = parse(path);
    const beside = join(dir, `${name}-step-${kept.steps}${ext}`);
    this.around.tell(`${path} stays as it was, since this run was cut short; its weights are in ${beside}`);
    return await this.#write(beside, kept);
  }

  /** @returns where they are: another place where this one cannot be had */
  async #write(path: string, kept: Kept): Promise<string> {
    try {
      await this.#tryAgain(path, kept);
      return path;
    } catch (failure) {
      if (!(failure instanceof LockstepError)) throw failure;
      for (const base of [findCacheFolder(this.around.env), tmpdir()]) {
        const place = this.#tryRefuge(base, basename(path), kept);
        if (place === undefined) continue;
        this.around.tell(`warning: ${failure.code}: ${failure.text} They are in ${place} now; move them from there.`);
        return place;
      }
      throw failure;
    }
  }

  async #tryAgain(path: string, kept: Kept): Promise<void> {
    const waits = this.#hasWaited ? [] : WAITS_MS;
    for (const waitMs of [...waits, undefined]) {
      try {
        this.#save(path, kept);
        return;
      } catch (failure) {
        if (waitMs === undefined || !isFull(failure) || this.around.signal.aborted) throw failure;
        if (!this.#hasWaited) this.around.tell(`No room for ${path}: trying again for 7 s; make some, or wait.`);
        this.#hasWaited = true;
        await delay(waitMs, undefined, { signal: this.around.signal }).catch(() => {});
      }
    }
  }

  /** @returns the path, undefined where that cannot be had either */
  #tryRefuge(base: string, name: string, kept: Kept): string | undefined {
    try {
      if (this.#refuge === undefined) {
        createFolder(base);
        this.#refuge = mkdtempSync(join(base, 'weights-'));
      }
      const path = join(this.#refuge, name);
      this.#save(path, kept);
      return path;
    } catch {
      this.#refuge = undefined;
      return undefined;
    }
  }

  #save(path: string, { state, steps }: Kept): void {
    const { model, notes } = this.weights;
    saveModelState(path, model, state, steps, notes);
  }
}

const isFull = (failure: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes(((failure as Error).cause as NodeJS.ErrnoException | undefined)?.code ?? '');
