/** The default engine: a model compiled to a program of native kernels. */
import { ALIGNMENT } from '@lockstep/core/run';
import {
  CALL_FIELDS,
  callField,
  contributePart,
  loadKernels,
  type NativeEngine as NativeHandle,
  type NativeKernels,
} from '@lockstep/kernels';
import type { Engine, EngineData, EngineMemory, EngineTask, EvaluateCall, StepCall } from '../engine.js';
import { compile } from './compile.js';

export class NativeEngine implements Engine {
  readonly name: string;
  readonly #kernels: NativeKernels;
  readonly #code: Int32Array;
  readonly #hasTail: boolean;
  readonly #training: NativeHandle;
  readonly #call = new Int32Array(CALL_FIELDS);
  readonly #evaluators = new WeakMap<Uint8Array, NativeHandle>();

  constructor(
    task: EngineTask,
    private readonly memory: EngineMemory,
    data: EngineData,
  ) {
    this.#kernels = loadKernels(memory.kernels);
    this.name = `native (${this.#kernels.isa})`;
    const { code, tailAt } = compile({ ...task, normalization: task.normalization });
    this.#code = code;
    this.#hasTail = tailAt < task.layout.length;
    this.#training = this.#create(data);
    this.#call[callField.partialFloats] = task.layout.length / ALIGNMENT;
    this.#call[callField.seedLow] = task.seed | 0;
    this.#call[callField.seedHigh] = Math.floor(task.seed / 2 ** 32) | 0;
  }

  #create({ images, labels }: EngineData): NativeHandle {
    return this.#kernels.createEngine(this.#code, this.memory.arena, images, labels, this.memory.order);
  }

  contribute(call: StepCall, onTail?: () => void): void {
    const fields = this.#call;
    fields[callField.state] = call.state;
    fields[callField.partials] = call.partials;
    fields[callField.firstShard] = call.firstShard;
    fields[callField.endShard] = call.endShard;
    fields[callField.samples] = call.samples;
    fields[callField.order] = call.orderStart;
    fields[callField.step] = call.step;
    fields[callField.epoch] = call.epoch;
    fields[callField.progress] = call.progress;
    if (!onTail || !this.#hasTail) {
      this.#contributePart(contributePart.whole);
      return;
    }
    this.#contributePart(contributePart.allButLastStage);
    onTail();
    this.#contributePart(contributePart.lastStage);
  }

  #contributePart(part: number): void {
    this.#call[callField.part] = part;
    this.#kernels.contribute(this.#training, this.#call);
  }

  evaluate(call: EvaluateCall, data: EngineData, results: Float32Array, logits?: Float32Array): void {
    const fields = this.#call;
    fields[callField.state] = call.state;
    fields[callField.order] = call.first;
    fields[callField.samples] = call.count;
    fields[callField.firstShard] = call.firstShard;
    fields[callField.endShard] = call.endShard;
    fields[callField.progress] = call.progress;
    if (logits) this.#kernels.evaluate(this.#evaluator(data), fields, results, logits);
    else this.#kernels.evaluate(this.#evaluator(data), fields, results);
  }

  /** One handle per split; it shares nothing with the others but the arena. */
  #evaluator(data: EngineData): NativeHandle {
    const known = this.#evaluators.get(data.images);
    if (known) return known;
    const created = this.#create(data);
    this.#evaluators.set(data.images, created);
    return created;
  }
}
