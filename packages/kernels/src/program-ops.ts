/** Reads an encoded program back into a list of its ops, for people and measurements. */
import { HEADER_FIELDS, record } from './records.js';

export type OpName = Exclude<keyof typeof record, 'tensor' | 'norm' | 'dropoutBits' | 'stage'>;

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
  for (let at = HEADER_FIELDS; at < code.length; ) {
    const [kind, length] = [code[at] as number, code[at + 1] as number];
    reader.read(kind, code.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
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

  readonly #readers: Partial<Record<number, (payload: readonly number[]) => void>> = {
    [record.tensor]: (payload) => {
      const [channels = 0, height = 0, width = 0] = payload.slice(-3);
      this.#tensors.push({ channels, height, width });
    },
    [record.norm]: ([y = 0]) => this.#norms.push(this.#tensor(y)),
    [record.dropoutBits]: ([, , , elements = 0]) => this.#dropouts.push(elements),
    // A quarter for the bytes of the image.
    [record.input]: ([out = 0]) => this.#pass('input', [this.#tensor(out)], 1.25),
    [record.dropoutMask]: ([dropout = 0]) => this.#mask(this.#dropouts[dropout] ?? 0),
    [record.conv]: (payload) => this.#forward('conv', this.#convs, this.#convolution(payload)),
    [record.dense]: ([input = 0, out = 0]) => this.#forward('dense', this.#denses, this.#matrix(input, out)),
    [record.averagePool]: (payload) => this.#forward('averagePool', this.#pools, this.#pooling(payload)),
    [record.normForward]: ([norm = 0]) => this.#pass('normForward', [this.#norms[norm] ?? NO_IMAGE]),
    [record.post]: (payload) => this.#post(payload),
    [record.loss]: ([logits = 0]) => this.#pass('loss', [this.#tensor(logits)], 2),
    [record.denseWeightGradient]: ([dense = 0]) => this.#product('denseWeightGradient', this.#denses[dense]),
    [record.denseInputGradient]: ([dense = 0]) => this.#product('denseInputGradient', this.#denses[dense]),
    [record.averagePoolBackward]: ([pool = 0]) => this.#product('averagePoolBackward', this.#pools[pool]),
    [record.postBackward]: ([post = 0, dOut = 0]) =>
      this.#backward('postBackward', this.#tensor(dOut), this.#posts[post]),
    [record.normBackward]: ([post = 0, dOut = 0]) =>
      this.#backward('normBackward', this.#tensor(dOut), this.#posts[post]),
    [record.apply]: ([y = 0]) => this.#pass('apply', [this.#tensor(y)], 3),
    [record.convWeightGradient]: ([conv = 0]) => this.#product('convWeightGradient', this.#convs[conv]),
    [record.convInputGradient]: ([conv = 0]) => this.#product('convInputGradient', this.#convs[conv]),
    [record.convBiasGradient]: ([dOut = 0]) => this.#pass('convBiasGradient', [this.#tensor(dOut)]),
    [record.zeroGradient]: ([begin = 0, end = 0]) =>
      this.#add('zeroGradient', `${end - begin} floats of the contribution`, 0, 0),
  };

  read(kind: number, payload: Int32Array): void {
    const reader = this.#readers[kind];
    if (reader === undefined) this.#unknown(kind);
    else reader([...payload]);
  }

  /** A record of a kind that needs no words of its own yet: an op by its name alone. */
  #unknown(kind: number): void {
    const name = Object.entries(record).find(([, value]) => value === kind)?.[0];
    if (name !== undefined && kind > record.stage) this.#add(name as OpName, '', 0, 0);
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

  #convolution(payload: readonly number[]): Product {
    const [input = 0, output = 0, , , kernel = 0, stride = 1, padding = 0, groups = 1] = payload;
    const images = this.#between(input, output);
    const taps = (images.input.channels / groups) * kernel ** 2;
    const parts = [`k${kernel}`, stride > 1 && `s${stride}`, padding > 0 && `p${padding}`, groups > 1 && `g${groups}`];
    return {
      ...images,
      window: ` ${parts.filter((part) => part !== false).join(' ')}`,
      multiplyAdds: sizeOf(images.output) * taps,
    };
  }

  #matrix(input: number, output: number): Product {
    const images = this.#between(input, output);
    return { ...images, window: '', multiplyAdds: sizeOf(images.input) * sizeOf(images.output) };
  }

  #pooling([input = 0, output = 0, height = 0, width = 0]: readonly number[]): Product {
    return { ...this.#between(input, output), window: ` k${height}x${width}`, multiplyAdds: 0 };
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

  #post(payload: readonly number[]): void {
    const [y = 0, out = 0] = payload;
    this.#posts.push(this.#tensor(y));
    const runs = payload.at(-1) !== 0;
    if (runs) this.#pass('post', [this.#tensor(y), this.#tensor(out)]);
  }
}
