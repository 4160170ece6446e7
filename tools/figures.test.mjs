import { describe, expect, it } from 'vitest';
import { formatReport, nameOf, placeTables } from './figures.mjs';

const occasion = {
  machine: { processor: 'Chip', cores: 2, isa: 'avx2', node: 'v20.0.0' },
  date: '2026-11-21T03:00:00.000Z',
  commit: 'abc1234',
  batchSize: 128,
};
const throughput = (median, shareOfPeak, scalingEfficiency) => ({
  imagesPerSecond: { median, min: median - 10, max: median + 10 },
  shareOfPeak,
  scalingEfficiency,
});
const speed = {
  bench: 'speed',
  ...occasion,
  repetitions: 5,
  models: [
    {
      model: 'm',
      figures: [
        {
          workers: 2,
          peakGigaflops: { median: 280 },
          training: throughput(12_345, 0.876, 0.95),
          inference: throughput(50_000, 0.9, 1),
        },
      ],
    },
  ],
};

describe('formatReport', () => {
  it('gives a claim a row, with every seed', () => {
    const seeds = [0.9941, 0.995].map((best, i) => ({ best, bestEpoch: i + 3 }));
    const claim = { model: 'm', recipe: 'ours', text: 'at least 99.4%' };
    const cost = { seconds: 21.5, imagesPerSecond: 1000, shareOfPeak: 0.5, flopsPerImage: 6000, coreSeconds: 40 };
    const result = { claim, seeds, medianBest: 0.9946, medianFinal: 0.994, isReached: true, ...cost };
    const { batchSize: _, ...when } = occasion;
    const lines = formatReport({ bench: 'reproduce', ...when, claims: [result] }).split('\n');
    expect(lines[2]).toBe(
      '| m (ours) | at least 99.4% | 99.46% | 99.41% (3), 99.5% (4) | 99.4% | yes | 21.50 | 1,000 | 50% | 6,000 | 40 | not available |',
    );
    expect(lines.at(-1)).toBe('Chip, 2 cores, avx2, Node v20.0.0; 2026-11-21; commit abc1234.');
  });

  it('gives mean and seeds for each shard size', () => {
    const sizes = [
      { shardSize: 16, correct: [9940, 9943] },
      { shardSize: 32, correct: [9930, 9930] },
    ];
    const report = { bench: 'shards', ...occasion, repetitions: 2, rows: [{ model: 'm', sizes }] };
    expect(formatReport(report)).toContain('| m | 9942 (9940, 9943) | 9930 (9930, 9930) |');
  });

  it('names a speedrun by its accuracy, and says what PyTorch took', () => {
    const spread = { median: 7.5, min: 7, max: 8 };
    const report = {
      bench: 'speedrun',
      ...occasion,
      target: { accuracy: 0.994, model: 'm' },
      workers: 2,
      repetitions: 2,
      reached: 2,
      medianAccuracy: 0.9945,
      seconds: spread,
      startSeconds: spread,
      coreSeconds: spread,
      imagesPerSecond: 10_000,
      shareOfPeak: 0.5,
      flopsPerImage: 6000,
      sprints: [{ accuracy: 0.9944 }, { accuracy: 0.9946 }],
      torch: [{ seconds: 120.4, accuracy: 0.9941 }],
    };
    expect(nameOf(report)).toBe('speedrun 99.4%');
    expect(formatReport(report)).toContain('| every run | 99.44%, 99.46% |');
    expect(formatReport(report)).toContain('| PyTorch, same network and recipe, seconds | 120 (99.41%) |');
  });

  it('makes a row per model and worker count, and says where, when and how', () => {
    expect(formatReport(speed).split('\n').slice(1)).toEqual([
      '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |',
      '| m | 2 | 12,345 (12,335-12,355) | 88% | 95% | 50,000 (49,990-50,010) | 90% | 280 |',
      '',
      'Chip, 2 cores, avx2, Node v20.0.0; batch 128; median of 5 (smallest-largest); 2026-11-21; commit abc1234.',
    ]);
  });

  it('puts both engines beside trainOnBatch, for each number of workers', () => {
    const rates = (median) => ({ median, min: median - 1, max: median + 1 });
    const figure = (engine, workers, median, timesBaseline) => ({
      engine,
      workers,
      imagesPerSecond: rates(median),
      timesBaseline,
    });
    const figures = [figure('native', 1, 9000, 9), figure('native', 2, 18_000, 18), figure('tensorflow', 1, 800, 0.8)];
    const models = [{ model: 'm', baseline: rates(1000), figures }];
    expect(
      formatReport({ bench: 'engines', ...occasion, repetitions: 5, models })
        .split('\n')
        .slice(0, 4),
    ).toEqual([
      '| model | workers | native, images/s: of trainOnBatch | tensorflow, images/s: of trainOnBatch | trainOnBatch, images/s |',
      '| --- | ---: | ---: | ---: | ---: |',
      '| m | 1 | 9,000 (8,999-9,001): 9.00x | 800 (799-801): 0.80x | 1,000 (999-1,001) |',
      '| m | 2 | 18,000 (17,999-18,001): 18.00x | - | 1,000 (999-1,001) |',
    ]);
  });

  it('gives the ratio to each peer, and a dash where a peer has none', () => {
    const rates = { median: 100, min: 90, max: 110 };
    const row = (threads, peers) => ({
      threads,
      lockstep: { median: 450, min: 400, max: 500 },
      shareOfPeak: 0.5,
      peers,
    });
    const rows = [
      row(1, [{ peer: 'torch', imagesPerSecond: rates, ratio: 4.5 }]),
      row(2, [{ peer: 'torch', error: 'x' }]),
    ];
    const lines = formatReport({
      bench: 'peers',
      ...occasion,
      versions: ['PyTorch 2'],
      models: [{ model: 'm', rows }],
    }).split('\n');
    expect(lines[2]).toBe('| m | 1 | 450 (400-500) | 50% | 100 (90-110): 4.5x |');
    expect(lines[3]).toBe('| m | 2 | 450 (400-500) | 50% | - |');
    expect(lines.at(-1)).toContain('PyTorch 2');
  });

  it('makes a column per worker count of memory', () => {
    const row = (workers, afterBytes) => ({ model: 'm', workers, beforeBytes: 1e8, afterBytes });
    const lines = formatReport({ bench: 'memory', ...occasion, rows: [row(1, 2e8), row(8, 3e8)] }).split('\n');
    expect(lines[0]).toBe('| RSS in MB | data only | 1 worker | 8 workers |');
    expect(lines[2]).toBe('| m | 100 | 200 | 300 |');
  });

  it('refuses a report that it does not know', () => {
    expect(() => formatReport({ bench: 'lunch' })).toThrow('no table for a report of the kind "lunch"');
  });
});

