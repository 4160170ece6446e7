/** Which elements dropout keeps in training, as a linear layer behind it sees them. */
import { inferLayers } from '@lockstep/core/model';
import { parseModelSpec } from '@lockstep/core/spec';
import { availableIsas } from '@lockstep/kernels';
import { describe, expect, it } from 'vitest';
import { drawRandomShard } from '../reference/random-shard.js';
import { bytesOf, dropoutMask, prepareNativeStep } from './test-harness.js';
import { probeInput } from './test-probe.js';

const SHAPE = { channels: 1, height: 37, width: 31 };
const ELEMENTS = 37 * 31;
const P = 0.3;
/** 16 bits decide: an element is dropped when its number is below this. */
const THRESHOLD = Math.round(P * 65_536);

/** Image 0 is black, image 1 is white; pixel 255 becomes 1. */
const IMAGES = new Uint8Array(2 * ELEMENTS).fill(255, ELEMENTS);
const BLACK_AND_WHITE = { mean: [0], std: [1] };

interface MaskOptions {
  readonly isa?: string;
  readonly step?: number;
  readonly position?: number;
  readonly before?: { type: 'relu' }[];
  readonly epoch?: number;
}

/** What dropout makes of ones: 0, or its scale. */
function probeDropout({ position, before = [], ...rest }: MaskOptions = {}): Float32Array {
  const layers = [...before, { type: 'dropout' as const, p: P }];
  return probeInput({ shape: SHAPE, images: IMAGES, layers, normalization: BLACK_AND_WHITE, ...rest }, 1, position);
}

const shareKept = (values: Float32Array): number => values.filter((value) => value !== 0).length / values.length;

describe.each(availableIsas())('dropout (%s)', (isa) => {
  it.each([
    [0, 0],
    [1, 3],
    [7, 0],
    [8, 1],
    [15, 2],
    [16, 0],
    [45, 4_000_000_000],
  ])(
    'of the sample at position %i of step %i keeps what the documented words say, times 1 / (1 - p)',
    (position, step) => {
      const mask = dropoutMask(0, { elements: ELEMENTS, samples: 1, p: P, step, first: position });
      const scale = Math.fround(65_536 / (65_536 - THRESHOLD));
      expect([...probeDropout({ isa, step, position })]).toEqual([...mask].map((kept) => kept * scale));
    },
  );
});

describe('dropout', () => {
  it('keeps 1 - p of the elements, of every position and step', () => {
    const draws = [0, 1, 2, 3].flatMap((step) => [0, 9, 15, 31].map((position) => probeDropout({ step, position })));
    // five standard deviations of 16 * 1147 draws
    const all = Float32Array.from(draws.flatMap((draw) => [...draw]));
    expect(Math.abs(shareKept(all) - (1 - P))).toBeLessThan(5 * Math.sqrt((P * (1 - P)) / all.length));
  });

  it('keeps others in another step, at another position and in another layer, but not in another epoch', () => {
    const first = probeDropout().join(' ');
    expect(probeDropout({ step: 1 }).join(' ')).not.toBe(first);
    expect(probeDropout({ position: 1 }).join(' ')).not.toBe(first);
    expect(probeDropout({ before: [{ type: 'relu' }] }).join(' ')).not.toBe(first);
    expect(probeDropout({ epoch: 1 }).join(' ')).toBe(first);
  });

  it('agrees with neighbours by chance alone', () => {
    const rows = [{}, { step: 1 }, { position: 1 }, { before: [{ type: 'relu' as const }] }].map(probeDropout);
    const byChance = P * P + (1 - P) * (1 - P);
    for (const [i, a] of rows.entries()) {
      for (const b of rows.slice(i + 1)) {
        const same = a.filter((value, k) => (value === 0) === (b[k] === 0)).length / ELEMENTS;
        expect(Math.abs(same - byChance)).toBeLessThan(5 * Math.sqrt((byChance * (1 - byChance)) / ELEMENTS));
      }
    }
  });

  it("takes the recipe's probability before the model's", () => {
    const layers = [{ type: 'dropout' as const, p: P }];
    const probe = { shape: SHAPE, images: IMAGES, layers, normalization: BLACK_AND_WHITE };
    const none = probeInput({ ...probe, recipe: { dropout: 0 } }, 1);
    expect(none.every((value) => value === 1)).toBe(true);
    const most = shareKept(probeInput({ ...probe, recipe: { dropout: 0.9 } }, 1));
    expect(Math.abs(most - 0.1)).toBeLessThan(5 * Math.sqrt(0.09 / ELEMENTS));
  });

  it('is not there in evaluation', () => {
    const evaluate = (dropouts: { type: 'dropout'; p: number }[]): Buffer => {
      const conv = { type: 'conv', outChannels: 4, kernel: 3 };
      const input = { channels: 1, height: 8, width: 8 };
      const layers = [conv, { type: 'relu' }, ...dropouts, { type: 'flatten' }, { type: 'linear', outFeatures: 3 }];
      const model = parseModelSpec({ name: 'evaluated', input, classes: 3, layers });
      const { parameters, buffers, images, labels } = drawRandomShard(inferLayers(model), { seed: 2, sampleCount: 40 });
      return bytesOf(prepareNativeStep({ model, parameters, buffers, images, labels, samples: 40 }).evaluate().results);
    };
    expect(evaluate([{ type: 'dropout', p: 0.5 }]).equals(evaluate([]))).toBe(true);
  });
});
