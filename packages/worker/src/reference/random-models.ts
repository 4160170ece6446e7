/**
 * fast-check arbitraries of small valid models and of shards for them, shared by the tests of the reference and of
 * the kernels.
 *
 * A body layer is drawn as a kind and a few free numbers, then bent to fit the shape it meets: every draw is a valid
 * model, and fast-check can shrink it by dropping layers and lowering numbers. A flatten or a linear layer may stand
 * anywhere in the body; what needs an image and finds a vector becomes its like for vectors.
 */
import { elementCount, type Shape } from '@lockstep/core/model';
import type { LayerSpec, ModelSpec } from '@lockstep/core/spec';
import fc from 'fast-check';

/** Larger than any layer of a drawn model needs, so that test runs stay short. */
const MAX_CHANNELS = 12;
/** Outputs of a large dense layer; what would need more is small. */
const MOST_LARGE = 600;

/** Weights of a dense layer from which the native engine has a wave stage. */
export const LARGE_DENSE_WEIGHTS = 16_384;

const imageKinds = ['conv', 'block', 'depthwise', 'cover', 'maxPool', 'avgPool'] as const;
const anyKinds = ['batchNorm', 'relu', 'dropout', 'flatten', 'linear'] as const;
/** Drawn as often as they stand here: norms and ReLUs are what units are made of, and a flatten ends the image. */
const bodyKinds = [...imageKinds, 'conv', ...anyKinds, 'batchNorm', 'batchNorm', 'relu', 'relu'] as const;
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
  /** Whether a dense layer has weights enough for a wave stage. */
  readonly isLarge: boolean;
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
  isLarge: fc.integer({ min: 0, max: 3 }).map((n) => n === 3),
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

/** A valid model: one to seven layers of any type, then a head that ends in 2 to 10 classes. */
export const randomModel: fc.Arbitrary<ModelSpec> = fc
  .record({
    input: imageShape,
    classes: fc.integer({ min: 2, max: 10 }),
    body: fc.array(bodyDraw, { minLength: 1, maxLength: 7 }),
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

/** What a layer of the body meets. */
interface Place {
  readonly shape: Shape;
  readonly isFlat: boolean;
  /** Whether a dense layer may be large: one is enough, more take the reference long. */
  readonly mayBeLarge: boolean;
}

function buildModel(input: Shape, classes: number, body: readonly BodyDraw[], head: HeadDraw): ModelSpec {
  const layers: LayerSpec[] = [];
  let place: Place = { shape: input, isFlat: false, mayBeLarge: true };
  for (const draw of body) {
    const added = fitLayer(draw, place);
    layers.push(...added);
    for (const spec of added) place = placeAfter(spec, place);
  }
  layers.push(...fitHead(head, place, classes));
  return { name: 'random', input, classes, layers };
}

function fitLayer(draw: BodyDraw, { shape, isFlat, mayBeLarge }: Place): LayerSpec[] {
  const isLarge = draw.isLarge && mayBeLarge;
  const large = Math.ceil(LARGE_DENSE_WEIGHTS / elementCount(shape));
  const channels = isLarge && large <= MOST_LARGE ? large : draw.channels;
  const linear: LayerSpec = { type: 'linear', outFeatures: channels, bias: draw.bias };
  if (isFlat && imageKinds.some((kind) => kind === draw.kind)) return [linear];
  switch (draw.kind) {
    case 'conv':
      return [fitConv(draw, shape, greatestCommonDivisor(draw.groups, shape.channels), draw.channels)];
    // A convolution, and behind it in this order what is often met there; each part may be left out.
    case 'block': {
      const conv = fitConv(draw, shape, 1, draw.channels);
      const parts = [draw.bias && 'relu', draw.groups > 2 && 'flatten', draw.stride < 3 && 'batchNorm'] as const;
      return [conv, ...parts.filter((part) => part !== false).map((type) => ({ type }))];
    }
    case 'depthwise':
      return [fitConv(draw, shape, shape.channels, shape.channels * (1 + (draw.channels % 2)))];
    case 'cover': {
      const plain = { stride: draw.stride, padding: 0, groups: 1, bias: draw.bias };
      return [{ type: 'conv', outChannels: channels, kernel: Math.min(shape.height, shape.width), ...plain }];
    }
    case 'maxPool':
    case 'avgPool': {
      const kernel = Math.min(draw.kernel, shape.height, shape.width);
      // A stride left out means the kernel: draw that case too.
      return [draw.bias ? { type: draw.kind, kernel } : { type: draw.kind, kernel, stride: draw.stride }];
    }
    case 'linear':
      return isFlat ? [linear] : [{ type: 'flatten' }, linear];
    case 'dropout':
      return [{ type: 'dropout', p: draw.p }];
    default:
      return [{ type: draw.kind }];
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
function fitHead({ kind, hidden, bias, logSoftmax }: HeadDraw, { shape, isFlat }: Place, classes: number): LayerSpec[] {
  const last: LayerSpec[] = logSoftmax ? [{ type: 'logSoftmax' }] : [];
  const linear = (outFeatures: number): LayerSpec => ({ type: 'linear', outFeatures, bias });
  const plain = { stride: 1, padding: 0, groups: 1, bias };
  const conv = (kernel: number): LayerSpec => ({ type: 'conv', outChannels: classes, kernel, ...plain });
  switch (isFlat && kind !== 'twoLinear' ? 'linear' : kind) {
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

function placeAfter(spec: LayerSpec, { shape, isFlat, mayBeLarge }: Place): Place {
  switch (spec.type) {
    case 'flatten':
      return { shape: { channels: elementCount(shape), height: 1, width: 1 }, isFlat: true, mayBeLarge };
    case 'linear': {
      const isSmall = elementCount(shape) * spec.outFeatures < LARGE_DENSE_WEIGHTS;
      return {
        shape: { channels: spec.outFeatures, height: 1, width: 1 },
        isFlat: true,
        mayBeLarge: mayBeLarge && isSmall,
      };
    }
    case 'conv':
    case 'maxPool':
    case 'avgPool': {
      const padding = spec.type === 'conv' ? spec.padding : 0;
      const stride = spec.stride ?? spec.kernel;
      const side = (n: number): number => Math.floor((n + 2 * padding - spec.kernel) / stride) + 1;
      const channels = spec.type === 'conv' ? spec.outChannels : shape.channels;
      const isSmall = channels <= 2 * MAX_CHANNELS;
      return {
        shape: { channels, height: side(shape.height), width: side(shape.width) },
        isFlat,
        mayBeLarge: mayBeLarge && isSmall,
      };
    }
    default:
      return { shape, isFlat, mayBeLarge };
  }
}

const greatestCommonDivisor = (a: number, b: number): number => (b === 0 ? a : greatestCommonDivisor(b, a % b));
