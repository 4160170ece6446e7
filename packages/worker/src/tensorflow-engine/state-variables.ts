/** The run's state as TensorFlow variables, loaded from the arena before each call. */

import { type KernelOrder, orderKernel, toTensorFlow } from '@lockstep/core/formats';
import type { Layer, ParameterSpec } from '@lockstep/core/model';
import { ALIGNMENT, type ContributionLayout, type ParameterSegment, type StatisticsSegment } from '@lockstep/core/run';
import type { Pass } from './network.js';
import type { TensorFlow, Variable } from './tfjs.js';

export interface ParameterVariable {
  readonly segment: ParameterSegment;
  readonly layer: Layer;
  readonly variable: Variable;
  /** Of a convolution's weight; others are in PyTorch's order. */
  readonly order: KernelOrder | undefined;
}

interface StatisticsVariables {
  readonly segment: StatisticsSegment;
  readonly mean: Variable;
  readonly variance: Variable;
}

/** TensorFlow registers variables under names, for all engines of a thread. */
let engineCount = 0;

export class StateVariables implements Pass {
  readonly parameters: readonly ParameterVariable[];
  readonly #statistics: readonly StatisticsVariables[];

  constructor(
    private readonly tf: TensorFlow,
    layers: readonly Layer[],
    layout: ContributionLayout,
    private readonly arena: Float32Array,
  ) {
    const prefix = `lockstep${engineCount++}`;
    const create = (shape: readonly number[], name: string): Variable =>
      tf.tidy(() => {
        const zeros = tf.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
        return tf.variable(zeros, true, `${prefix}/${name}`);
      });
    this.parameters = layout.segments.flatMap((segment) => {
      if (segment.kind !== 'parameter') return [];
      const layer = layers[segment.layerIndex] as Layer;
      const { role, shape, name } = segment.parameter;
      const order = layer.spec.type === 'conv' && role === 'weight' ? orderKernel(layer) : undefined;
      return [{ segment, layer, order, variable: create(order?.shape ?? shape, name) }];
    });
    this.#statistics = layout.segments.flatMap((segment) => {
      if (segment.kind !== 'statistics') return [];
      const named = (what: string): Variable => create([segment.channels], `${segment.layerIndex}.${what}`);
      return [{ segment, mean: named('running_mean'), variance: named('running_var') }];
    });
  }

  /** @param unit arena offset / 16 of the state */
  load(unit: number): void {
    const at = unit * ALIGNMENT;
    // a copy: the library must not hold on to memory that other threads write
    const copy = (offset: number, size: number): Float32Array =>
      Float32Array.from(this.arena.subarray(at + offset, at + offset + size));
    for (const { segment, order, variable } of this.parameters) {
      const values = copy(segment.offset, segment.size);
      this.#assign(variable, order ? toTensorFlow(values, order) : values);
    }
    for (const { segment, mean, variance } of this.#statistics) {
      this.#assign(mean, copy(segment.offset, segment.channels));
      this.#assign(variance, copy(segment.offset + segment.channels, segment.channels));
    }
  }

  #assign(variable: Variable, values: Float32Array): void {
    const tensor = this.tf.tensor(values, variable.shape);
    variable.assign(tensor);
    tensor.dispose();
  }

  parameter(layer: Layer, role: ParameterSpec['role']): Variable {
    const found = this.parameters.find((one) => one.layer === layer && one.segment.parameter.role === role);
    return (found as ParameterVariable).variable;
  }

  runningMean(layer: Layer): Variable {
    return this.#statisticsOf(layer).mean;
  }

  runningVariance(layer: Layer): Variable {
    return this.#statisticsOf(layer).variance;
  }

  #statisticsOf({ index }: Layer): StatisticsVariables {
    return this.#statistics.find(({ segment }) => segment.layerIndex === index) as StatisticsVariables;
  }
}
