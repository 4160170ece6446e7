/** What a TensorFlow.js model says of its layers and weights, and errors that name the place. */
import { LockstepError } from '../errors/errors.js';
import type { TopologyLayer } from './tfjs-topology.js';

/** Values of every weight by its name in the manifest. */
export type TfjsValues = ReadonlyMap<string, { readonly shape: readonly number[]; readonly values: Float32Array }>;

export class TfjsSource {
  constructor(
    private readonly values: TfjsValues,
    readonly path: string,
  ) {}

  /** A size that is the same along both sides. */
  readSide(layer: TopologyLayer, key: string, byDefault?: number): number {
    const sides = [layer.config[key] ?? byDefault].flat().map(Number);
    if (!isAll(sides, sides[0] as number)) throw this.layerError(layer, `its ${key} ${sides.join('x')} is not square`);
    return sides[0] as number;
  }

  findWeight(layer: TopologyLayer, what: string, shape: readonly number[]): Float32Array {
    const name = `${layer.name}/${what}`;
    // Keras puts the name of the model or of the layer in front, and some versions ":0" behind
    const found = [...this.values].find(
      ([key]) => key === name || key.replace(/:0$/, '').endsWith(`/${name}`) || key === `${name}:0`,
    );
    if (!found) throw this.formatError(`has no weight ${name}`);
    const [, weight] = found;
    if (weight.shape.join() !== shape.join()) {
      throw this.formatError(`has ${name} as [${weight.shape.join(', ')}], expected [${shape.join(', ')}]`);
    }
    return weight.values;
  }

  formatError(text: string): LockstepError {
    return new LockstepError('LOCKSTEP_TFJS_FORMAT', `${this.path} ${text}.`);
  }

  layerError({ name, className }: TopologyLayer, reason: string): LockstepError {
    return new LockstepError(
      'LOCKSTEP_TFJS_LAYER',
      `${this.path}: the layer ${name} (${className}) cannot be read: ${reason}.`,
    );
  }
}

export const isAll = (values: unknown, value: number): boolean => [values].flat(2).every((one) => one === value);
