/**
 * The folder of a run, which is never used for another one: `runs/tiny6k-seed1`, or `runs/tiny6k-seed1-2` where that name
 * is taken. It is made when there is something to keep, so that a run which comes to nothing leaves nothing.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { createFolder, writeFileAtomically } from '@lockstep/core/files';
import { LATEST_PATH, RUNS_FOLDER } from './find-run.js';

export class RunFolder {
  #path: string | undefined;

  /** @param wanted its path, to which a number is added when that is taken */
  constructor(readonly wanted: string) {}

  /** One that a person has named, or that a resumed run goes on with; it may be there. */
  static at(path: string): RunFolder {
    const folder = new RunFolder(path);
    folder.#path = path;
    return folder;
  }

  /** Undefined until it is made. */
  get path(): string | undefined {
    return this.#path;
  }

  /** The path that it has, or would have if it were made now. */
  get next(): string {
    let number = 1;
    while (existsSync(this.#numbered(number))) number++;
    return this.#path ?? this.#numbered(number);
  }

  /** Makes it, once, and notes it as the latest. Throws what node:fs throws. @returns its path */
  make(): string {
    if (this.#path !== undefined) return this.#path;
    createFolder(dirname(this.wanted));
    for (let number = 1; this.#path === undefined; number++) {
      const path = this.#numbered(number);
      if (tryMake(path)) this.#path = path;
    }
    this.noteLatest();
    return this.#path;
  }

  #numbered(number: number): string {
    return number === 1 ? this.wanted : `${this.wanted}-${number}`;
  }

  /** Writes its name to `runs/latest`, if it lies there. */
  noteLatest(): void {
    const path = this.#path;
    if (path === undefined || resolve(dirname(path)) !== resolve(RUNS_FOLDER)) return;
    writeFileAtomically(LATEST_PATH, [Buffer.from(`${basename(path)}\n`)]);
  }
}

/** @returns false when something has that name */
function tryMake(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
