/** Reads an encoded program back into a list of its ops, for people and measurements. */
import {
  kindOf,
  type RecordKind,
  type RecordReaders,
  type RecordWords,
  readRecord,
  readRecords,
  record,
} from './records.js';

export type OpName = Exclude<RecordKind, 'tensor' | 'norm' | 'dropoutBits' | 'stage'>;

/** One op, in program order. Counts are for one sample. */
export interface ProgramOp {
  readonly name: OpName;
  /** Channels x height x width of what it reads and gives, and its window: `8x28x28 > 16x28x28 k3`. */
  readonly shape: string;
  /** Of a direct convolution or a matrix product; 0 for an op that only passes over memory. */
  readonly multiplyAdds: number;
  /** Activations that it reads or writes at least once, in floats. */
  readonly floats: number;
}

/** Lists the ops of a program in the order in which they run and in which `profile` reports them. */
export function listOps(code: Int32Array): ProgramOp[] {
  const reader = new Reader();
  for (const { number, payload } of readRecords(code)) reader.read(number, payload);
  return reader.ops;
}

interface Image {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

const NO_IMAGE: Image = { channels: 0, height: 0, width: 0 };
const sizeOf = ({ channels, height, width }: Image): number => channels * height * width;
const formatImage = (image: Image): string =>
  image.height * image.width === 1 ? String(image.channels) : `${image.channels}x${image.height}x${image.width}`;

/** What forward and the two gradients of a convolution or dense layer have in common. */
interface Product {
  readonly input: Image;
  readonly output: Image;
  readonly window: string;
  readonly multiplyAdds: number;
}

const NO_PRODUCT: Product = { input: NO_IMAGE, output: NO_IMAGE, window: '', multiplyAdds: 0 };

class Reader {
  readonly ops: ProgramOp[] = [];
  readonly #tensors: Image[] = [];
  readonly #norms: Image[] = [];
  readonly #dropouts: number[] = [];
  readonly #convs: Product[] = [];
  readonly #denses: Product[] = [];
  readonly #pools: Product[] = [];
  /** What a post reads. */
  readonly #posts: Image[] = [];

  readonly #readers: RecordReaders = {
    tensor: ({ channels, height, width }) => {
      this.#tensors.push({ channels, height, width });
    },
    norm: ({ y }) => {
      this.#norms.push(this.#tensor(y));
    },
    dropoutBits: ({ elements }) => {
      this.#dropouts.push(elements);
    },
    // A quarter for the bytes of the image.
    input: ({ out }) => this.#pass('input', [this.#tensor(out)], 1.25),
    dropoutMask: ({ dropout }) => this.#mask(this.#dropouts[dropout] ?? 0),
    conv: (words) => this.#forward('conv', this.#convs, this.#convolution(words)),
    dense: (words) => this.#forward('dense', this.#denses, this.#matrix(words)),
    averagePool: (words) => this.#forward('averagePool', this.#pools, this.#pooling(words)),
    normForward: ({ norm }) => this.#pass('normForward', [this.#norms[norm] ?? NO_IMAGE]),
    post: (words) => this.#post(words),
    loss: ({ logits }) => this.#pass('loss', [this.#tensor(logits)], 2),
    denseWeightGradient: ({ dense }) => this.#product('denseWeightGradient', this.#denses[dense]),
    denseInputGradient: ({ dense }) => this.#product('denseInputGradient', this.#denses[dense]),
    averagePoolBackward: ({ averagePool }) => this.#product('averagePoolBackward', this.#pools[averagePool]),
    postBackward: ({ post, dOut }) => this.#backward('postBackward', this.#tensor(dOut), this.#posts[post]),
    normBackward: ({ post, dOut }) => this.#backward('normBackward', this.#tensor(dOut), this.#posts[post]),
    apply: ({ y }) => this.#pass('apply', [this.#tensor(y)], 3),
    convWeightGradient: ({ conv }) => this.#product('convWeightGradient', this.#convs[conv]),
    convInputGradient: ({ conv }) => this.#product('convInputGradient', this.#convs[conv]),
    convBiasGradient: ({ dOut }) => this.#pass('convBiasGradient', [this.#tensor(dOut)]),
    zeroGradient: ({ begin, end }) => this.#add('zeroGradient', `${end - begin} floats of the contribution`, 0, 0),
  };

  read(number: number, payload: Int32Array): void {
    const kind = kindOf(number);
    if (kind === undefined || readRecord(this.#readers, kind, payload)) return;
    // an op of which no words are needed yet: by its name alone
    if (number > record.stage) this.#add(kind as OpName, '', 0, 0);
  }

  #tensor(id: number): Image {
    return this.#tensors[id] ?? NO_IMAGE;
  }

  #mask(elements: number): void {
    this.#add('dropoutMask', String(elements), 0, elements / 32);
  }

  #between(input: number, output: number): { input: Image; output: Image } {
    return { input: this.#tensor(input), output: this.#tensor(output) };
  }

  #add(name: OpName, shape: string, multiplyAdds: number, floats: number): void {
    this.ops.push({ name, shape, multiplyAdds, floats });
  }

  /** @param touches how often each value is read or written */
  #pass(name: OpName, images: readonly Image[], touches = 1): void {
    const floats = images.reduce((sum, image) => sum + touches * sizeOf(image), 0);
    this.#add(name, images.map(formatImage).join(' > '), 0, floats);
  }

  #convolution({ in: input, out, kernel, stride, padding, groups }: RecordWords<'conv'>): Product {
    const images = this.#between(input, out);
    const taps = (images.input.channels / groups) * kernel ** 2;
    const parts = [`k${kernel}`, stride > 1 && `s${stride}`, padding > 0 && `p${padding}`, groups > 1 && `g${groups}`];
    return {
      ...images,
      window: ` ${parts.filter((part) => part !== false).join(' ')}`,
      multiplyAdds: sizeOf(images.output) * taps,
    };
  }

  #matrix({ in: input, out }: RecordWords<'dense'>): Product {
    const images = this.#between(input, out);
    return { ...images, window: '', multiplyAdds: sizeOf(images.input) * sizeOf(images.output) };
  }

  #pooling({ in: input, out, kernelHeight, kernelWidth }: RecordWords<'averagePool'>): Product {
    return { ...this.#between(input, out), window: ` k${kernelHeight}x${kernelWidth}`, multiplyAdds: 0 };
  }

  #forward(name: OpName, list: Product[], product: Product): void {
    list.push(product);
    this.#product(name, product);
  }

  #product(name: OpName, product: Product = NO_PRODUCT): void {
    const { input, output, window, multiplyAdds } = product;
    const shape = `${formatImage(input)} > ${formatImage(output)}${window}`;
    this.#add(name, shape, multiplyAdds, sizeOf(input) + sizeOf(output));
  }

  /** From the gradient of a post's output to that of y, which is read for it. */
  #backward(name: OpName, dOut: Image, y: Image = NO_IMAGE): void {
    this.#add(name, `${formatImage(dOut)} > ${formatImage(y)}`, 0, sizeOf(dOut) + 2 * sizeOf(y));
  }

  #post({ y, out, isOp }: RecordWords<'post'>): void {
    this.#posts.push(this.#tensor(y));
    if (isOp !== 0) this.#pass('post', [this.#tensor(y), this.#tensor(out)]);
  }
}
