/** The part of @tensorflow/tfjs-node that the engine uses. Its own types would have to be installed with every clone. */

export interface Tensor {
  readonly shape: readonly number[];
  dataSync(): Float32Array;
  dispose(): void;
  add(other: Tensor): Tensor;
  sub(other: Tensor): Tensor;
  mul(other: Tensor | number): Tensor;
  relu(): Tensor;
  sum(): Tensor;
  neg(): Tensor;
  mean(axis: readonly number[], keepDimensions: boolean): Tensor;
  logSoftmax(): Tensor;
  reshape(shape: readonly number[]): Tensor;
  transpose(order: readonly number[]): Tensor;
}

export interface Variable extends Tensor {
  readonly name: string;
  assign(value: Tensor): void;
}

export type Padding = 'valid' | 'same';

export interface TensorFlow {
  readonly version: Readonly<Record<string, string>>;
  getBackend(): string;
  memory(): { readonly numTensors: number };
  tidy<T>(compute: () => T): T;
  keep(tensor: Tensor): Tensor;
  tensor(values: Float32Array, shape: readonly number[]): Tensor;
  variable(initial: Tensor, trainable: boolean, name: string): Variable;
  variableGrads(
    compute: () => Tensor,
    variables: readonly Variable[],
  ): { readonly value: Tensor; readonly grads: Readonly<Record<string, Tensor>> };
  moments(x: Tensor, axis: readonly number[]): { readonly mean: Tensor; readonly variance: Tensor };
  batchNorm(x: Tensor, mean: Tensor, variance: Tensor, offset: Tensor, scale: Tensor, epsilon: number): Tensor;
  conv2d(x: Tensor, kernel: Tensor, stride: number, padding: Padding): Tensor;
  depthwiseConv2d(x: Tensor, kernel: Tensor, stride: number, padding: Padding): Tensor;
  maxPool(x: Tensor, kernel: number, stride: number, padding: Padding): Tensor;
  avgPool(x: Tensor, kernel: number, stride: number, padding: Padding): Tensor;
  matMul(a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean): Tensor;
  pad(x: Tensor, widths: readonly (readonly [number, number])[]): Tensor;
  split(x: Tensor, parts: number, axis: number): Tensor[];
  concat(parts: readonly Tensor[], axis: number): Tensor;
  rsqrt(x: Tensor): Tensor;
}
