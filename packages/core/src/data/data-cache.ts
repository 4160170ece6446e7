/**
 * Keeps datasets that took long to read as IDX files, in a folder named by the checksum of what they were read from:
 *
 *     <cache>/data/<SHA-256>/train-images-ubyte, train-labels-ubyte, t10k-..., val-..., dataset.json
 *
 * A folder that is damaged or cannot be written costs a warning and the time to read the data again, never a run.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { LockstepError } from '../errors/errors.js';
import { writeFileAtomically } from '../files/atomic-file.js';
import { readKeptJson } from '../files/kept-json.js';
import { createFolder } from '../files/output-path.js';
import { readWholeFile } from '../files/whole-file.js';
import { allocateSplit, createDataset, type Dataset, type Split } from './dataset/dataset.js';
import { describeSource } from './dataset/own-data.js';
import type { Warn } from './mnist/download.js';
import { pictureRulesSchema } from './pictures/picture-rules.js';
import { encodeIdxImages, encodeIdxLabels, parseIdxImages, parseIdxLabels } from './readers/idx.js';
import type { OnCount } from './readers/image-folder.js';

/** Grows when the same files would give another dataset. */
const FORM = 6;
/** Files hashed at once. */
const READ_AHEAD = 64;

/** A source file: its name within the dataset, and where it is. */
export interface SourceFile {
  readonly name: string;
  readonly path: string;
}

/**
 * SHA-256 (hex) over the names and contents of files, and over everything else that decides the dataset.
 *
 * @throws LockstepError LOCKSTEP_DATA_READ
 */
export async function hashSources(files: readonly SourceFile[], settings: unknown, onCount: OnCount): Promise<string> {
  const hash = createHash('sha256').update(`lockstep data ${FORM} ${JSON.stringify(settings)}\n`);
  for (let from = 0; from < files.length; from += READ_AHEAD) {
    const some = files.slice(from, from + READ_AHEAD);
    const digests = await Promise.all(some.map(({ path }) => hashFile(path)));
    some.forEach(({ name }, index) => {
      hash.update(`${JSON.stringify(name)} ${digests[index]}\n`);
    });
    onCount(from + some.length, files.length);
  }
  return hash.digest('hex');
}

async function hashFile(path: string): Promise<string> {
  const hash: Hash = createHash('sha256');
  try {
    // Of thousands of small files each takes a fraction of what a promise for it costs.
    if (statSync(path).size < 1 << 20) return hash.update(readFileSync(path)).digest('hex');
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
    return hash.digest('hex');
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_DATA_READ',
      `cannot read ${path} (${(error as NodeJS.ErrnoException).code}). Check that it is a file and that you may read it.`,
      { cause: error },
    );
  }
}

const notesSchema = z.object({
  classNames: z.array(z.string()),
  mean: z.array(z.number()),
  std: z.array(z.number()),
  heldOut: z.int().optional(),
  pictures: pictureRulesSchema.optional(),
  reading: z.object({
    form: z.string(),
    labels: z.string(),
    pieces: z.array(z.object({ of: z.string(), count: z.int() })).optional(),
    hasValidation: z.boolean().optional(),
  }),
  notes: z
    .array(
      z.object({
        kind: z.enum(['guessed', 'left-out', 'warning']),
        text: z.string(),
        flag: z.string().optional(),
        count: z.int().optional(),
      }),
    )
    .optional(),
  checksum: z.string(),
});

/** The dataset in `folder`, read from `origin` once; undefined when there is none, with a warning when it is damaged. */
export function readCachedDataset(folder: string, origin: string, onWarning: Warn): Dataset | undefined {
  const path = join(folder, NOTES);
  const kept = readKeptJson(path, notesSchema, (fault) => warn(onWarning, `${path} ${fault}; it is written anew.`));
  if (kept === undefined) return undefined;
  try {
    const { checksum, heldOut, notes: told, ...notes } = kept;
    const [train, test] = [readSplit(folder, 'train'), readSplit(folder, 't10k')];
    const { channels, height, width } = train;
    const classes = notes.classNames.length;
    const dataset = createDataset({
      name: basename(resolve(origin)),
      source: describeSource(train.split, test.split, origin),
      ...notes,
      ...(heldOut === undefined ? {} : { heldOut }),
      ...(told && { notes: told }),
      channels,
      height,
      width,
      classes,
      train: train.split,
      validation: notes.reading.hasValidation ? readSplit(folder, 'val').split : allocateSplit(0, 0),
      test: test.split,
    });
    if (dataset.checksum === checksum) return dataset;
    warn(onWarning, `${folder} does not have the checksum that it was written with; it is written anew.`);
  } catch (error) {
    warn(onWarning, `the cached data in ${folder} cannot be used (${(error as Error).message}); it is written anew.`);
  }
  return undefined;
}

const NOTES = 'dataset.json';

type Stem = 'train' | 't10k' | 'val';

function readSplit(folder: string, stem: Stem) {
  const [imagesPath, labelsPath] = [`${stem}-images-ubyte`, `${stem}-labels-ubyte`].map((name) => join(folder, name));
  const images = parseIdxImages(readWholeFile(imagesPath as string), imagesPath as string);
  const labels = parseIdxLabels(readWholeFile(labelsPath as string), labelsPath as string);
  const split = allocateSplit(images.count, images.pixels.length / images.count);
  split.images.set(images.pixels);
  split.labels.set(labels);
  return { ...images, split };
}

/** Writes a dataset; its notes come last, so that a folder with notes is complete. */
export function writeCachedDataset(folder: string, dataset: Dataset, onWarning: Warn): void {
  const { classNames, mean, std, heldOut, pictures, reading, notes, checksum } = dataset;
  try {
    createFolder(folder);
    writeSplit(folder, 'train', dataset, dataset.train);
    writeSplit(folder, 't10k', dataset, dataset.test);
    if (dataset.validation.count > 0) writeSplit(folder, 'val', dataset, dataset.validation);
    const text = `${JSON.stringify({ classNames, mean, std, heldOut, pictures, reading, notes, checksum })}\n`;
    writeFileAtomically(join(folder, NOTES), [new TextEncoder().encode(text)]);
  } catch (error) {
    warn(onWarning, `the data cannot be kept in ${folder} (${(error as Error).message}); it is read again next time.`);
  }
}

function writeSplit(folder: string, stem: Stem, { channels, height, width }: Dataset, split: Split): void {
  const images = encodeIdxImages({ count: split.count, channels, height, width, pixels: split.images });
  writeFileAtomically(join(folder, `${stem}-images-ubyte`), [images]);
  writeFileAtomically(join(folder, `${stem}-labels-ubyte`), [encodeIdxLabels(split.labels)]);
}

const warn = (onWarning: Warn, message: string): void => onWarning({ code: 'LOCKSTEP_DATA_CACHE', message });
