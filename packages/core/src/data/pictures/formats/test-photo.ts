/** For tests: a JPEG as a phone stores it. */
import jpeg from 'jpeg-js';

/** Levels of a stored picture's corners: first row and column, first row and last column, last row and first column, last of both. */
const STORED = [40, 100, 160, 220] as const;
export const [WIDTH, HEIGHT] = [48, 32];

/** A JPEG of 48x32 pixels, a quarter of it for each corner, with an EXIF block. */
export function makePhoto(orientation: number, isLittle: boolean): Uint8Array {
  const data = Uint8Array.from({ length: 4 * WIDTH * HEIGHT }, (_, i) => {
    const [x, y] = [(i >> 2) % WIDTH, Math.floor((i >> 2) / WIDTH)];
    return STORED[(y < HEIGHT / 2 ? 0 : 2) + (x < WIDTH / 2 ? 0 : 1)] as number;
  });
  const plain = new Uint8Array(jpeg.encode({ width: WIDTH, height: HEIGHT, data }, 95).data);
  const block = new DataView(new ArrayBuffer(26));
  block.setUint16(0, isLittle ? 0x4949 : 0x4d4d);
  block.setUint16(2, 42, isLittle);
  block.setUint32(4, 8, isLittle);
  block.setUint16(8, 1, isLittle);
  block.setUint16(10, 0x0112, isLittle);
  block.setUint16(12, 3, isLittle);
  block.setUint32(14, 1, isLittle);
  block.setUint16(18, orientation, isLittle);
  const exif = [0xff, 0xe1, 0, 2 + 6 + 26, ...Buffer.from('Exif\0\0'), ...new Uint8Array(block.buffer)];
  return Uint8Array.of(0xff, 0xd8, ...exif, ...plain.subarray(2));
}
