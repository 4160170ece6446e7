import { allocateSplit, createDataset } from '@lockstep/core/data';
import { decodeImage } from '@lockstep/core/data/pictures';
import { pickMistakes } from '@lockstep/core/events';
import { describe, expect, it } from 'vitest';
import { addImages } from '../chronicle/judge.js';
import { drawMistakeSheet, drawMistakes } from './mistakes-picture.js';

const test = allocateSplit(3, 12);
test.images.set(Uint8Array.from({ length: 36 }, (_, i) => i * 7));
const shape = { channels: 3, height: 2, width: 2, classes: 2, mean: [0, 0, 0], std: [1, 1, 1] };
const splits = { train: test, validation: allocateSplit(0, 0), test };
const dataset = createDataset({ name: 'x', source: 'x', ...shape, ...splits });

const pick = (predictions: { label: number; predicted: number; confidence: number }[]) =>
  addImages(
    pickMistakes(
      predictions.map((prediction, index) => ({ index, ...prediction })),
      50,
    ),
    dataset,
    'test',
  );
const draw = (...args: Parameters<typeof pick>): string =>
  drawMistakes(pick(...args), ['a<b', 'c&d'], 'mistakes of "x"');

describe('drawMistakes', () => {
  const svg = draw([
    { label: 0, predicted: 0, confidence: 0.9 },
    { label: 0, predicted: 1, confidence: 0.6 },
    { label: 1, predicted: 0, confidence: 0.75 },
  ]);

  it('shows each wrong image with what it is and was taken for, most confident first', () => {
    expect([...svg.matchAll(/class="strong middle">([^<]*)</g)].map((match) => match[1])).toEqual([
      'c&amp;d → a&lt;b',
      'a&lt;b → c&amp;d',
    ]);
    expect(svg).toContain('75.00% · #2');
    expect(svg).toContain('mistakes of &quot;x&quot;');
  });

  it('holds the pixels themselves', () => {
    const base64 = /href="data:image\/png;base64,([^"]+)"/.exec(svg)?.[1] ?? '';
    const image = decodeImage(Buffer.from(base64, 'base64'), 'picture');
    const [red, green, blue] = [0, 1, 2].map((c) => test.images.subarray(24 + 4 * c, 28 + 4 * c));
    const interleaved = [0, 1, 2, 3].flatMap((i) => [red?.[i], green?.[i], blue?.[i]]);
    expect([...image.pixels]).toEqual(interleaved);
  });

  it('says so when there are no mistakes', () => {
    expect(draw([{ label: 0, predicted: 0, confidence: 1 }])).toContain('No mistakes.');
    expect(drawMistakeSheet([])).toBeUndefined();
  });

  it('puts the images on one sheet, three times as large, with white between them', () => {
    const mistakes = pick([
      { label: 0, predicted: 1, confidence: 0.6 },
      { label: 1, predicted: 0, confidence: 0.75 },
    ]);
    const sheet = decodeImage(drawMistakeSheet(mistakes) as Uint8Array, 'sheet');
    expect(sheet).toMatchObject({ width: 6 + 2 * 12, height: 6 + 12, channels: 3 });
    const pixelAt = (x: number, y: number): number[] => [
      ...sheet.pixels.subarray(3 * (y * 30 + x), 3 * (y * 30 + x) + 3),
    ];
    expect(pixelAt(5, 5)).toEqual([255, 255, 255]);
    // image 1 is the more confident mistake: its first pixel, then that of image 0
    expect([pixelAt(6, 6), pixelAt(8, 8)]).toEqual([
      [84, 112, 140],
      [84, 112, 140],
    ]);
    expect(pixelAt(18, 6)).toEqual([0, 28, 56]);
  });
});
