import type { EpochEvent } from '@lockstep/core/events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyChronicle, type Judgement } from '../chronicle/chronicle.js';
import { drawConfusion } from './confusion-picture.js';
import { drawCurvePanels, drawCurves } from './curves-picture.js';

/** Wider than a character of 11 px is in any usual font, on average. */
const CHARACTER = 6.5;
const evaluation = { loss: 0.1, accuracy: 0.9, correct: 9, total: 10 };
const tested = { testLoss: 0.1, testAccuracy: 0.9, testCorrect: 9, testTotal: 10 };
const epoch: EpochEvent = {
  event: 'epoch',
  epoch: 1,
  learningRate: 0.1,
  trainLoss: 0.2,
  trainAccuracy: 0.9,
  validation: evaluation,
  ...tested,
  ema: tested,
  seconds: 1,
  imagesPerSecond: 10,
};
const curve = { epoch: [0.5, 1], loss: [1, 0.5], accuracy: [0.5, 0.7], learningRate: [1, 1], imagesPerSecond: [1, 1] };
const chronicle = { ...emptyChronicle, curve, epochs: [epoch] };

const widthOf = (svg: string): number => Number(/ width="(\d+)"/.exec(svg)?.[1]);

/** Labels of a legend: each stands behind a small square. */
const listLabels = (svg: string) =>
  [...svg.matchAll(/rx="3"[^>]*\/><text x="([\d.]+)" y="([\d.]+)" class="small">([^<]*)</g)].map(([, x, y, text]) => ({
    left: Number(x) - 15,
    right: Number(x) + CHARACTER * (text?.length ?? 0),
    y: Number(y),
    text,
  }));

describe('the learning curves', () => {
  it('cases: work 24: have a legend in which nothing overlaps and nothing leaves the picture', () => {
    const [loss, accuracy] = drawCurvePanels(chronicle) as [string, string];
    expect(listLabels(loss).map(({ text }) => text)).toEqual([
      'training, each step',
      'training',
      'validation',
      'test',
      'test, moving average',
    ]);
    for (const svg of [loss, accuracy]) {
      for (const [index, label] of listLabels(svg).entries()) {
        expect(label.right).toBeLessThanOrEqual(widthOf(svg));
        const next = listLabels(svg)[index + 1];
        if (next?.y === label.y) expect(next.left).toBeGreaterThan(label.right);
      }
    }
  });

  it('are two pictures as wide as a phone, or one with both', () => {
    expect(drawCurvePanels(chronicle).map(widthOf)).toEqual([400, 400]);
    expect(widthOf(drawCurves(chronicle))).toBe(800);
  });

  it('say that nothing was recorded of a run without a step', () => {
    expect(drawCurves(emptyChronicle).match(/Nothing was recorded/g)).toHaveLength(2);
  });
});

describe('the confusion matrix', () => {
  const draw = (classes: number, names: readonly string[] = []): string => {
    const confusion = Array.from({ length: classes }, (_, i) => Array.from({ length: classes }, (_, j) => +(i === j)));
    const judgement: Judgement = {
      epoch: 12,
      steps: 62,
      split: 'test',
      correct: 9725,
      total: 10_000,
      confusion,
      mistakes: [],
    };
    return drawConfusion(judgement, names) as string;
  };

  it('cases: work 24: has its words in full, however few its classes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), (classes) => {
        const svg = draw(classes);
        expect(svg).toContain('test set after 12 epochs and 62 steps');
        for (const [, x, text] of svg.matchAll(/<text x="([\d.]+)" y="\d+" class="small">([^<]*)</g)) {
          expect(Number(x) + CHARACTER * (text?.length ?? 0)).toBeLessThanOrEqual(widthOf(svg));
        }
      }),
    );
  });

  it('slants long names of columns, which would overlap', () => {
    expect(draw(2, ['automobile', 'cat'])).toMatch(/rotate\(-45\)"><text[^>]*>automobile/);
    expect(draw(2, ['car', 'cat'])).not.toContain('rotate');
  });
});
