/** What is checked of a picture's file before it is unpacked. */

/** More than any photograph; a file that claims more is refused before memory is taken for it. */
export const MAX_PIXELS = 100_000_000;

/** @throws Error when there are no pixels, or more than 100 million */
export function checkSize(width: number, height: number): void {
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) {
    throw new Error(`it claims ${width}x${height} pixels, the limit is ${MAX_PIXELS} in all`);
  }
}

/** @throws Error when the file is shorter than its header */
export function viewOf(bytes: Uint8Array, headerBytes: number): DataView {
  if (bytes.length < headerBytes) throw new Error('it ends inside its header');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A file that may be whole, but of a kind that is not read. */
export class UnreadKind extends Error {
  /** @param what such as `has the compression PackBits` */
  constructor(readonly what: string) {
    super(what);
  }
}
