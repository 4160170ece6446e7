/** Reads the pictures of a folder with a folder for each class, as `listImageFolder` found them. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import type { Reading } from '../dataset/dataset.js';
import type { LabelledImages, OwnData } from '../dataset/own-data.js';
import { type RawImage, WHITE_16 } from '../pictures/formats/raw-image.js';
import { decodeImage, joinImageErrors } from '../pictures/image-file.js';
import { type PictureRules, RuleFinder } from '../pictures/picture-rules.js';
import { isTransparent, toPlanar } from '../pictures/planar-image.js';
import { type ClassFile, countEndings, type ImageFolder } from './folder-list.js';
import { ImageList, type ImageSize } from './image-list.js';

/** What images are brought to. */
export interface ImageForm {
  readonly resize?: ImageSize | undefined;
  /** 1 or 3; default: 3 if any image has colours. */
  readonly channels?: number | undefined;
  /** What files leave open, where a model has decided it; default: by the training part. */
  readonly pictures?: PictureRules | undefined;
}

/** Called from time to time while files are read. */
export type OnCount = (done: number, total: number) => void;

/** Files between two reports. */
const REPORT_EVERY = 64;

/** Decodes every image of a folder. @throws LockstepError LOCKSTEP_DATA_IMAGE, _SHAPE, _READ naming the file */
export async function readImageFolder(folder: ImageFolder, form: ImageForm, onCount: OnCount): Promise<OwnData> {
  const { directory, parts } = folder;
  const total = Object.values(parts).reduce((sum, files) => sum + (files?.length ?? 0), 0);
  let before = 0;
  const read = (files: readonly ClassFile[], rules: PictureRules, finder?: RuleFinder): LabelledImages => {
    const images = readFiles(files, { ...form, pictures: rules }, finder, (done) => onCount(before + done, total));
    before += files.length;
    return images;
  };
  const finder = new RuleFinder();
  const assumed = { ...ASSUMED, ...form.pictures };
  let train = read(parts.train, assumed, finder);
  const rules = { ...finder.decide(), ...form.pictures };
  const used = { ...assumed, ...rules };
  if (used.under !== assumed.under || used.white16 !== assumed.white16) {
    before = 0;
    train = read(parts.train, used);
  }
  const test = parts.test && read(parts.test, used);
  const validation = parts.validation && read(parts.validation, used);
  const widest = Math.max(...[train, test, validation].map((images) => images?.channels ?? 0));
  const notes = finder.describe(used);
  return {
    name: basename(resolve(directory)),
    origin: directory,
    isNamed: true,
    reading: describeReading(folder),
    train: repeatChannels(train, widest),
    test: test && repeatChannels(test, widest),
    validation: validation && repeatChannels(validation, widest),
    ...(Object.keys(rules).length > 0 && { pictures: rules }),
    ...(notes.length > 0 && { notes }),
  };
}

function describeReading({ parts }: ImageFolder): Reading {
  const files = Object.values(parts).flatMap((part) => part ?? []);
  const endings = [...countEndings(files.map(({ path }) => path))];
  return {
    form: 'pictures in a folder for each class',
    labels: 'the names of the folders',
    pieces: endings.map(([ending, count]) => ({ of: `${ending} files`, count })),
  };
}

/** Read so first: right for nearly all pictures, else the training part is read again. */
const ASSUMED = { under: 255, white16: WHITE_16 };

/** @throws LockstepError LOCKSTEP_DATA_IMAGE naming all files that cannot be decoded */
function readFiles(
  files: readonly ClassFile[],
  { resize, channels, pictures }: ImageForm,
  finder: RuleFinder | undefined,
  onDone: (done: number) => void,
): LabelledImages {
  const list = new ImageList(files.length, resize, channels);
  const bad: LockstepError[] = [];
  files.forEach(({ path, className }, index) => {
    const raw = decodeOrKeep(path, pictures?.white16, bad);
    // what comes after a bad file is only looked at for others
    if (raw !== undefined && bad.length === 0) {
      finder?.add(raw, isTransparent(raw));
      list.add(toPlanar(raw, pictures?.under), className, path);
    }
    if ((index + 1) % REPORT_EVERY === 0) onDone(index + 1);
  });
  if (bad.length > 0) throw joinImageErrors(bad);
  onDone(files.length);
  return list.finish();
}

function decodeOrKeep(path: string, white16: number | undefined, bad: LockstepError[]): RawImage | undefined {
  const bytes = readBytes(path);
  try {
    return decodeImage(bytes, path, white16);
  } catch (error) {
    if (!(error instanceof LockstepError)) throw error;
    bad.push(error);
    return undefined;
  }
}

function readBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new LockstepError(
      'LOCKSTEP_DATA_READ',
      `cannot read ${path} (${(error as NodeJS.ErrnoException).code}). Check that it is a file and that you may read it.`,
      { cause: error },
    );
  }
}

/** Where only one of the two sets has colours, the other gets as many channels. */
function repeatChannels(images: LabelledImages, channels: number): LabelledImages {
  if (images.channels === channels) return images;
  const plane = images.height * images.width;
  const repeated = new Uint8Array(images.labels.length * channels * plane);
  for (let i = 0; i < images.labels.length * channels; i++) {
    const n = Math.floor(i / channels);
    repeated.set(images.images.subarray(n * plane, (n + 1) * plane), i * plane);
  }
  return { ...images, channels, images: repeated };
}
