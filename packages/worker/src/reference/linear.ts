/** Fully connected layer as torch.nn.Linear: out = input * weight^T + bias, weight [out][in]. */
import { addScaled, at, dotStrided } from './tensor.js';

export interface LinearSize {
  readonly inFeatures: number;
  readonly outFeatures: number;
}

/** input [sample][in], bias [out] or undefined; gives [sample][out]. */
export function linearForward(
  size: LinearSize,
  sampleCount: number,
  input: Float64Array,
  weight: Float64Array,
  bias: Float64Array | undefined,
): Float64Array {
  const out = new Float64Array(sampleCount * size.outFeatures);
  forEachOutput(size, sampleCount, (o, feature, inStart, weightStart) => {
    const inRow = { values: input, start: inStart, stride: 1 };
    const product = dotStrided({ values: weight, start: weightStart, stride: 1 }, inRow, size.inFeatures);
    out[o] = product + (bias ? at(bias, feature) : 0);
  });
  return out;
}

/** Gradient of the input. */
export function linearInputGradient(
  size: LinearSize,
  sampleCount: number,
  weight: Float64Array,
  dOut: Float64Array,
): Float64Array {
  const dInput = new Float64Array(sampleCount * size.inFeatures);
  forEachOutput(size, sampleCount, (o, _feature, inStart, weightStart) => {
    const weightRow = { values: weight, start: weightStart, stride: 1 };
    addScaled({ values: dInput, start: inStart, stride: 1 }, at(dOut, o), weightRow, size.inFeatures);
  });
  return dInput;
}

/** Gradient of the weight, summed over the samples. */
export function linearWeightGradient(
  size: LinearSize,
  sampleCount: number,
  input: Float64Array,
  dOut: Float64Array,
): Float64Array {
  const dWeight = new Float64Array(size.outFeatures * size.inFeatures);
  forEachOutput(size, sampleCount, (o, _feature, inStart, weightStart) => {
    const inRow = { values: input, start: inStart, stride: 1 };
    addScaled({ values: dWeight, start: weightStart, stride: 1 }, at(dOut, o), inRow, size.inFeatures);
  });
  return dWeight;
}

/** Visits each output with its feature and where its sample's input and its feature's weights start. */
function forEachOutput(
  { inFeatures, outFeatures }: LinearSize,
  sampleCount: number,
  visit: (output: number, feature: number, inStart: number, weightStart: number) => void,
): void {
  for (let sample = 0; sample < sampleCount; sample++) {
    for (let feature = 0; feature < outFeatures; feature++) {
      visit(sample * outFeatures + feature, feature, sample * inFeatures, feature * inFeatures);
    }
  }
}
