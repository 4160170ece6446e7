/** `lockstep bench`: training and inference speed against what the cores could do. */
import type { EngineName, KernelChoice } from '@lockstep/core/seams';
import { BenchNode } from './measure/bench-node.js';
import { type Spread, summarizeValues } from './measure/statistics.js';
import { inferenceFlops, trainingFlops, type Workload } from './measure/workload.js';

export interface SpeedOptions {
  /** Worker counts to measure, the one to compare with first. */
  readonly workers: readonly number[];
  /** Of each measurement. */
  readonly seconds: number;
  readonly repetitions: number;
  readonly engine: EngineName;
  readonly kernels?: KernelChoice | undefined;
}

/** What gives one number when asked; the position is that of the worker count. */
export interface SpeedSource {
  /** GFLOP/s that so many cores can do together. */
  peak(position: number): Promise<number>;
  /** Images/s. */
  train(position: number): Promise<number>;
  /** Images/s. */
  infer(position: number): Promise<number>;
}

/** Raw measurements of a model: [position of the worker count][repetition]. */
export interface SpeedSamples {
  readonly peaks: readonly number[][];
  readonly training: readonly number[][];
  readonly inference: readonly number[][];
}

/** One kind of work on one number of workers. */
export interface Throughput {
  readonly imagesPerSecond: Spread;
  /** FLOP/s, counted in direct convolutions, over the peak of the cores that were used. */
  readonly shareOfPeak: number;
  /** Speed-up over the first worker count, over the growth of the peak; 1 for the first itself. */
  readonly scalingEfficiency: number;
}

export interface WorkerFigures {
  readonly workers: number;
  readonly peakGigaflops: Spread;
  readonly training: Throughput;
  readonly inference: Throughput;
}

export interface ModelFigures {
  readonly model: string;
  readonly parameters: number;
  /** Per image, forward. */
  readonly multiplyAdds: number;
  /** Forward and backward, counted in direct convolutions. */
  readonly trainingFlopsPerImage: number;
  readonly figures: readonly WorkerFigures[];
}

/** Measures worker counts in turn, so that a slow minute of the machine meets all of them; peaks stand in between. */
export async function takeSamples(source: SpeedSource, options: SpeedOptions): Promise<SpeedSamples> {
  const lists = (): number[][] => options.workers.map(() => []);
  const samples = { peaks: lists(), training: lists(), inference: lists() };
  const take = async (into: number[][], measure: (position: number) => Promise<number>): Promise<void> => {
    for (const position of options.workers.keys()) {
      (samples.peaks[position] as number[]).push(await source.peak(position));
      (into[position] as number[]).push(await measure(position));
    }
  };
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    await take(samples.training, (position) => source.train(position));
    await take(samples.inference, (position) => source.infer(position));
  }
  return samples;
}

/** Rates, shares and efficiencies of a model from its raw measurements. */
export function summarizeSpeed(
  { model, parameters, multiplyAdds }: Pick<Workload, 'parameters' | 'multiplyAdds'> & { model: { name: string } },
  workers: readonly number[],
  { peaks, training, inference }: SpeedSamples,
): ModelFigures {
  const peakSpreads = peaks.map(summarizeValues);
  const summarizeKind = (rates: readonly number[][], flopsPerImage: number): Throughput[] => {
    const spreads = rates.map(summarizeValues);
    const shares = spreads.map(({ median }, i) => (median * flopsPerImage) / 1e9 / (peakSpreads[i] as Spread).median);
    return spreads.map((imagesPerSecond, i) => ({
      imagesPerSecond,
      shareOfPeak: shares[i] as number,
      // Speed-up over growth of the peak is the same as the quotient of the shares.
      scalingEfficiency: (shares[i] as number) / (shares[0] as number),
    }));
  };
  const trained = summarizeKind(training, trainingFlops(multiplyAdds));
  const inferred = summarizeKind(inference, inferenceFlops(multiplyAdds));
  return {
    model: model.name,
    parameters,
    multiplyAdds,
    trainingFlopsPerImage: trainingFlops(multiplyAdds),
    figures: workers.map((count, i) => ({
      workers: count,
      peakGigaflops: peakSpreads[i] as Spread,
      training: trained[i] as Throughput,
      inference: inferred[i] as Throughput,
    })),
  };
}

/** Measures one model with real nodes, all alive at once so that they can take turns. */
export async function measureSpeed(
  workload: Workload,
  options: SpeedOptions,
  peak: (workers: number) => Promise<number>,
): Promise<ModelFigures> {
  const nodes: BenchNode[] = [];
  try {
    for (const workers of options.workers) {
      const node = new BenchNode(workload, workers, { engine: options.engine, kernels: options.kernels });
      nodes.push(node);
      await node.warmUp(options.seconds);
    }
    const at = (position: number): BenchNode => nodes[position] as BenchNode;
    const source: SpeedSource = {
      peak: (position) => peak(options.workers[position] as number),
      train: (position) => at(position).measureTraining(),
      infer: (position) => at(position).measureInference(),
    };
    return summarizeSpeed(workload, options.workers, await takeSamples(source, options));
  } finally {
    for (const node of nodes) await node.close();
  }
}
