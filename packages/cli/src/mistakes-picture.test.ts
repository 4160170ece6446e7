import { allocateSplit, createDataset, decodeImage } from '@lockstep/core';
import { describe, expect, it } from 'vitest';
import { reportEvaluation } from './evaluation-report.js';
import { drawMistakes } from './mistakes-picture.js';

const test = allocateSplit(3, 12);
test.images.set(Uint8Array.from({ length: 36 }, (_, i) => i * 7));
const shape = { channels: 3, height: 2, width: 2, classes: 2, mean: [0, 0, 0], std: [1, 1, 1] };
const splits = { train: test, validation: allocateSplit(0, 0), test };
const dataset = createDataset({ name: 'x', source: 'x', ...shape, ...splits });

const draw = (predictions: { label: number; predicted: number; confidence: number }[]): string => {
  const rows = predictions.map((prediction, index) => ({ index, ...prediction }));
  const correct = rows.filter(({ label, predicted }) => label === predicted).length;
  const result = { loss: 0, correct, total: rows.length, predictions: rows };
  return drawMistakes(reportEvaluation(result, ['a<b', 'c&d'], 50), dataset, test, 'mistakes of "x"');
};

describe('drawMistakes', () => {
  const svg = draw([
    { label: 0, predicted: 0, confidence: 0.9 },
    { label: 0, predicted: 1, confidence: 0.6 },
    { label: 1, predicted: 0, confidence: 0.75 },
  ]);

  it('shows each wrong image with what it is and was taken for, most confident first', () => {
    expect([...svg.matchAll(/class="caption">([^<]*)</g)].map((match) => match[1])).toEqual([
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
  });
});
