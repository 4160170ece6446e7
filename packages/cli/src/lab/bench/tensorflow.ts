/** `lockstep bench --engines native,tensorflow`: both engines, and TensorFlow.js as it is used without Lockstep. */

import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { assumeData } from '@lockstep/core/data';
import { encodeTfjsModel, type TfjsLayer } from '@lockstep/core/formats';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters } from '@lockstep/core/run';
import type { EngineName, KernelChoice } from '@lockstep/core/seams';
import type { ModelSpec } from '@lockstep/core/spec';
import { fixed } from '@lockstep/core/text';
import { prepareTensorFlow, tensorFlowFolder } from '@lockstep/worker/tensorflow-engine';
import { formatTable } from '../../terminal/text-table.js';
import { BenchNode } from './measure/bench-node.js';
import { formatRange, formatRate } from './measure/rate-text.js';
import { type Spread, summarizeValues } from './measure/statistics.js';
import { BENCH_BATCH, BENCH_SEED, type Workload } from './measure/workload.js';
import type { BaselineTask } from './tfjs-baseline.js';

export interface EngineOptions {
  readonly engines: readonly EngineName[];
  readonly workers: readonly number[];
  readonly seconds: number;
  readonly repetitions: number;
  /** Of the native engine. */
  readonly kernels?: KernelChoice | undefined;
}

export interface EngineFigure {
  readonly engine: EngineName;
  readonly workers: number;
  /** Of training. */
  readonly imagesPerSecond: Spread;
  /** Median over that of trainOnBatch. */
  readonly timesBaseline: number;
}

export interface EngineComparison {
  readonly model: string;
  /** Images/s of tfjs's trainOnBatch in a process of its own, with as many threads as it takes by itself, or TF_NUM_INTRAOP_THREADS says. */
  readonly baseline: Spread;
  readonly figures: readonly EngineFigure[];
}

/**
 * Measures one model: every engine on every number of workers, and trainOnBatch, in turn.
 *
 * @throws LockstepError LOCKSTEP_ENGINE_MISSING when tensorflow is not set up
 */
export async function compareEngines(workload: Workload, options: EngineOptions): Promise<EngineComparison> {
  const environment = { ...process.env };
  // checked before anything is measured, whatever engines were asked for: the baseline needs it
  prepareTensorFlow();
  const baseline = new Baseline(workload, environment);
  const nodes: BenchNode[] = [];
  try {
    const cases = options.engines.flatMap((engine) => options.workers.map((workers) => ({ engine, workers })));
    for (const { engine, workers } of cases) {
      const node = new BenchNode(workload, workers, { engine, kernels: options.kernels });
      nodes.push(node);
      await node.warmUp(options.seconds);
    }
    const rates: number[][] = cases.map(() => []);
    const baselineRates: number[] = [];
    for (let repetition = 0; repetition < options.repetitions; repetition++) {
      for (const [i, node] of nodes.entries()) (rates[i] as number[]).push(await node.measureTraining());
      baselineRates.push(await baseline.measure(options.seconds));
    }
    const spread = summarizeValues(baselineRates);
    const figures = cases.map((one, i) => {
      const imagesPerSecond = summarizeValues(rates[i] as number[]);
      return { ...one, imagesPerSecond, timesBaseline: imagesPerSecond.median / spread.median };
    });
    return { model: workload.model.name, baseline: spread, figures };
  } finally {
    for (const node of nodes) await node.close();
    baseline.close();
  }
}

/** The process of tfjs-baseline.ts. */
class Baseline {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #lines: Interface;

  constructor(workload: Workload, environment: NodeJS.ProcessEnv) {
    const script = fileURLToPath(new URL('./tfjs-baseline.js', import.meta.url));
    const env = { ...environment, TF_CPP_MIN_LOG_LEVEL: '2' };
    this.#child = spawn(process.execPath, [script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout as NonNullable<ChildProcess['stdout']> });
    this.#answers = this.#lines[Symbol.asyncIterator]();
    this.#tell(planBaseline(workload));
  }

  #tell(message: BaselineTask | { readonly seconds: number }): void {
    this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
  }

  async measure(seconds: number): Promise<number> {
    this.#tell({ seconds });
    for (;;) {
      const { value, done } = await this.#answers.next();
      if (done) throw new Error('the process that measures trainOnBatch has ended; its own message is above');
      // the library says hello on stdout
      if (value.startsWith('{')) return (JSON.parse(value) as { imagesPerSecond: number }).imagesPerSecond;
    }
  }

  close(): void {
    this.#lines.close();
    this.#child.kill();
  }
}

function planBaseline({ model, dataset }: Workload): BaselineTask {
  const { channels, height, width } = model.input;
  const pixels = channels * height * width;
  const { images, labels } = dataset.train;
  const inputs = Array.from({ length: BENCH_BATCH * pixels }, (_, i) => {
    const channel = i % channels;
    const at =
      Math.floor(i / pixels) * pixels + channel * height * width + (Math.floor(i / channels) % (height * width));
    return ((images[at] as number) / 255 - (dataset.mean[channel] as number)) / (dataset.std[channel] as number);
  });
  return {
    folder: tensorFlowFolder(),
    modelTopology: plainTopology(model),
    batchSize: BENCH_BATCH,
    classes: model.classes,
    labels: [...labels.subarray(0, BENCH_BATCH)],
    inputs,
    inputShape: [height, width, channels],
  };
}

/** The layers as a user would write them: normalized input, softmax at the end. */
function plainTopology(model: ModelSpec): BaselineTask['modelTopology'] {
  const layers = inferLayers(model);
  const state = { parameters: initialParameters(layers, BENCH_SEED), buffers: initialBuffers(layers) };
  const { modelTopology } = encodeTfjsModel(model, state, assumeData(model)).modelJson;
  const [, first, ...rest] = modelTopology.config.layers as [TfjsLayer, TfjsLayer];
  const { channels, height, width } = model.input;
  const opening = { ...first, config: { ...first.config, batch_input_shape: [null, height, width, channels] } };
  const softmax = { class_name: 'Activation', config: { name: 'probabilities', activation: 'softmax' } };
  return { ...modelTopology, config: { ...modelTopology.config, layers: [opening, ...rest, softmax] } };
}

/** One line per model, engine and number of workers. */
export function formatEngines(models: readonly EngineComparison[]): string[] {
  const rows = models.flatMap(({ model, baseline, figures }) => [
    ...figures.map(({ engine, workers, imagesPerSecond, timesBaseline }) => [
      model,
      engine,
      String(workers),
      formatRate(imagesPerSecond.median),
      formatRange(imagesPerSecond),
      `${fixed(timesBaseline, timesBaseline < 10 ? 2 : 1)}x`,
    ]),
    [model, 'trainOnBatch', '-', formatRate(baseline.median), formatRange(baseline), '1x'],
  ]);
  const headings = ['Model', 'Engine', 'Workers', 'Training images/s', '(min-max)', 'of trainOnBatch'];
  return formatTable([headings, ...rows], 'llrrrr');
}
