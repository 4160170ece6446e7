/** The images that a command line names: files, folders of files, or `-` for stdin. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage, isImageName, type RawImage } from '@lockstep/core/data/pictures';
import { LockstepError } from '@lockstep/core/errors';
import type { Io } from '../terminal/io.js';

export interface NamedImage {
  /** As given, or the path of a file in a folder; `-` for stdin. */
  readonly name: string;
  readonly image: RawImage;
}

/**
 * Reads all of them, before anything is computed.
 *
 * @throws LockstepError LOCKSTEP_PREDICT_IMAGE (not there, or a folder without images), LOCKSTEP_DATA_IMAGE (cannot be
 *   decoded)
 */
export async function readImageArguments(names: readonly string[], io: Io): Promise<NamedImage[]> {
  const images: NamedImage[] = [];
  for (const name of names.flatMap(listImages)) {
    const bytes = name === '-' ? await io.readInput() : readImageFile(name);
    images.push({ name, image: decodeImage(bytes, name === '-' ? 'the image on stdin' : name) });
  }
  return images;
}

function listImages(name: string): string[] {
  if (name === '-' || !statSync(name, { throwIfNoEntry: false })?.isDirectory()) return [name];
  const entries = readdirSync(name, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.'));
  const files = entries
    .filter((entry) => entry.isFile() && isImageName(entry.name))
    .map((entry) => join(name, entry.name))
    .sort();
  if (files.length > 0) return files;
  throw new LockstepError('LOCKSTEP_PREDICT_IMAGE', `the folder ${name} has no .png, .jpg or .jpeg file in it.`);
}

function readImageFile(name: string): Uint8Array {
  try {
    return readFileSync(name);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'there is no such file' : message;
    throw new LockstepError('LOCKSTEP_PREDICT_IMAGE', `cannot read the image ${name}: ${reason}.`, { cause: error });
  }
}
