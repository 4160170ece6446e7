/**
 * fast-check arbitraries of small valid models and of shards for them, shared by the tests of the reference and of
 * the kernels.
 *
 * A body layer is drawn as a kind and a few free numbers, then bent to fit the shape it meets: every draw is a valid
 * model, and fast-check can shrink it by dropping layers and lowering numbers.
 */
import type { LayerSpec, ModelSpec, Shape } from '@lockstep/core';
import fc from 'fast-check';

/** Larger than any layer of a drawn model needs, so that test runs stay short. */
const MAX_CHANNELS = 12;

const bodyKinds = ['conv', 'depthwise', 'batchNorm', 'relu', 'maxPool', 'avgPool', 'dropout'] as const;
const headKinds = ['linear', 'twoLinear', 'fullConv', 'globalPool'] as const;

interface BodyDraw {
  readonly kind: (typeof bodyKinds)[number];
  readonly channels: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly groups: number;
  readonly bias: boolean;
  readonly p: number;
}

interface HeadDraw {
  readonly kind: (typeof headKinds)[number];
  readonly hidden: number;
  readonly bias: boolean;
  readonly logSoftmax: boolean;
}

const bodyDraw: fc.Arbitrary<BodyDraw> = fc.record({
  kind: fc.constantFrom(...bodyKinds),
  channels: fc.integer({ min: 1, max: MAX_CHANNELS }),
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  padding: fc.integer({ min: 0, max: 3 }),
  groups: fc.integer({ min: 1, max: 4 }),
  bias: fc.boolean(),
  p: fc.constantFrom(0.1, 0.25, 0.5),
});

const headDraw: fc.Arbitrary<HeadDraw> = fc.record({
  kind: fc.constantFrom(...headKinds),
  hidden: fc.integer({ min: 1, max: 20 }),
  bias: fc.boolean(),
  logSoftmax: fc.boolean(),
});

/** Images up to 3x12x12, not always square. */
export const imageShape: fc.Arbitrary<Shape> = fc.record({
  channels: fc.integer({ min: 1, max: 3 }),
  height: fc.integer({ min: 1, max: 12 }),
  width: fc.integer({ min: 1, max: 12 }),
});

/** A valid model: one to five layers of any type, then a head that ends in 2 to 10 classes. */
export const randomModel: fc.Arbitrary<ModelSpec> = fc
  .record({
    input: imageShape,
    classes: fc.integer({ min: 2, max: 10 }),
    body: fc.array(bodyDraw, { minLength: 1, maxLength: 5 }),
    head: headDraw,
  })
  .map(({ input, classes, body, head }) => buildModel(input, classes, body, head));

/** What a test needs besides the model: a seed for random-values and how many samples to run. */
export interface ShardDraw {
  readonly seed: number;
  readonly sampleCount: number;
}

/**
 * Shards of `minSamples` to `maxSamples` samples. For comparisons in float32 take at least 8: with two or three values
 * per channel the gradient through a batch norm is all cancellation.
 */
export const randomShard = (minSamples: number, maxSamples: number): fc.Arbitrary<ShardDraw> =>
  fc.record({ seed: fc.nat(), sampleCount: fc.integer({ min: minSamples, max: maxSamples }) });

function buildModel(input: Shape, classes: number, body: readonly BodyDraw[], head: HeadDraw): ModelSpec {
  const layers: LayerSpec[] = [];
  let shape = input;
  for (const draw of body) {
    const spec = fitLayer(draw, shape);
    layers.push(spec);
    shape = shapeAfter(spec, shape);
  }
  layers.push(...fitHead(head, shape, classes));
  return { name: 'random', input, classes, layers };
}

function fitLayer(draw: BodyDraw, input: Shape): LayerSpec {
  switch (draw.kind) {
    case 'conv':
      return fitConv(draw, input, greatestCommonDivisor(draw.groups, input.channels), draw.channels);
    case 'depthwise':
      return fitConv(draw, input, input.channels, input.channels * (1 + (draw.channels % 2)));
    case 'maxPool':
    case 'avgPool': {
      const kernel = Math.min(draw.kernel, input.height, input.width);
      // A stride left out means the kernel: draw that case too.
      return draw.bias ? { type: draw.kind, kernel } : { type: draw.kind, kernel, stride: draw.stride };
    }
    case 'dropout':
      return { type: 'dropout', p: draw.p };
    default:
      return { type: draw.kind };
  }
}

/** A conv whose kernel fits its padded input, of at most MAX_CHANNELS channels where the groups allow it. */
function fitConv(draw: BodyDraw, input: Shape, groups: number, wantedChannels: number): LayerSpec {
  const kernel = Math.min(draw.kernel, Math.min(input.height, input.width) + 2 * draw.padding);
  const perGroup = Math.max(1, Math.floor(Math.min(wantedChannels, MAX_CHANNELS) / groups));
  return {
    type: 'conv',
    outChannels: perGroup * groups,
    kernel,
    stride: draw.stride,
    padding: draw.padding,
    groups,
    bias: draw.bias,
  };
}

/** Layers that take any shape to exactly `classes` values. */
function fitHead({ kind, hidden, bias, logSoftmax }: HeadDraw, shape: Shape, classes: number): LayerSpec[] {
  const last: LayerSpec[] = logSoftmax ? [{ type: 'logSoftmax' }] : [];
  const linear = (outFeatures: number): LayerSpec => ({ type: 'linear', outFeatures, bias });
  const plain = { stride: 1, padding: 0, groups: 1, bias };
  const conv = (kernel: number): LayerSpec => ({ type: 'conv', outChannels: classes, kernel, ...plain });
  switch (kind) {
    case 'linear':
      return [{ type: 'flatten' }, linear(classes), ...last];
    case 'twoLinear':
      return [{ type: 'flatten' }, linear(hidden), { type: 'batchNorm' }, { type: 'relu' }, linear(classes), ...last];
    case 'fullConv':
      // A square kernel as large as a square image leaves 1x1; other images still need the mean.
      if (shape.height === shape.width) return [conv(shape.height), ...last];
      return [conv(Math.min(shape.height, shape.width)), { type: 'globalAvgPool' }, ...last];
    case 'globalPool':
      return [conv(1), { type: 'globalAvgPool' }, { type: 'flatten' }, ...last];
  }
}

function shapeAfter(spec: LayerSpec, { channels, height, width }: Shape): Shape {
  if (spec.type !== 'conv' && spec.type !== 'maxPool' && spec.type !== 'avgPool') return { channels, height, width };
  const padding = spec.type === 'conv' ? spec.padding : 0;
  const stride = spec.stride ?? spec.kernel;
  const side = (n: number): number => Math.floor((n + 2 * padding - spec.kernel) / stride) + 1;
  return { channels: spec.type === 'conv' ? spec.outChannels : channels, height: side(height), width: side(width) };
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
