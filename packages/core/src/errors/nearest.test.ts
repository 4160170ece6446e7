import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, nearestName, suggestOption } from './nearest.js';

describe('editDistance', () => {
  it.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['lenet', 'lenet5', 1],
    ['flaw', 'lawn', 2],
    ['trian', 'train', 1],
    ['ca', 'abc', 3],
  ])('from %j to %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is the same both ways, 0 for equals alone, and at most one for each character', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('nearestName', () => {
  it.each([
    ['tiny', 'tiny6k'],
    ['LeNet', 'lenet5'],
    ['gap19', 'gap19k'],
  ])('finds for %s the model %s', (name, expected) => {
    expect(nearestName(name, ['gap19k', 'tiny6k', 'lenet5'])).toBe(expected);
  });

  it('takes the first of equally near names', () => {
    expect(nearestName('sac', ['sab', 'saa'])).toBe('sab');
  });

  it('finds nothing among no candidates', () => {
    expect(nearestName('a', [])).toBeUndefined();
  });

  const word = fc.stringMatching(/^[a-z]{1,12}$/);
  /** Letters put in the place of others, or behind the last. */
  const changes = fc.array(fc.tuple(fc.nat(12), fc.stringMatching(/^[a-z]{0,2}$/)), { maxLength: 4 });
  const mistype = (name: string, mistake: readonly (readonly [number, string])[]): string =>
    mistake.reduce((text, [at, letters]) => text.slice(0, at) + letters + text.slice(at + 1), name);

  it('finds nothing that is further away than a third of the letters and does not start with them', () => {
    fc.assert(
      fc.property(word, fc.array(changes, { minLength: 1, maxLength: 4 }), (name, mistakes) => {
        const candidates = mistakes.map((mistake) => mistype(name, mistake));
        const nearest = nearestName(name, candidates);
        const near = candidates.filter((candidate) => {
          const isLonger = name.length > 1 && candidate.startsWith(name);
          return (
            candidate === name || isLonger || (name.length > 1 && editDistance(name, candidate) <= name.length / 3)
          );
        });
        expect(nearest === undefined ? near : near.includes(nearest)).toEqual(nearest === undefined ? [] : true);
      }),
    );
  });

  it('prefers what starts with the name to what is fewer errors away', () => {
    expect(nearestName('--batch', ['--match', '--batch-size'])).toBe('--batch-size');
    fc.assert(
      fc.property(word, word, word, (name, rest, other) => {
        fc.pre(name.length > 1 && other !== name && !other.startsWith(name));
        expect(nearestName(name, [other, name + rest])).toBe(name + rest);
      }),
    );
  });

  it('reads hyphens, underscores and capitals alike', () => {
    for (const name of ['batch_size', 'batch-size', 'BATCHSIZE', 'batchSize']) {
      expect(nearestName(name, ['steps', 'batchSize'])).toBe('batchSize');
    }
  });
});

describe('cases: work 22: suggestions', () => {
  const flags = [
    '--data',
    '--seed',
    '--eps',
    '--batch-size',
    '--patience',
    '--workers',
    '--learning-rate',
    '--validation',
  ];

  it.each([
    ['--batch', '. Did you mean --batch-size?'],
    ['--early-stopping', '. Did you mean --patience?'],
    ['--num-workers', '. Did you mean --workers?'],
    ['--val-split', '. Did you mean --validation?'],
    ['--initial_lr', '. Did you mean --learning-rate?'],
    ['--sede', '. Did you mean --seed?'],
  ])('%s', (flag, text) => {
    expect(suggestOption(flag, flags)).toBe(text);
  });

  it.each([
    ['--gpu', /^: Lockstep computes on the CPU.*--workers/],
    ['--device', /^: Lockstep computes on the CPU/],
    ['--wandb', /^: Lockstep sends nothing to trackers.*--tensorboard DIR/],
    ['--fp16', /--gradient-precision bf16/],
    ['--strategy', /`lockstep launch`/],
  ])('%s has no like here, and says why not', (flag, text) => {
    expect(suggestOption(flag, flags)).toMatch(text);
  });

  it.each(['--frobnicate', '--xyz', '-k'])('nothing for %s', (flag) => {
    expect(suggestOption(flag, flags)).toBe('');
    expect(didYouMean(flag, flags)).toBe('');
  });
});
