/** Datasets that came from a coordinator, kept under their checksum. */
import path from 'node:path';
import type { Dataset } from '@lockstep/core/data';
import { LockstepError } from '@lockstep/core/errors';
import { createFolder, readWholeFile, writeFileAtomically } from '@lockstep/core/files';
import { countOf } from '@lockstep/core/text';
import { cutDataset, DatasetAssembly, type DatasetHeader, MAX_PAYLOAD_BYTES } from '@lockstep/core/wire';

const pathOf = (folder: string, checksum: string): string => path.join(folder, 'datasets', `${checksum}.bin`);

/** A kept dataset; undefined when there is none, or it is damaged, which is told: it comes from the coordinator again. */
export function readCachedDataset(
  folder: string,
  header: DatasetHeader,
  tell: (text: string) => void,
): Dataset | undefined {
  const file = pathOf(folder, header.checksum);
  const tellDamage = (why: string): void =>
    tell(`${file} cannot be used (${why}); the data come from the coordinator again`);
  try {
    const bytes = readWholeFile(file);
    const assembly = new DatasetAssembly(header);
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(MAX_PAYLOAD_BYTES, bytes.length - at, assembly.room);
      assembly.add(bytes.subarray(at, at + size));
      at += size;
    }
    if (assembly.isComplete) return assembly.finish();
    tellDamage(`it ends after ${countOf(bytes.length, 'byte')}`);
  } catch (error) {
    // simply not there; that a file stands where the folder should be is no reason to stop, see below
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!['ENOENT', 'ENOTDIR'].includes(code)) tellDamage(error instanceof LockstepError ? error.text : message);
  }
  return undefined;
}

/** Keeps a dataset. A full disk is no reason to stop: it will only travel again. */
export function cacheDataset(folder: string, dataset: Dataset): void {
  try {
    createFolder(path.join(folder, 'datasets'));
    writeFileAtomically(pathOf(folder, dataset.checksum), [...cutDataset(dataset)]);
  } catch {
    // it stays in memory
  }
}
