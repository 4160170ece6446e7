/** The images that a command line names: files, folders of files, or `-` for stdin. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanarImage } from '@lockstep/core/data';
import {
  decodeImage,
  isImageName,
  isUnreadImageName,
  KINDS_AND,
  KINDS_OR,
  type RawImage,
} from '@lockstep/core/data/pictures';
import { LockstepError } from '@lockstep/core/errors';
import type { DataReport } from '@lockstep/core/events';
import { countOf } from '@lockstep/core/text';
import { type Io, tellNote } from '../terminal/io.js';

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
  for (const name of names.flatMap((named) => listImages(named, io))) {
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

/** What is named, or the pictures of a folder; those of kinds that are not read are told. */
function listImages(name: string, io: Io): string[] {
  if (name === '-' || !statSync(name, { throwIfNoEntry: false })?.isDirectory()) return [name];
  const entries = readdirSync(name, { withFileTypes: true }).filter((entry) => !entry.name.startsWith('.'));
  const names = entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
  const files = names.filter(isImageName).map((file) => join(name, file));
  const unread = names.filter(isUnreadImageName).sort();
  const instead = `${unread.slice(0, 3).join(', ')}${unread.length > 3 ? ', ...' : ''}`;
  if (files.length === 0) {
    const found = unread.length === 0 ? '' : `; ${instead}: other kinds are not read`;
    throw new LockstepError('LOCKSTEP_PREDICT_IMAGE', `the folder ${name} has no ${KINDS_OR} image in it${found}.`);
  }
  if (unread.length > 0) {
    tellNote(io, `${countOf(unread.length, 'picture')} of ${name} left out: ${instead}; ${KINDS_AND} images are read`);
  }
  return files.sort();
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
