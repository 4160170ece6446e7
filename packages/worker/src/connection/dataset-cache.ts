/** Datasets that came from a coordinator, kept under their checksum. */
import path from 'node:path';
import type { Dataset } from '@lockstep/core/data';
import { createFolder, readWholeFile, writeFileAtomically } from '@lockstep/core/files';
import { cutDataset, DatasetAssembly, type DatasetHeader, MAX_PAYLOAD_BYTES } from '@lockstep/core/wire';

const pathOf = (folder: string, checksum: string): string => path.join(folder, 'datasets', `${checksum}.bin`);

/** A kept dataset; undefined when there is none, or it is damaged. */
export function readCachedDataset(folder: string, header: DatasetHeader): Dataset | undefined {
  try {
    const bytes = readWholeFile(pathOf(folder, header.checksum));
    const assembly = new DatasetAssembly(header);
    for (let at = 0; at < bytes.length; ) {
      const size = Math.min(MAX_PAYLOAD_BYTES, bytes.length - at, assembly.room);
      assembly.add(bytes.subarray(at, at + size));
      at += size;
    }
    return assembly.isComplete ? assembly.finish() : undefined;
  } catch {
    return undefined;
  }
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
