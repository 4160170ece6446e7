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
}
