/** What a picture's file gives. */

/** White of 16 bits. */
export const WHITE_16 = 65_535;

/** Pixels as the file has them, upright: uint8, row-major, channels interleaved. */
export interface RawImage {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 2 grey + alpha, 3 RGB, 4 RGB + alpha. */
  readonly channels: number;
  readonly pixels: Uint8Array;
  /** The largest value but alpha's, for a file of 16 bits a channel. */
  readonly largest16?: number;
  /** Whether it was turned or mirrored, since its EXIF block says that it is not stored upright. */
  readonly isTurned?: boolean;
  /** Whether its colours were inks, as for a press. */
  readonly isCmyk?: boolean;
  /** How many pictures the file has, where it has several: this is the first. */
  readonly frames?: number;
}

/** Values of 16 bits, row-major, channels interleaved. */
interface Wide extends Pick<RawImage, 'width' | 'height' | 'channels'> {
  readonly data: ArrayLike<number>;
}

/** 16 bits to 8: the upper byte, or the share of a white that is lower. Alpha has its full range. */
export function toBytes({ data, width, height, channels }: Wide, white16: number): RawImage {
  const alphaAt = channels % 2 === 0 ? channels - 1 : -1;
  const pixels = new Uint8Array(data.length);
  let largest16 = 0;
  for (let i = 0; i < data.length; i++) {
    const value = data[i] as number;
    const isAlpha = i % channels === alphaAt;
    if (!isAlpha && value > largest16) largest16 = value;
    pixels[i] =
      isAlpha || white16 === WHITE_16 ? value >>> 8 : Math.min(255, Math.floor((value * 255) / white16 + 0.5));
  }
  return { width, height, channels, pixels, largest16 };
}
