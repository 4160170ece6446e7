/** The run's state as TensorFlow variables, loaded from the arena before each call. */

import { type KernelOrder, orderKernel, toTensorFlow } from '@lockstep/core/formats';
import type { Layer, ParameterSpec } from '@lockstep/core/model';
import { ALIGNMENT, type ContributionLayout, type ParameterRegion, type StatisticsRegion } from '@lockstep/core/run';
import type { Pass } from './network.js';
import type { TensorFlow, Variable } from './tfjs-node.js';

export interface ParameterVariable {
  readonly region: ParameterRegion;
  readonly layer: Layer;
  readonly variable: Variable;
  /** Of a convolution's weight; others are in PyTorch's order. */
  readonly order: KernelOrder | undefined;
}

interface StatisticsVariables {
  readonly region: StatisticsRegion;
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
    this.parameters = layout.regions.flatMap((region) => {
      if (region.kind !== 'parameter') return [];
      const layer = layers[region.layerIndex] as Layer;
      const { role, shape, name } = region.parameter;
      const order = layer.spec.type === 'conv' && role === 'weight' ? orderKernel(layer) : undefined;
      return [{ region, layer, order, variable: create(order?.shape ?? shape, name) }];
    });
    this.#statistics = layout.regions.flatMap((region) => {
      if (region.kind !== 'statistics') return [];
      const named = (what: string): Variable => create([region.channels], `${region.layerIndex}.${what}`);
      return [{ region, mean: named('running_mean'), variance: named('running_var') }];
    });
  }

  /** @param unit arena offset / 16 of the state */
  load(unit: number): void {
    const at = unit * ALIGNMENT;
    // a copy: the library must not hold on to memory that other threads write
    const copy = (offset: number, size: number): Float32Array =>
      Float32Array.from(this.arena.subarray(at + offset, at + offset + size));
    for (const { region, order, variable } of this.parameters) {
      const values = copy(region.offset, region.size);
      this.#assign(variable, order ? toTensorFlow(values, order) : values);
    }
    for (const { region, mean, variance } of this.#statistics) {
      this.#assign(mean, copy(region.offset, region.channels));
      this.#assign(variance, copy(region.offset + region.channels, region.channels));
    }
  }

  #assign(variable: Variable, values: Float32Array): void {
    const tensor = this.tf.tensor(values, variable.shape);
    variable.assign(tensor);
    tensor.dispose();
  }

  parameter(layer: Layer, role: ParameterSpec['role']): Variable {
    const found = this.parameters.find((one) => one.layer === layer && one.region.parameter.role === role);
    return (found as ParameterVariable).variable;
  }

  runningMean(layer: Layer): Variable {
    return this.#statisticsOf(layer).mean;
  }

  runningVariance(layer: Layer): Variable {
    return this.#statisticsOf(layer).variance;
  }

  #statisticsOf({ index }: Layer): StatisticsVariables {
    return this.#statistics.find(({ region }) => region.layerIndex === index) as StatisticsVariables;
  }
}
