/**
 * The engine that computes with @tensorflow/tfjs-node: each shard's gradients by tf.variableGrads, in float32 on one
 * thread. Shards are computed one by one and added in the canonical order, so that on one machine the bits do not depend
 * on who computes which; they are not those of the native engine, nor of another processor.
 */

import { assert } from '@lockstep/core/errors';
import { fromTensorFlow } from '@lockstep/core/formats';
import type { Layer } from '@lockstep/core/model';
import {
  ALIGNMENT,
  type Freeze,
  listRounded,
  planFreeze,
  roundPartial,
  type Span,
  type StatisticsRegion,
} from '@lockstep/core/run';
import type { Engine, EngineData, EngineMemory, EngineTask, EvaluateCall, StepCall } from '../engine.js';
import { drawMask } from './dropout-mask.js';
import { InputWriter } from './input.js';
import { ENGINE_NAME, loadTensorFlow } from './installation.js';
import { measureLogits, readPredictions, writeTargets } from './loss.js';
import { dropoutProbability, hasNoEffect, type Moments, runForward, type TrainingPass } from './network.js';
import { StateVariables } from './state-variables.js';
import type { Tensor, TensorFlow, Variable } from './tfjs-node.js';

/** A shard's samples: positions in the step [first, first + labels.length). */
interface Shard {
  readonly first: number;
  readonly images: Int32Array;
  readonly labels: Uint8Array;
}

/** What a shard's forward and backward pass leaves, to be read and disposed of. */
interface ShardTensors {
  readonly loss: Tensor;
  readonly logits: Tensor;
  readonly gradients: Readonly<Record<string, Tensor>>;
  readonly moments: ReadonlyMap<number, Moments>;
}

export class TensorFlowEngine implements Engine {
  readonly name = ENGINE_NAME;
  readonly #tf: TensorFlow;
  readonly #state: StateVariables;
  readonly #input: InputWriter;
  readonly #freeze: Freeze;
  /** What gradients are taken of. */
  readonly #trained: readonly Variable[];
  readonly #classes: number;
  readonly #rounded: readonly Span[];

  constructor(
    private readonly task: EngineTask,
    private readonly memory: EngineMemory,
    private readonly data: EngineData,
    tf: TensorFlow = loadTensorFlow(),
  ) {
    const { layers, layout, recipe, normalization, seed } = task;
    const first = layers[0];
    const last = layers.at(-1);
    assert(first && last, () => 'a model without layers');
    this.#tf = tf;
    this.#freeze = planFreeze(layers, recipe.freeze);
    this.#rounded = listRounded(layout, recipe);
    this.#state = new StateVariables(tf, layers, layout, memory.arena);
    this.#input = new InputWriter({ shape: first.input, augmentation: recipe.augmentation, normalization, seed });
    this.#classes = last.output.channels * last.output.height * last.output.width;
    this.#trained = this.#state.parameters.filter((one) => this.#isTrained(one)).map(({ variable }) => variable);
  }

  #isTrained({ layer, region }: StateVariables['parameters'][number]): boolean {
    if (this.#freeze.names.has(region.parameter.name)) return false;
    return region.parameter.role !== 'bias' || !hasNoEffect(this.task.layers, layer, this.#freeze);
  }

  contribute(call: StepCall): void {
    this.#state.load(call.state);
    const sizes: number[] = [];
    for (let shard = call.firstShard; shard < call.endShard; shard++) {
      this.#noteProgress(call);
      this.#contributeShard(call, shard, this.#partial(call, sizes.length));
      sizes.push(1);
      this.#mergeNodes(call, sizes, shard + 1);
    }
  }

  #noteProgress({ progress }: { readonly progress: number }): void {
    const { buffer, byteOffset } = this.memory.arena;
    if (progress !== 0) Atomics.add(new Uint32Array(buffer, byteOffset + 4 * ALIGNMENT * progress, 1), 0, 1);
  }

