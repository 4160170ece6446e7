/** Brings an image from anywhere to the form of the images that a model was trained on, and says what was done to it. */

import { LockstepError } from '../../errors/errors.js';
import type { Shape } from '../../model/layers.js';
import { countOf } from '../../text/count-text.js';
import { DrawnLight } from '../pictures/picture-rules.js';
import {
  invert,
  isTransparent,
  measureEdges,
  type PlanarImage,
  toPlanar,
  withChannels,
} from '../pictures/planar-image.js';
import type { RawImage } from '../pictures/raw-image.js';
import type { DataNotes } from './data-notes.js';
import { centreInk, findInk, stretchContrast } from './ink.js';
import { groundOf } from './pixels.js';
import { resizeImage } from './resize.js';

export interface FittedImage {
  readonly image: PlanarImage;
  /** What was done, for people, in order; empty when the image was as the model wants it. */
  readonly changes: readonly string[];
}

/**
 * Fits an image, whose white is 255, to a model's input: no transparency, as many channels, the same ground (dark or light) as the training
 * images, the same size. Drawings are centred as the training images are; others are stretched, as --resize does.
 *
 * @throws LockstepError LOCKSTEP_PREDICT_CHANNELS for a model that reads neither grey nor RGB images
 */
export function fitImage(raw: RawImage, input: Shape, notes: DataNotes): FittedImage {
  const { channels, height, width } = input;
  if (channels !== 1 && channels !== 3) {
    throw new LockstepError(
      'LOCKSTEP_PREDICT_CHANNELS',
      `the model reads images of ${countOf(channels, 'channel')}; PNG and JPEG images have 1 or 3. Evaluate it on an .npz or IDX file instead.`,
    );
  }
  const changes: string[] = [];
  let image = flatten(raw, notes.pictures?.under, changes);
  if (image.channels !== channels) changes.push(channels === 1 ? 'colours to grey' : 'grey to RGB');
  image = withChannels(image, channels);
  const edges = measureEdges(image);
  const ground = groundOf(notes);
  if (channels === 1 && ((ground === 'dark' && edges > 0.5) || (ground === 'light' && edges < 0.5))) {
    changes.push(`inverted, since the training images have a ${ground} ground`);
    image = invert(image);
  }
  if (image.height === height && image.width === width) return { image, changes };
  const size = `${image.height}x${image.width}`;
  const drawing = notes.ink === undefined ? undefined : stretchContrast(image);
  if (notes.ink !== undefined && drawing !== undefined && findInk(drawing) !== undefined) {
    changes.push(`drawing found in ${size} pixels, scaled and centred in ${height}x${width}`);
    return { image: centreInk(drawing, height, width, notes.ink), changes };
  }
  changes.push(`resized from ${size} to ${height}x${width}`);
  return { image: resizeImage(image, height, width), changes };
}

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
