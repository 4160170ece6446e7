/** Files of pictures to pixels, told apart by content, never by name. */
import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';
import { decodeBmpImage } from './formats/bmp-image.js';
import { decodeGifImage } from './formats/gif-image.js';
import { decodeJpegImage } from './formats/jpeg-image.js';
import { UnreadKind } from './formats/picture-limits.js';
import { decodePngImage } from './formats/png-image.js';
import { type RawImage, WHITE_16 } from './formats/raw-image.js';
import { decodeTiffImage } from './formats/tiff-image.js';
import { CONVERSION, KINDS_OR } from './image-names.js';

/** A kind of files, and the bytes that they begin with. */
interface Kind {
  readonly starts: readonly string[];
  readonly decode: (bytes: Uint8Array, white16: number) => RawImage;
}

const KINDS: readonly Kind[] = [
  { starts: ['\x89PNG\r\n\x1a\n'], decode: decodePngImage },
  { starts: ['\xff\xd8\xff'], decode: decodeJpegImage },
  { starts: ['BM'], decode: decodeBmpImage },
  { starts: ['GIF87a', 'GIF89a'], decode: decodeGifImage },
  { starts: ['II*\0', 'MM\0*'], decode: decodeTiffImage },
];

/**
 * Decodes a PNG, JPEG, BMP, GIF or TIFF file to 8 bits per channel. Of several pictures in a file the first is taken.
 *
 * @param source the file's name, for errors
 * @param white16 the value of 16 bits that becomes 255
 * @throws LockstepError LOCKSTEP_DATA_IMAGE when it is none of these, of a kind that is not read, damaged, or larger than
 * 100 million pixels
 */
export function decodeImage(bytes: Uint8Array, source: string, white16 = WHITE_16): RawImage {
  const start = readText(bytes, 0, 8);
  const kind = KINDS.find(({ starts }) => starts.some((text) => start.startsWith(text)));
  if (kind === undefined) {
    throw imageError(
      `${source} is ${describeContent(bytes)}, expected a ${KINDS_OR} image. Convert it (${CONVERSION} FILE) or remove it.`,
    );
  }
  try {
    return kind.decode(bytes, white16);
  } catch (error) {
    if (error instanceof UnreadKind) {
      throw imageError(`${source} ${error.what}, which is not read. Convert it: ${CONVERSION} FILE.`, error);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw imageError(`${source} cannot be decoded: ${reason}. The file is damaged: replace or remove it.`, error);
  }
}

const readText = (bytes: Uint8Array, from: number, to: number): string =>
  String.fromCharCode(...bytes.subarray(from, to));

const imageError = (text: string, cause?: unknown): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_IMAGE', text, { cause });

/** One error that names every file that could not be decoded. */
export function joinImageErrors(errors: readonly LockstepError[]): LockstepError {
  const [first] = errors;
  if (errors.length === 1) return first as LockstepError;
  return imageError(
    `${countOf(errors.length, 'image')} cannot be read:\n${errors.map(({ text }) => `  ${text}`).join('\n')}`,
    first,
  );
}

/** What people most often have under the wrong name. */
function describeContent(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty';
  if (readText(bytes, 0, 4) === 'RIFF' && readText(bytes, 8, 12) === 'WEBP') return 'a WebP image';
  if (/^ftyp(avif|avis)/.test(readText(bytes, 4, 12))) return 'an AVIF image';
  if (/^ftyp(heic|heix|mif1)/.test(readText(bytes, 4, 12))) return 'a HEIC image';
  if (['II+\0', 'MM\0+'].includes(readText(bytes, 0, 4))) return 'a BigTIFF image';
  return 'not an image';
}
