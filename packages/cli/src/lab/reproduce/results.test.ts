import type { EndEvent, EpochEvent } from '@lockstep/core/events';
import { describe, expect, it } from 'vitest';
import { type Claim, selectClaims } from './claims.js';
import {
  describeResult,
  formatHtml,
  formatMarkdown,
  formatMarkdownTable,
  tabulateClaims,
  tabulateSeeds,
} from './report.js';
import { summarizeClaim } from './results.js';
import type { RunRecord } from './run-record.js';

const [claim] = selectClaims(['tiny6k'], undefined) as [Claim];

const occasion = {
  machine: { processor: 'CPU', cores: 2, memoryBytes: 1, system: 'linux', node: 'v20', isa: 'avx2' },
  date: '2026-01-01T00:00:00.000Z',
};

/** A run whose epochs reach these test accuracies. */
function recordOf(seed: number, accuracies: readonly number[], seconds = 10): RunRecord {
  const epochs = accuracies.map(
    (testAccuracy, i) => ({ event: 'epoch', epoch: i + 1, testAccuracy, trainLoss: 0.1 }) as EpochEvent,
  );
  const end = { steps: 100, testAccuracy: accuracies.at(-1), parametersSha256: `${seed}`.repeat(64) } as EndEvent;
  return {
    model: 'tiny6k',
    recipe: 'ours',
    seed,
    workers: 2,
    epochs,
    end,
    cost: { seconds, coreSeconds: 2 * seconds },
    imagesPerSecond: 10_000,
    peakGigaflops: 100,
    occasion,
    checksum: 'data',
  };
}

describe('summarizeClaim', () => {
  it('takes the median over seeds of the best epoch and of the end', () => {
    const records = [recordOf(1, [0.99, 0.995, 0.994]), recordOf(2, [0.98, 0.991]), recordOf(3, [0.994, 0.993])];
    const result = summarizeClaim(claim, records, []);
    expect(result).toMatchObject({ medianBest: 0.994, medianFinal: 0.993, isReached: true });
    expect(result.seeds.map(({ bestEpoch, reachedAt }) => [bestEpoch, reachedAt])).toEqual([
      [2, 2],
      [2, undefined],
      [1, 1],
    ]);
  });

  it('does not count what comes after the epochs of the claim', () => {
    const late = [...Array.from({ length: 10 }, () => 0.99), 0.999];
    expect(summarizeClaim(claim, [recordOf(1, late)], [])).toMatchObject({ medianBest: 0.99, isReached: false });
  });

  it('is not reached by half of the seeds', () => {
    expect(summarizeClaim(claim, [recordOf(1, [0.995]), recordOf(2, [0.99])], []).isReached).toBe(false);
  });

  it('counts the lower of test and validation where images are held out', () => {
    const [cnn11m] = selectClaims(['cnn11m'], undefined) as [Claim];
    const record = recordOf(1, [0.992]);
    const validation = { accuracy: 0.989, correct: 989, total: 1000, loss: 0.1 };
    const epochs = record.epochs.map((epoch) => ({ ...epoch, validation }));
    expect(summarizeClaim(cnn11m, [{ ...record, epochs }], [])).toMatchObject({ medianBest: 0.989, isReached: false });
  });

  it('gives the share of peak from images per second and the FLOP of forward and backward', () => {
    // tiny6k: 904,676 multiply-adds
    expect(summarizeClaim(claim, [recordOf(1, [0.995])], []).shareOfPeak).toBeCloseTo(
      (10_000 * 6 * 904_676) / 100e9,
      12,
    );
  });
});

describe('the report', () => {
  const results = [summarizeClaim(claim, [recordOf(1, [0.9949])], [])];

  it('has a line for each claim, with how many seeds reach it', () => {
    expect(formatMarkdownTable(tabulateClaims(results)).split('\n').at(-1)).toBe(
      '| tiny6k (ours) | at least 99.4% within 10 epochs (its log: 99.45% at epoch 7) | 99.49% | 99.49% | yes: 1 of 1 seed |',
    );
    expect(describeResult(results[0] as never)).toContain('yes: 1 of 1 seed');
  });

  it('prints every hash whole, and says where energy is not told', () => {
    const report = { bench: 'reproduce', ...occasion, workers: 2, data: 'MNIST', claims: results } as const;
    for (const text of [formatMarkdown(report, []), formatHtml(report, [])]) {
      expect(text).toContain('1'.repeat(64));
      expect(text).toContain('not available');
    }
  });

  it('has the loss of the last batch, where the record has it', () => {
    const record = recordOf(1, [0.9949]);
    const kept = { ...record, epochs: record.epochs.map((epoch) => ({ ...epoch, lastLoss: 8.94e-8 })) };
    const rows = [record, kept].map((one) => tabulateSeeds([summarizeClaim(claim, [one], [])]).rows.at(-1));
    expect(rows.map((row) => row?.[7])).toEqual(['-', '8.9e-8']);
  });

  it('puts pictures into the page and beside the Markdown', () => {
    const report = { bench: 'reproduce', ...occasion, workers: 1, data: 'a < b', claims: results } as const;
    const curves = [{ title: 'lenet5', file: 'lenet5.svg', svg: '<svg/>' }];
    expect(formatMarkdown(report, curves)).toContain('![lenet5](lenet5.svg)');
    expect(formatHtml(report, curves)).toContain('<figure><svg/><figcaption>lenet5</figcaption></figure>');
    expect(formatHtml(report, curves)).toContain('a &lt; b');
  });
});

describe('selectClaims', () => {
  it('takes both recipes of gap19k, and one by its name', () => {
    expect(selectClaims(['gap19k'], undefined).map(({ recipe }) => recipe)).toEqual(['ours', 'author']);
    expect(selectClaims(['gap19k'], 'author')).toHaveLength(1);
  });

  it('names the nearest model and every claim for one that there is none about', () => {
    expect(() => selectClaims(['tiny5k'], undefined)).toThrow(
      expect.objectContaining({
        code: 'LOCKSTEP_REPRODUCE_CLAIM',
        text: expect.stringMatching(/about "tiny5k"\. Did you mean tiny6k\? There are tiny6k \(ours\), net19k/),
      }),
    );
    expect(() => selectClaims(['tiny6k'], 'author')).toThrow(/no claim about tiny6k with the recipe "author"/);
  });
});
