/** Brings an image from anywhere to the form of the images that a model was trained on, and says what was done to it. */

import { LockstepError } from '../../errors/errors.js';
import type { Shape } from '../../model/layers.js';
import { countOf } from '../../text/count-text.js';
import type { Ground } from '../dataset/dataset.js';
import type { RawImage } from '../pictures/formats/raw-image.js';
import { DrawnLight } from '../pictures/picture-rules.js';
import {
  invert,
  isTransparent,
  measureEdges,
  type PlanarImage,
  toPlanar,
  withChannels,
} from '../pictures/planar-image.js';
import type { DataNotes } from '../pixels/data-notes.js';
import { centreInk, mayHaveInk } from '../pixels/ink.js';
import { groundOf } from '../pixels/pixels.js';
import { resizeImage } from '../pixels/resize.js';
import { findDrawing } from './find-drawing.js';

export interface FittedImage {
  /** Undefined when the model reads drawings and there is none in the picture. */
  readonly image: PlanarImage | undefined;
  /** What was done, for people, in order; empty when the image was as the model wants it. */
  readonly changes: readonly string[];
}

/**
 * Fits an image, whose white is 255, to a model's input: no transparency, as many channels, the same ground (dark or light)
 * as the training images, the same size. Drawings are looked for, on photographs too, and centred as the training images
 * are; others are stretched, as --resize does.
 *
 * @throws LockstepError LOCKSTEP_PREDICT_CHANNELS for a model that reads neither grey nor RGB images
 */
export function fitImage(raw: RawImage, input: Shape, notes: DataNotes): FittedImage {
  const { channels, height, width } = input;
  if (channels !== 1 && channels !== 3) {
    throw new LockstepError(
      'LOCKSTEP_PREDICT_CHANNELS',
      `the model reads images of ${countOf(channels, 'channel')}; pictures have 1 or 3. Evaluate it on an .npz or IDX file instead.`,
    );
  }
  const changes: string[] = [
    ...(raw.frames === undefined ? [] : [`the first of ${countOf(raw.frames, 'picture')} in the file`]),
    ...(raw.isTurned ? ['turned upright, as its EXIF orientation says'] : []),
    ...(raw.isCmyk ? ['CMYK made RGB without a colour profile'] : []),
  ];
  let image = flatten(raw, notes.pictures?.under, changes);
  if (image.channels !== channels) changes.push(channels === 1 ? 'colours to grey' : 'grey to RGB');
  image = withChannels(image, channels);
  const ground = groundOf(notes);
  const isFitting = image.height === height && image.width === width;
  const size = `${image.height}x${image.width}`;
  if (notes.ink === undefined || ground !== 'dark') {
    const matched = matchGround(image, ground, changes);
    if (!isFitting) changes.push(`resized from ${size} to ${height}x${width}`);
    return { image: resizeImage(matched, height, width), changes };
  }
  if (isFitting && mayHaveInk(image)) return { image: matchGround(image, ground, changes), changes };
  const drawing = isFitting ? undefined : findDrawing(image);
  if (drawing === undefined) return { image: undefined, changes: [...changes, 'no drawing found'] };
  if (drawing.isInverted) changes.push(describeInversion(ground));
  changes.push(...drawing.changes, `drawing found in ${size} pixels, scaled and centred in ${height}x${width}`);
  return { image: centreInk(drawing.image, height, width, notes.ink), changes };
}

/** A grey image on the other ground is inverted. */
function matchGround(image: PlanarImage, ground: Ground, changes: string[]): PlanarImage {
  const edges = measureEdges(image);
  const isOther = (ground === 'dark' && edges > 0.5) || (ground === 'light' && edges < 0.5);
  if (image.channels !== 1 || !isOther) return image;
  changes.push(describeInversion(ground));
  return invert(image);
}

const describeInversion = (ground: Ground): string => `inverted, since the training images have a ${ground} ground`;

/** Without transparency: on what the training images were laid on, else on black when what is drawn is light, else on white. */
function flatten(raw: RawImage, under: number | undefined, changes: string[]): PlanarImage {
  if (!isTransparent(raw)) return toPlanar(raw);
  const ground = under ?? findGround(raw);
  const name = ground === 0 ? 'black' : ground === 255 ? 'white' : `grey ${ground}`;
  changes.push(`transparent parts made ${name}${under === undefined ? '' : ', as in the training images'}`);
  return toPlanar(raw, ground);
}

function findGround(raw: RawImage): number {
  const drawn = new DrawnLight();
  drawn.add(raw);
  return drawn.ground;
}
