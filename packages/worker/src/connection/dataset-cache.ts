/** Datasets that came from a coordinator, kept under their checksum: whole, or what has come of one so far. */
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { createFolder, readWholeFile } from '@lockstep/core/files';
import { countOf } from '@lockstep/core/text';
import { DatasetAssembly, type DatasetHeader, type Held } from '@lockstep/core/wire';

const pathOf = (folder: string, { checksum }: DatasetHeader, ending: 'bin' | 'part'): string =>
  path.join(folder, 'datasets', `${checksum}.${ending}`);

/** A kept dataset; undefined when there is none, or it is damaged, which is told: it comes from the coordinator again. */
export function readCachedDataset(
  folder: string,
  header: DatasetHeader,
  tell: (text: string) => void,
): Dataset | undefined {
  const file = pathOf(folder, header, 'bin');
  const tellDamage = (why: string): void =>
    tell(`${file} cannot be used (${why}); the data come from the coordinator again`);
  try {
    const bytes = readWholeFile(file);
    const assembly = new DatasetAssembly(header);
    assembly.add(0, bytes);
    if (assembly.isComplete) return assembly.finish();
    tellDamage(`it ends after ${countOf(bytes.length, 'byte')}`);
  } catch (error) {
    // simply not there; that a file stands where the folder should be is no reason to stop, see below
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!['ENOENT', 'ENOTDIR'].includes(code)) tellDamage(error instanceof LockstepError ? error.text : message);
  }
  return undefined;
}

/**
 * A dataset on its way. Each piece goes to a file too, at its place, so that a node that is started again has it; several
 * nodes of a machine may write the same pieces to the same file. A full disk is no reason to stop: then what has come
 * stays in memory.
 */
export class DatasetArrival {
  readonly #assembly: DatasetAssembly;
  readonly #path: string;
  #file: number | undefined;

  /**
   * Begins with what has come before.
   *
   * @throws LockstepError LOCKSTEP_NODE_DATA when there is no room for it
   */
  constructor(
    folder: string,
    private readonly header: DatasetHeader,
  ) {
    this.#assembly = new DatasetAssembly(header);
    this.#path = pathOf(folder, header, 'part');
    try {
      createFolder(path.dirname(this.#path));
      this.#file = openSync(this.#path, constants.O_RDWR | constants.O_CREAT);
      // the last byte comes in any case: so the coordinator says whether these are its data
      this.#assembly.add(0, readWholeFile(this.#path).subarray(0, this.#assembly.total - 1));
    } catch {
      this.#drop();
    }
  }

  isOf(header: DatasetHeader): boolean {
    return JSON.stringify(header) === JSON.stringify(this.header);
  }

  get isComplete(): boolean {
    return this.#assembly.isComplete;
  }

  describe(): Held {
    return this.#assembly.describe();
  }

  /** @throws LockstepError LOCKSTEP_NODE_DATA as `DatasetAssembly` has it */
  add(offset: number, piece: Uint8Array): void {
    this.#assembly.add(offset, piece);
    if (this.#file === undefined) return;
    try {
      const written = writeSync(this.#file, piece, 0, piece.length, offset);
      if (written < piece.length) this.#drop();
    } catch {
      this.#drop();
    }
  }

  /**
   * The dataset, which is in the cache from here on.
   *
   * @throws LockstepError LOCKSTEP_NODE_DATA when the checksum is not the announced one; what has come is dropped then
   */
  finish(): Dataset {
    try {
      const dataset = this.#assembly.finish();
      this.#keep();
      return dataset;
    } finally {
      // after it was kept there is none
      this.#drop();
    }
  }

  /** What has come stays in the file. */
  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #keep(): void {
    if (this.#file === undefined) return;
    try {
      ftruncateSync(this.#file, this.#assembly.total);
      fsyncSync(this.#file);
      renameSync(this.#path, this.#path.replace(/part$/, 'bin'));
    } catch {
      // it stays in memory
    }
  }

  #drop(): void {
    this.close();
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // a folder that cannot be written
    }
  }
}
