/** Readers of pictures, for data and for what a model is asked about. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import jpeg from 'jpeg-js';
import { dist } from './common.mjs';

const picture = (name, make) => ({
  async open(at) {
    const { bytes, seal } = await make();
    const { decodeImage } = await dist('core/dist/data/pictures/image-file');
    const { assumeData, fitImage } = await dist('core/dist/data/index');
    const { findZooModel } = await dist('core/dist/zoo/index');
    const { model } = findZooModel('tiny6k');
    const notes = assumeData(model);
    const file = path.join(at, name);
    const read = () => {
      const image = decodeImage(readFileSync(file), file);
      if (image.pixels.length !== image.width * image.height * image.channels) throw new Error('pixels are missing');
      // what is shown of it is looked through for a drawing; photographs take their time
      if (image.pixels.length < 100_000) fitImage(image, model.input, notes);
    };
    return { files: { [name]: bytes }, damaged: name, seal, read };
  },
});

/** Gives each chunk of a PNG the CRC of what is in it, as far as chunks can be told. */
export function sealPng() {
  return (bytes) => {
    const sealed = Buffer.from(bytes);
    for (let at = 8; at + 12 <= sealed.length; ) {
      const end = at + 8 + sealed.readUInt32BE(at);
      if (end + 4 > sealed.length) break;
      sealed.writeUInt32BE(crc32(sealed.subarray(at + 4, end)), end);
      at = end + 4;
    }
    return sealed;
  };
}

const kinds = () => dist('core/dist/data/pictures/formats/test-kinds');
const values = Array.from({ length: 108 }, (_, i) => (i * 7) % 4);
const palette = Array.from({ length: 16 }, (_, i) => (i * 15) % 256);
const grey = { width: 12, depth: 8, samples: 1, values, colours: 1 };

/** PNG as few write it: a palette of two bits with transparency, interlaced. */
async function interlacedPng() {
  const seal = sealPng();
  const chunk = (type, data) => {
    const bytes = Buffer.alloc(12 + data.length);
    bytes.writeUInt32BE(data.length);
    bytes.write(type, 4, 'latin1');
    bytes.set(data, 8);
    return bytes;
  };
  const head = [0, 0, 0, 5, 0, 0, 0, 5, 2, 3, 0, 0, 1];
  // 24 bytes: rows of the seven passes of 5 x 5 pixels, each with its filter before it
  const parts = [
    chunk('IHDR', head),
    chunk('PLTE', palette.slice(0, 12)),
    chunk('tRNS', [0, 9]),
    chunk('IDAT', deflateSync(Buffer.alloc(24))),
    chunk('IEND', []),
  ];
  return { bytes: seal(Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts])), seal };
}

export const PICTURE_READERS = {
  PNG: picture('x.png', async () => {
    const { makeImage, makePng } = await dist('core/dist/data/test-images');
    return { bytes: makePng(makeImage(3, 9, 12)), seal: sealPng() };
  }),
  'PNG, interlaced': picture('x.png', interlacedPng),
  JPEG: picture('x.jpg', () => ({
    bytes: jpeg.encode({ width: 24, height: 17, data: Buffer.alloc(4 * 408, 90) }, 90).data,
  })),
  BMP: picture('x.bmp', async () => ({ bytes: (await kinds()).encodeBmp({ width: 12, depth: 8, values, palette }) })),
  'BMP in runs': picture('x.bmp', async () => {
    const packed = [1, [12, 1, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1]];
    return { bytes: (await kinds()).encodeBmp({ width: 12, depth: 8, values, palette, packed }) };
  }),
  GIF: picture('x.gif', async () => ({
    bytes: (await kinds()).encodeGif({
      width: 12,
      values,
      palette: palette.slice(0, 12),
      clear: 1,
      isInterlaced: true,
      pictures: 2,
    }),
  })),
  TIFF: picture('x.tif', async () => ({ bytes: (await kinds()).encodeTiff({ ...grey, piece: 4, compression: 5 }) })),
  'TIFF in tiles': picture('x.tif', async () => ({
    bytes: (await kinds()).encodeTiff({
      ...grey,
      piece: [16, 16],
      compression: 32_773,
      isDifference: true,
      pictures: 2,
    }),
  })),
  'TIFF, deflated': picture('x.tif', async () => ({
    bytes: (await kinds()).encodeTiff({ ...grey, isBig: true, piece: 3, compression: 8, orientation: 6 }),
  })),
};
