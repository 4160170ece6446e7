/** Reads the pictures of a folder with a folder for each class, as `listImageFolder` found them. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import type { LabelledImages, OwnData } from '../own-data.js';
import { decodeImage } from '../pictures/image-file.js';
import { toPlanar } from '../planar-image.js';
import type { ClassFile, ImageFolder } from './folder-list.js';
import { ImageList, type ImageSize } from './image-list.js';

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

/** Decodes every image of a folder. @throws LockstepError LOCKSTEP_DATA_IMAGE, _SHAPE, _READ naming the file */
export async function readImageFolder(folder: ImageFolder, form: ImageForm, onCount: OnCount): Promise<OwnData> {
  const { directory, parts } = folder;
  const total = Object.values(parts).reduce((sum, files) => sum + (files?.length ?? 0), 0);
  let before = 0;
  const read = (files: readonly ClassFile[]): LabelledImages => {
    const images = readFiles(files, form, (done) => onCount(before + done, total));
    before += files.length;
    return images;
  };
  const train = read(parts.train);
  const test = parts.test && read(parts.test);
  const validation = parts.validation && read(parts.validation);
  const widest = Math.max(...[train, test, validation].map((images) => images?.channels ?? 0));
  return {
    name: basename(resolve(directory)),
    origin: directory,
    train: repeatChannels(train, widest),
    test: test && repeatChannels(test, widest),
    validation: validation && repeatChannels(validation, widest),
  };
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