  /** Adds the last two partials as long as they make up one of the canonical tree; they end before shard `end`. */
  #mergeNodes(call: StepCall, sizes: number[], end: number): void {
    for (;;) {
      const upper = sizes.at(-1) as number;
      const isPair = sizes.at(-2) === upper && (end - 2 * upper) % (2 * upper) === 0;
      if (!isPair) return;
      sizes.pop();
      sizes[sizes.length - 1] = 2 * upper;
      const sum = this.#partial(call, sizes.length - 1);
      const other = this.#partial(call, sizes.length);
      for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] as number) + (other[i] as number);
      roundPartial(sum, this.#rounded);
    }
  }

  #partial({ partials }: StepCall, index: number): Float32Array {
    const { length } = this.task.layout;
    const at = partials * ALIGNMENT + index * length;
    return this.memory.arena.subarray(at, at + length);
  }

  #pickShard(call: StepCall, index: number): Shard {
    const { shardSize } = this.task.recipe;
    const first = index * shardSize;
    const count = Math.min(shardSize, call.samples - first);
    const from = call.orderStart + first;
    const images = Int32Array.from(this.memory.order.subarray(from, from + count));
    return { first, images, labels: Uint8Array.from(images, (image) => this.data.labels[image] as number) };
  }

  #contributeShard(call: StepCall, index: number, out: Float32Array): void {
    const shard = this.#pickShard(call, index);
    const tensors = this.#differentiate(call, shard);
    // also what is no one's, and the gradients that are exactly 0
    out.fill(0);
    this.#writeGradients(tensors, out);
    for (const region of this.task.layout.regions) {
      if (region.kind === 'statistics') this.#writeStatistics(region, tensors, call, shard.labels.length, out);
    }
    const logits = tensors.logits.dataSync();
    out[this.task.layout.resultOffset] = tensors.loss.dataSync()[0] as number;
    out[this.task.layout.resultOffset + 1] = measureLogits(logits, shard.labels, this.#classes).correct;
    roundPartial(out, this.#rounded);
    dispose(tensors);
  }

  #differentiate(call: StepCall, shard: Shard): ShardTensors {
    const tf = this.#tf;
    const { layers, recipe } = this.task;
    return tf.tidy(() => {
      const images = this.#input.writeAugmented(this.data, shard.images, call.epoch);
      const input = tf.tensor(images, this.#inputShape(shard.images.length));
      const targets = writeTargets(shard.labels, this.#classes, recipe.labelSmoothing ?? 0);
      const target = tf.tensor(targets, [shard.labels.length, this.#classes]);
      const moments = new Map<number, Moments>();
      let logits: Tensor | undefined;
      const pass = this.#trainingPass(call, shard, moments);
      const { value, grads } = tf.variableGrads(() => {
        logits = tf.keep(runForward(tf, layers, input, this.#state, pass));
        return logits.logSoftmax().mul(target).sum().neg();
      }, this.#trained);
      for (const tensor of [value, ...Object.values(grads)]) tf.keep(tensor);
      return { loss: value, logits: logits as Tensor, gradients: grads, moments };
    });
  }

  #trainingPass({ step }: StepCall, { first, labels }: Shard, moments: Map<number, Moments>): TrainingPass {
    const tf = this.#tf;
    const { recipe, seed } = this.task;
    return {
      freeze: this.#freeze,
      parameter: (layer, role) => this.#state.parameter(layer, role),
      runningMean: (layer) => this.#state.runningMean(layer),
      runningVariance: (layer) => this.#state.runningVariance(layer),
      mask: (layer) => {
        const p = dropoutProbability(layer, recipe);
        if (p === 0) return undefined;
        const values = drawMask(layer, p, { seed, step, firstSample: first, sampleCount: labels.length });
        return tf.tensor(values, [values.length]);
      },
      keepMoments: ({ index }, { mean, variance }) => {
        moments.set(index, { mean: tf.keep(mean), variance: tf.keep(variance) });
      },
    };
  }

  #inputShape(count: number): readonly number[] {
    const { height, width, channels } = (this.task.layers[0] as Layer).input;
    return [count, height, width, channels];
  }

  #writeGradients({ gradients }: ShardTensors, out: Float32Array): void {
    for (const { region, variable, order } of this.#state.parameters) {
      const values = gradients[variable.name]?.dataSync();
      if (values) out.set(order ? fromTensorFlow(values, order) : values, region.offset);
    }
  }

  /** [n d][n d^2][n variance], d = shard mean - running mean; none of a batch norm that is frozen. */
  #writeStatistics(
    { offset, channels, valuesPerSample, layerIndex }: StatisticsRegion,
    { moments }: ShardTensors,
    call: StepCall,
    samples: number,
    out: Float32Array,
  ): void {
    const own = moments.get(layerIndex);
    if (!own) return;
    const mean = own.mean.dataSync();
    const variance = own.variance.dataSync();
    const n = samples * valuesPerSample;
    for (let c = 0; c < channels; c++) {
      const running = this.memory.arena[call.state * ALIGNMENT + offset + c] as number;
      const d = (mean[c] as number) - running;
      out[offset + c] = n * d;
      out[offset + channels + c] = n * d * d;
      out[offset + 2 * channels + c] = n * (variance[c] as number);
    }
  }

  evaluate(call: EvaluateCall, data: EngineData, results: Float32Array, logits?: Float32Array): void {
    this.#state.load(call.state);
    const { shardSize } = this.task.recipe;
    const begin = call.firstShard * shardSize;
    const end = Math.min(call.count, call.endShard * shardSize);
    const values = this.#evaluateImages(data, call.first + begin, end - begin);
    logits?.set(values, begin * this.#classes);
    readPredictions(values, this.#classes, results.subarray(2 * begin, 2 * end));
    for (let shard = call.firstShard; shard < call.endShard; shard++) {
      const from = shard * shardSize;
      const to = Math.min(call.count, from + shardSize);
      const own = values.subarray((from - begin) * this.#classes, (to - begin) * this.#classes);
      const { lossSum, correct } = measureLogits(
        own,
        data.labels.subarray(call.first + from, call.first + to),
        this.#classes,
      );
      results[2 * (call.count + shard)] = lossSum;
      results[2 * (call.count + shard) + 1] = correct;
    }
  }

  /** Logits of the images [first, first + count). */
  #evaluateImages(data: EngineData, first: number, count: number): Float32Array {
    const tf = this.#tf;
    return tf.tidy(() => {
      const indices = Int32Array.from({ length: count }, (_, i) => first + i);
      const input = tf.tensor(this.#input.write(data, indices), this.#inputShape(count));
      return runForward(tf, this.task.layers, input, this.#state).dataSync();
    });
  }
}

function dispose({ loss, logits, gradients, moments }: ShardTensors): void {
  for (const tensor of [loss, logits, ...Object.values(gradients)]) tensor.dispose();
  for (const { mean, variance } of moments.values()) {
    mean.dispose();
    variance.dispose();
  }
}
