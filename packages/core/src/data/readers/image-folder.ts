/** A folder with a folder of PNG and JPEG files for each class, directly or under train/ and test/. */
import { readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import type { LabelledImages, OwnData } from '../own-data.js';
import { decodeImage, isImageName } from '../pictures/image-file.js';
import { toPlanar } from '../planar-image.js';
import { ImageList, type ImageSize } from './image-list.js';

/** An image file, and the class whose folder it is in. */
export interface ClassFile {
  readonly path: string;
  readonly className: string;
}

/** The image files of a dataset, in the order of their paths. */
export interface ImageFolder {
  readonly directory: string;
  readonly train: readonly ClassFile[];
  readonly test: readonly ClassFile[] | undefined;
}

/** What images are brought to. */
export interface ImageForm {
  readonly resize?: ImageSize | undefined;
  /** 1 or 3; default: 3 if any image has colours. */
  readonly channels?: number | undefined;
}

/** Called from time to time while files are read. */
export type OnCount = (done: number, total: number) => void;

/** Files between two reports. */
const REPORT_EVERY = 64;

/**
 * Lists the images of a folder: a folder per class under `train` (and `test`, if it is there), or else under the folder
 * itself. Names that start with a dot are passed over. Undefined when there is no folder with images.
 *
 * @throws LockstepError LOCKSTEP_DATA_CLASSES when a class has no images, or there are none to train on
 */
export async function listImageFolder(directory: string): Promise<ImageFolder | undefined> {
  const names = await listFolders(directory);
  if (!names.includes('train')) {
    const train = await listClasses(directory, names);
    return train.length > 0 ? { directory, train, test: undefined } : undefined;
  }
  const listPart = async (part: string) => listClasses(join(directory, part), await listFolders(join(directory, part)));
  const train = await listPart('train');
  const test = names.includes('test') ? await listPart('test') : undefined;
  if (train.length === 0) throw classError(`${join(directory, 'train')} has no folder with PNG or JPEG images`);
  if (test?.length === 0) throw classError(`${join(directory, 'test')} has no folder with PNG or JPEG images`);
  return { directory, train, test };
}

/** Decodes every image of a folder. @throws LockstepError LOCKSTEP_DATA_IMAGE, _SHAPE, _READ naming the file */
export async function readImageFolder(folder: ImageFolder, form: ImageForm, onCount: OnCount): Promise<OwnData> {
  const { directory, train, test } = folder;
  const total = train.length + (test?.length ?? 0);
  const trainImages = readFiles(train, form, (done) => onCount(done, total));
  const testImages = test && readFiles(test, form, (done) => onCount(train.length + done, total));
  const widest = testImages && trainImages.channels !== testImages.channels;
  return {
    name: basename(resolve(directory)),
    origin: directory,
    train: widest ? repeatChannels(trainImages, 3) : trainImages,
    test: widest ? repeatChannels(testImages, 3) : testImages,
  };
}

async function listFolders(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const folders = entries.filter((entry) => !entry.name.startsWith('.') && !entry.isFile());
  return folders.map(({ name }) => name).sort();
}

async function listClasses(directory: string, classNames: readonly string[]): Promise<ClassFile[]> {
  const lists = await Promise.all(
    classNames.map(async (className) => {
      const entries = await readdir(join(directory, className)).catch(() => []);
      const names = entries.filter((name) => !name.startsWith('.') && isImageName(name)).sort();
      return names.map((name) => ({ path: join(directory, className, name), className }));
    }),
  );
  const empty = classNames.find((_, index) => lists[index]?.length === 0);
  if (empty !== undefined && lists.some((list) => list.length > 0)) {
    throw classError(`the class folder ${join(directory, empty)} has no PNG or JPEG images`);
  }
  return lists.flat();
}

function readFiles(files: readonly ClassFile[], form: ImageForm, onDone: (done: number) => void): LabelledImages {
  const list = new ImageList(files.length, form.resize, form.channels);
  for (const { path, className } of files) {
    list.add(toPlanar(decodeImage(readBytes(path), path)), className, path);
    if (list.count % REPORT_EVERY === 0) onDone(list.count);
  }
  onDone(files.length);
  return list.finish();
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

const classError = (text: string): LockstepError =>
  new LockstepError(
    'LOCKSTEP_DATA_CLASSES',
    `${text}. Give a folder for each class, with its images in it, directly or under train/ and test/.`,
  );
