/**
 * First half of the compiler: layers become units. A unit is one kernel that makes a tensor y (convolution, average
 * pool, dense layer, or the input of what follows), and the pass behind it, "post":
 *
 *   out = dropout2(maxPool(dropout1(relu(batchNorm(y)))))      each part optional
 *
 * A ReLU straight behind a convolution goes into the convolution's store when the unit's batch norm follows, or a unit
 * with a source of its own. A unit without one works on what it reads in place and leaves the gradient there, over the
 * very output whose sign the ReLU in the store still needs.
 */
import type { Layer } from '@lockstep/core/model';

export interface Post {
  readonly norm?: Layer;
  readonly relu: boolean;
  readonly dropout1?: Layer;
  readonly pool?: Layer;
  readonly dropout2?: Layer;
}

export interface Unit {
  /** The layer that makes y; none: y is what came before. */
  readonly source?: Layer;
  /** A ReLU in the store of y. */
  readonly storesRelu: boolean;
  readonly post?: Post;
}

/** Whether a layer is one product of a matrix and a vector: a linear layer, or a convolution whose kernel covers its input. */
export function isDense({ spec, input, output }: Layer): boolean {
  if (spec.type !== 'conv') return spec.type === 'linear';
  const covers = spec.kernel === input.height && spec.kernel === input.width && spec.padding === 0;
  return covers && spec.groups === 1 && output.height * output.width === 1;
}

type Probability = (layer: Layer) => number;

/**
 * Joins layers to units.
 *
 * @param dropoutOf the probability of a dropout layer under the recipe; 0 leaves it out
 */
export function formUnits(layers: readonly Layer[], dropoutOf: Probability): Unit[] {
  const active = layers.filter((layer) => !isIdentity(layer, dropoutOf));
  const units: Unit[] = [];
  for (let at = 0; at < active.length; ) {
    const cursor = new Cursor(active, at);
    const source = cursor.take(...sources);
    const storesRelu = source !== undefined && canStoreRelu(source, cursor);
    if (storesRelu) cursor.take('relu');
    const post = storesRelu && !isNormOf(source, cursor.peek()) ? undefined : takePost(source, cursor);
    units.push({ ...(source && { source }), storesRelu, ...(post && { post }) });
    at = cursor.at;
  }
  return units;
}

/** What makes a tensor of its own. */
const sources = ['conv', 'avgPool', 'globalAvgPool', 'linear'] as const;

/** Whether the next layer is a ReLU that goes into the store; the pass behind it does the ReLU otherwise. */
function canStoreRelu(source: Layer, cursor: Cursor): boolean {
  if (source.spec.type !== 'conv' || isDense(source) || cursor.peek()?.spec.type !== 'relu') return false;
  const reader = cursor.peek(1);
  return isNormOf(source, reader) || sources.some((type) => type === reader?.spec.type);
}

/** Whether a layer is a batch norm over the channels that the source gives: behind a flatten it is one over features. */
function isNormOf(source: Layer, layer: Layer | undefined): boolean {
  return layer?.spec.type === 'batchNorm' && layer.input.channels === source.output.channels;
}

/** Layers that change nothing in memory: a flatten is a view, and the loss takes logits with or without log-softmax. */
function isIdentity(layer: Layer, dropoutOf: Probability): boolean {
  const { type } = layer.spec;
  return type === 'flatten' || type === 'logSoftmax' || (type === 'dropout' && dropoutOf(layer) === 0);
}

function takePost(source: Layer | undefined, cursor: Cursor): Post | undefined {
  const start = cursor.at;
  const norm = !source || isNormOf(source, cursor.peek()) ? cursor.take('batchNorm') : undefined;
  const relu = cursor.take('relu') !== undefined;
  const dropout1 = cursor.take('dropout');
  const pool = cursor.take('maxPool');
  const dropout2 = pool && cursor.take('dropout');
  if (cursor.at === start) return undefined;
  return {
    ...(norm && { norm }),
    relu,
    ...(dropout1 && { dropout1 }),
    ...(pool && { pool }),
    ...(dropout2 && { dropout2 }),
  };
}

/** Whether batch norm's backward runs channel by channel over y itself, without a g. */
export function isFusedNorm({ post }: Unit): boolean {
  const pool = post?.pool?.spec;
  const isPlain = pool === undefined || (pool.type === 'maxPool' && pool.kernel === 2 && (pool.stride ?? 2) === 2);
  return post?.norm !== undefined && isPlain && !(pool && post.dropout1);
}

/** Whether the gradient of y cannot overwrite y at once: y is needed beside it. */
export function usesG(unit: Unit): boolean {
  const { post, storesRelu } = unit;
  return post ? (post.norm !== undefined && !isFusedNorm(unit)) || hasLooseWindows(post.pool) : storesRelu;
}

/** Whether windows overlap or leave gaps, so that the gradient of y is not written window by window in place. */
function hasLooseWindows(pool: Layer | undefined): boolean {
  return pool?.spec.type === 'maxPool' && (pool.spec.stride ?? pool.spec.kernel) !== pool.spec.kernel;
}

class Cursor {
  constructor(
    private readonly layers: readonly Layer[],
    public at: number,
  ) {}

  peek(ahead = 0): Layer | undefined {
    return this.layers[this.at + ahead];
  }

  /** The next layer, passed over, if it is of one of these types. */
  take(...types: readonly Layer['spec']['type'][]): Layer | undefined {
    const layer = this.peek();
    if (!layer || !types.includes(layer.spec.type)) return undefined;
    this.at++;
    return layer;
  }
}
