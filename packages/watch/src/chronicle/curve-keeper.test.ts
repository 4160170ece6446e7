import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CurveKeeper } from './curve-keeper.js';

const point = (epoch: number, value: number) => ({
  epoch,
  loss: value,
  accuracy: value,
  learningRate: value,
  imagesPerSecond: value,
});

describe('CurveKeeper', () => {
  it('keeps points as they are while they are few', () => {
    const keeper = new CurveKeeper(8);
    for (let i = 1; i <= 7; i++) expect(keeper.add(point(i, 10 * i))).toBe(true);
    expect(keeper.curve.epoch).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(keeper.curve.loss).toEqual([10, 20, 30, 40, 50, 60, 70]);
    expect(keeper.generation).toBe(0);
  });

  it('joins neighbours to their mean at the place of the later one when there are too many', () => {
    const keeper = new CurveKeeper(4);
    for (let i = 1; i <= 4; i++) keeper.add(point(i, 10 * i));
    expect(keeper.curve).toMatchObject({ epoch: [2, 4], loss: [15, 35], learningRate: [20, 40] });
    expect(keeper.generation).toBe(1);
    expect(keeper.add(point(5, 50))).toBe(false);
    expect(keeper.add(point(6, 70))).toBe(true);
    expect(keeper.curve).toMatchObject({ epoch: [2, 4, 6], loss: [15, 35, 60] });
  });

  it('leaves out what a run that goes back has undone, in all columns', () => {
    const keeper = new CurveKeeper(8);
    for (let i = 1; i <= 5; i++) keeper.add(point(i, 10 * i));
    expect(keeper.goBack(6)).toBe(false);
    expect(keeper.goBack(2.5)).toBe(true);
    expect(keeper.curve).toMatchObject({ epoch: [1, 2], loss: [10, 20], learningRate: [10, 20] });
    expect(keeper.generation).toBe(1);
    keeper.add(point(3, 70));
    expect(keeper.curve.loss).toEqual([10, 20, 70]);
  });

  it('never keeps more than asked for, in columns of one length, and keeps the mean', () => {
    const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.array(value, { maxLength: 300 }), (half, values) => {
        const keeper = new CurveKeeper(2 * half);
        for (const [index, each] of values.entries()) keeper.add(point(index, each));
        const { epoch, loss } = keeper.curve;
        expect(epoch.length).toBe(loss.length);
        expect(epoch.length).toBeLessThan(Math.max(2, 2 * half));
        // every point stands for as many values, the first of all
        const covered = epoch.length === 0 ? 0 : (epoch.at(-1) as number) + 1;
        const mean = (list: readonly number[]): number =>
          list.reduce((sum, each) => sum + each, 0) / (list.length || 1);
        expect(mean(loss)).toBeCloseTo(mean(values.slice(0, covered)), 6);
      }),
    );
  });
});
