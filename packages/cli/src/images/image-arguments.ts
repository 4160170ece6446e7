/** The images that a command line names: files, folders of files, or `-` for stdin. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanarImage } from '@lockstep/core/data';
import { decodeImage, isImageName, type RawImage } from '@lockstep/core/data/pictures';
import { LockstepError } from '@lockstep/core/errors';
import type { DataReport } from '@lockstep/core/events';
import type { Io } from '../terminal/io.js';

export interface NamedImage {
  /** As given, or the path of a file in a folder; `-` for stdin. */
  readonly name: string;
  readonly image: RawImage;
}

/** An image for a model, in its form. */
export interface AskedImage {
  /** Of its file. */
  readonly name: string;
  /** In a table, counted from 1 without its header. */
  readonly row?: number;
  /** Undefined where no drawing was found. */
  readonly image: PlanarImage | undefined;
  /** What was done to it. */
  readonly changes: readonly string[];
}

/** What a model is asked about. */
export interface Asked {
  readonly asked: readonly AskedImage[];
  /** The pixel value that is white in them. */
  readonly white: number | undefined;
  readonly bad: readonly LockstepError[];
  /** Of a table. */
  readonly report?: DataReport;
}

/** What was read, and what was not: an error for every image that cannot be decoded. */
export interface ReadImages {
  readonly images: readonly NamedImage[];
  readonly bad: readonly LockstepError[];
}

/**
 * Reads all of them, before anything is computed.
 *
 * @param white16 what becomes white of 16-bit images, as the model's notes say
 * @throws LockstepError LOCKSTEP_PREDICT_IMAGE (not there, or a folder without images)
 */
export async function readImageArguments(
  names: readonly string[],
  white16: number | undefined,
  io: Io,
): Promise<ReadImages> {
  const images: NamedImage[] = [];
  const bad: LockstepError[] = [];
  for (const name of names.flatMap(listImages)) {
    const bytes = name === '-' ? await io.readInput() : readImageFile(name);
    try {
      images.push({ name, image: decodeImage(bytes, name === '-' ? 'the image on stdin' : name, white16) });
    } catch (error) {
      if (!(error instanceof LockstepError)) throw error;
      bad.push(error);
    }
  }
  return { images, bad };
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