describe('formatReport of a simulation', () => {
  const base = { model: 'm', bitsPerSecond: 1e9, step: 0.0123 };
  const cases = [1, 100].flatMap((nodes) =>
    ['star', 'mesh'].map((topology) => ({ ...base, nodes, topology, efficiency: 1 / nodes })),
  );

  it('has a row for each topology and a column for each number of nodes', () => {
    const report = { simulation: 1, machine: occasion.machine, date: occasion.date, cases };
    expect(nameOf(report)).toBe('simulation');
    expect(formatReport(report).split('\n')).toEqual([
      '| model | link | topology | 1 node | 100 nodes |',
      '| --- | --- | --- | ---: | ---: |',
      '| m | 1 Gbit/s | star | 100%, 12.3 ms | 1%, 12.3 ms |',
      '| m | 1 Gbit/s | mesh | 100%, 12.3 ms | 1%, 12.3 ms |',
      '',
      'Chip, 2 cores, avx2, Node v20.0.0; 2026-11-21.',
    ]);
  });
});

describe('formatReport of predictions', () => {
  it('has a row for each run, with its error', () => {
    const one = {
      model: 'm',
      nodes: 2,
      topology: 'mesh',
      megabits: 100,
      slices: 7,
      predictedStepMs: 11,
      measuredStepMs: 10,
      error: { median: 0.1, min: -0.05, max: 0.2 },
    };
    const { megabits: _, ...far } = { ...one, delayMs: 20 };
    const report = { bench: 'predictions', ...occasion, rows: [one, far] };
    expect(formatReport(report).split('\n').slice(2, 4)).toEqual([
      '| m | 2 | mesh | 100 Mbit/s | 7 | 11.00 | 10.00 | +10% (-5% to +20%) |',
      '| m | 2 | mesh | 20 ms one way | 7 | 11.00 | 10.00 | +10% (-5% to +20%) |',
    ]);
  });
});

describe('placeTables', () => {
  const document = 'a\n<!-- figures: speed -->\nold\n<!-- /figures -->\nb\n<!-- figures: sync -->\n<!-- /figures -->\n';

  it('replaces what is between the markers of a table and nothing else', () => {
    const { text, placed } = placeTables(document, { speed: 'new' });
    expect(text).toBe(
      'a\n<!-- figures: speed -->\n\nnew\n\n<!-- /figures -->\nb\n<!-- figures: sync -->\n<!-- /figures -->\n',
    );
    expect(placed).toEqual(['speed']);
  });

  it('gives the same document when it is run again', () => {
    const once = placeTables(document, { speed: 'new', sync: 'more' }).text;
    expect(placeTables(once, { speed: 'new', sync: 'more' }).text).toBe(once);
  });
});

it('nameOf tells the kernels of models apart', () => {
  expect(nameOf({ bench: 'kernels', step: { model: 'gap19k' } })).toBe('kernels gap19k');
  expect(nameOf(speed)).toBe('speed');
});
