import { describe, expect, it } from 'vitest';
import type { Costs, ModelCosts } from './costs.js';
import { CABLE_BYTES, predictStep, type StepCase } from './predict-step.js';

/** One bucket of 1 MiB, shards of 10 ms, and nothing else that costs. */
const model: ModelCosts = {
  model: 'round',
  floats: 2 ** 18,
  tailFloats: 0,
  shardSize: 16,
  threads: [
    { threads: 1, contributeBase: 0, contributeShard: 0.01, afterTail: 0, foldVector: 0, updateVector: 0, order: 0 },
  ],
};
const free: Costs = {
  calibration: 4,
  machine: {},
  date: '2026-01-01',
  cores: 2,
  message: { send: 0, receive: 0, sendByte: 0, receiveByte: 0 },
  step: { swap: 0, star: 0, mesh: 0 },
  models: [model],
};
/** A cable takes 10 ms for a vector. */
const BITS = (8 * 2 ** 20 * CABLE_BYTES) / 0.01;
const two: StepCase = {
  nodes: 2,
  threads: 1,
  topology: 'star',
  groupSize: 2,
  batchSize: 256,
  bitsPerSecond: BITS,
  latency: 0,
};
const step = (change: Partial<StepCase>, costs: Costs = free, of: ModelCosts = model): number =>
  predictStep(costs, of, { ...two, ...change }).step;

describe('predictStep', () => {
  it('takes a node alone to compute all shards', () => {
    expect(step({ nodes: 1 })).toBeCloseTo(0.16, 9);
    expect(predictStep(free, model, { ...two, nodes: 1 })).toMatchObject({ efficiency: 1, totalBytes: 0 });
  });

  it('sends the vector up a star of two and down again: 10 ms each, after half of the shards', () => {
    expect(step({})).toBeCloseTo(0.08 + 0.02, 9);
  });

  it('hides of the exchange what the tail has of it, or as much as is computed after the tail', () => {
    const withTail = (tailFloats: number, afterTail: number): ModelCosts => ({
      ...model,
      tailFloats,
      threads: model.threads.map((threads) => ({ ...threads, afterTail })),
    });
    expect(step({}, free, withTail(2 ** 17, 0.5))).toBeCloseTo(0.08 + 0.02 / 2, 9);
    expect(step({}, free, withTail(2 ** 18, 0.1))).toBeCloseTo(0.08 * 0.9 + 0.02, 9);
    // main threads that have no core of their own take turns with computing: only the cable's time is hidden
    const slow: Costs = { ...free, message: { send: 0, receive: 0, sendByte: 1e-8, receiveByte: 0 } };
    const shared = predictStep(slow, withTail(2 ** 18, 1), { ...two, sharedCores: 2 });
    expect(shared.overlap).toBeCloseTo(0.01, 9);
  });

  it("fills the coordinator's cable with a result for each other node, and with the sum of the last, who begins last", () => {
    expect(step({ nodes: 5, batchSize: 16 * 5 })).toBeCloseTo(0.01 + 0.01 + 0.04, 9);
  });

  it('sends 2 (N - 1) / N vectors through each cable of a mesh, however many nodes there are', () => {
    for (const nodes of [2, 4, 16, 64]) {
      const figures = predictStep(free, model, { ...two, topology: 'mesh', nodes, batchSize: 16 * nodes });
      expect(figures.exchange).toBeCloseTo((0.02 * (nodes - 1)) / nodes, 9);
      expect(figures.connections).toBe(nodes - 1);
    }
  });

  it('sends every canonical sum of a range that is not a power of two', () => {
    // 3, 3 and 2 shards of 8: two, two and one sums; the last two nodes send three
    const { totalBytes } = predictStep(free, model, { ...two, nodes: 3, batchSize: 128, bitsPerSecond: 1e15 });
    expect(totalBytes / 2 ** 20).toBe(3 + 2);
  });

  it('lets only as many nodes compute as there are shards', () => {
    expect(predictStep(free, model, { ...two, nodes: 20, batchSize: 128 })).toMatchObject({ shards: 8, computing: 8 });
  });

  it('pays for messages one by one: a star N - 1 both ways, a group its members and the other leaders', () => {
    const slow: Costs = { ...free, message: { send: 1e-3, receive: 1e-3, sendByte: 0, receiveByte: 0 } };
    const exchange = (topology: StepCase['topology']): number =>
      predictStep(slow, model, {
        ...two,
        topology,
        nodes: 16,
        groupSize: 4,
        batchSize: 256,
        bitsPerSecond: Number.POSITIVE_INFINITY,
      }).exchange;
    // 14 nodes are told of the next step while one shard of 10 ms is computed
    const control = 14e-3 - 10e-3;
    // the coordinator's main thread has 15 sums, 15 results and 14 assignments to handle, in a step with 10 ms of computing
    expect(exchange('star')).toBeCloseTo(44e-3 - 10e-3, 9);
    // one owner: member 1, leader 1, coordinator 3 and 3, leader 3, member 1; `applied` is waited for
    expect(exchange('hierarchical')).toBeCloseTo(12e-3 + control + 14e-3, 9);
  });

  it('counts each wait for the network by its latency', () => {
    expect(step({ latency: 0.005 }) - step({})).toBeCloseTo(2 * 0.005, 9);
  });

  it('moves bucket by bucket: a vector of ten goes up and down at the same time', () => {
    const ten = { ...model, floats: 10 * 2 ** 18 };
    const { exchange } = predictStep(free, ten, two);
    expect(exchange).toBeCloseTo(0.02 + 9 * 0.01, 9);
  });

  it('lets the coordinator of a star compute while sums travel to the others and back', () => {
    // rounder shares, since the cable sets the pace: four shards of eight for the coordinator, two for each of the others
    const figures = predictStep(free, model, { ...two, nodes: 3, batchSize: 128 });
    expect(figures.step).toBeCloseTo(0.02 + 0.01 + 0.02, 9);
    expect(figures.compute).toBeCloseTo(0.04, 9);
    expect(figures.overlap).toBeCloseTo(0.02, 9);
    // on a cable twice as slow or slower that hides all of it
    expect(step({ nodes: 3, batchSize: 128, bitsPerSecond: BITS / 2 })).toBeCloseTo(0.02 + 0.06, 9);
  });

  it('lets nodes on the same cores take turns', () => {
    // the last waits for a turn of 4 ms
    expect(step({ nodes: 4, sharedCores: 2, bitsPerSecond: 1e15 })).toBeCloseTo(0.084, 6);
    expect(step({ nodes: 4, sharedCores: 4, bitsPerSecond: 1e15 })).toBeCloseTo(0.04, 6);
  });
});
