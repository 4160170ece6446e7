/**
 * Who owns what in a finished program: the rules that keep an op from reading what nobody has written, or from writing
 * what is another's. packages/kernels/native/ownership.h states them too, for the parser, which checks them again.
 *
 * - Values: a place in memory is given one value, before it is read, in a forward stage. Tensors that begin at one place
 *   are views of it.
 * - Gradients: after it a place holds one gradient, which exactly one op writes before it is read. Only a place that never
 *   holds a value is passed on from gradient to gradient, each of them read before the next is written.
 * - Shards: what all shards of a wave share is read in the shard stage that wrote it. In a wave stage, and from stage to
 *   stage, each shard has its own.
 * - Outputs: what the contribution needs is written by one op each, below `prefix` by shard stages, from there on by wave
 *   stages.
 */
import {
  headerFields,
  kindOf,
  type OutputSpan,
  type RecordReaders,
  type RecordWords,
  readRecord,
  readRecords,
} from './records.js';

/**
 * Checks an encoded program.
 *
 * @param outputs what it has to write of the contribution; left out: whatever its ops write
 * @throws Error that names the op and the rule it breaks: a bug of the compiler
 */
export function checkOwnership(code: Int32Array, outputs?: readonly OutputSpan[]): void {
  const [waveShards, prefix] = (['waveShards', 'prefix'] as const).map((name) => code[headerFields.indexOf(name)]);
  const follower = new Follower(waveShards ?? 1, prefix ?? 0);
  for (const { number, payload } of readRecords(code)) follower.follow(number, payload);
  if (outputs) follower.expectOutputs(outputs);
}

interface Place {
  /** Whether all shards of a wave share it. */
  readonly isShared: boolean;
  holds: 'nothing' | 'value' | 'gradient';
  hadValue: boolean;
  isRead: boolean;
  stage: number;
}

interface Tensor {
  readonly place: Place;
  readonly channels: number;
  readonly floats: number;
}

interface Norm {
  readonly y: number;
  readonly gamma: number;
  readonly beta: number;
  readonly statistics: number;
  readonly isFrozen: boolean;
  went: 'nowhere' | 'forward' | 'back';
}

class Follower {
  readonly #places = new Map<number, Place>();
  readonly #tensors: Tensor[] = [];
  readonly #norms: Norm[] = [];
  readonly #masked: boolean[] = [];
  readonly #convs: RecordWords<'conv'>[] = [];
  readonly #posts: RecordWords<'post'>[] = [];
  readonly #denses: RecordWords<'dense'>[] = [];
  readonly #outputs: OutputSpan[] = [];
  #op = '';
  #stage = -1;
  #isWave = false;
  #isBackward = false;

  constructor(
    private readonly waveShards: number,
    private readonly prefix: number,
  ) {}

  follow(number: number, payload: Int32Array): void {
    const kind = kindOf(number);
    this.#op = kind ?? `record ${number}`;
    if (kind !== undefined) readRecord(this.#readers, kind, payload);
  }

  readonly #readers: RecordReaders = {
    tensor: (words) => this.#declareTensor(words),
    norm: ({ y, gamma, beta, statistics, isFrozen }) => {
      this.#norms.push({ y, gamma, beta, statistics, isFrozen: isFrozen === 1, went: 'nowhere' });
    },
    dropoutBits: () => {
      this.#masked.push(false);
    },
    stage: ({ isWave, isBackward }) => {
      this.#stage++;
      this.#expect(isBackward === 1 || !this.#isBackward, 'goes forward behind a backward stage');
      this.#isWave = isWave === 1;
      this.#isBackward = isBackward === 1;
    },

    input: ({ out }) => this.#writeValue(out),
    dropoutMask: ({ dropout }) => {
      this.#masked[dropout] = true;
    },
    conv: (words) => {
      this.#convs.push(words);
      this.#forward(words.in, words.out);
    },
    dense: (words) => {
      this.#denses.push(words);
      this.#forward(words.in, words.out);
    },
    averagePool: (words) => this.#forward(words.in, words.out),
    normForward: ({ norm }) => {
      const { y, statistics, isFrozen } = this.#passNorm(norm, 'nowhere', 'forward') as Norm;
      this.#readValue(y);
      if (!isFrozen) this.#write(statistics, 3 * this.#tensor(y).channels);
    },
    post: (words) => {
      this.#passNorm(words.norm, 'forward', 'forward');
      for (const dropout of [words.dropout1, words.dropout2])
        this.#expect(this.#masked[dropout] !== false, 'uses a mask not made yet');
      this.#posts.push(words);
      this.#forward(words.y, words.out);
    },
    loss: ({ logits, result }) => {
      this.#readValue(logits);
      this.#writeGradient(logits);
      this.#write(result, 2);
    },

    denseWeightGradient: ({ dense, dOut }) => {
      const { in: input, out, weight, bias } = this.#denses[dense] as RecordWords<'dense'>;
      this.#readValue(input);
      this.#readGradient(dOut);
      this.#write(weight, this.#tensor(input).channels * this.#tensor(out).channels);
      if (bias >= 0) this.#write(bias, this.#tensor(out).channels);
    },
    convWeightGradient: ({ conv, dOut }) => {
      const { in: input, out, weight, kernel, groups } = this.#convs[conv] as RecordWords<'conv'>;
      this.#readValue(input);
      this.#readGradient(dOut);
      this.#write(weight, (this.#tensor(out).channels * this.#tensor(input).channels * kernel ** 2) / groups);
    },
    convBiasGradient: ({ dOut, begin }) => {
      this.#readGradient(dOut);
      this.#write(begin, this.#tensor(dOut).channels);
    },
    // What a dense layer's bias gets from its own op, where a norm makes it 0, is written again.
    zeroGradient: ({ begin, end }) => this.#write(begin, end - begin, true),
    denseInputGradient: ({ dOut, dIn }) => this.#back(dOut, dIn),
    convInputGradient: ({ dOut, dIn }) => this.#back(dOut, dIn),
    averagePoolBackward: ({ dOut, dIn }) => this.#back(dOut, dIn),
    postBackward: ({ post, dOut, g }) => this.#backThrough(post, dOut, g),
    normBackward: ({ post, dOut }) => this.#backThrough(post, dOut),
    apply: ({ y, g, norm }) => {
      this.#passNorm(norm, 'back', 'back');
      this.#readValue(y);
      this.#back(g, y);
    },
  };

  /** Every output is written, and nothing but outputs. */
  expectOutputs(outputs: readonly OutputSpan[]): void {
    const textOf = ({ begin, end }: OutputSpan): string => `${begin} to ${end}`;
    const [wanted, written] = [outputs, this.#outputs].map((spans) => new Set(spans.map(textOf)));
    this.#op = 'end';
    for (const span of wanted as Set<string>) this.#expect(written?.has(span), `floats ${span} are written by no op`);
    for (const span of written as Set<string>) this.#expect(wanted?.has(span), `floats ${span} are nobody's`);
  }

  #declareTensor({ at, shardStride, channels, height, width }: RecordWords<'tensor'>): void {
    const isShared = shardStride === 0;
    const place: Place = this.#places.get(at) ?? {
      isShared,
      holds: 'nothing',
      hadValue: false,
      isRead: false,
      stage: -1,
    };
    this.#expect(place.isShared === isShared, 'has views that are shared and views that are not');
    this.#places.set(at, place);
    this.#tensors.push({ place, channels, floats: channels * height * width });
  }

  #tensor(id: number): Tensor {
    const tensor = this.#tensors[id];
    this.#expect(tensor !== undefined, `names tensor ${id}, which is not there`);
    return tensor as Tensor;
  }

  #forward(input: number, out: number): void {
    this.#readValue(input);
    this.#writeValue(out);
  }

  #back(dOut: number, dIn: number): void {
    this.#readGradient(dOut);
    this.#writeGradient(dIn);
  }

  /** @param g where the gradient of what the post reads goes; left out: over that */
  #backThrough(post: number, dOut: number, g?: number): void {
    const { y, norm } = this.#posts[post] as RecordWords<'post'>;
    this.#readValue(y);
    this.#back(dOut, g ?? y);
    this.#writeNorm(norm);
  }

  #writeValue(id: number): void {
    const { place } = this.#tensor(id);
    this.#expect(!this.#isBackward, `writes the value of tensor ${id} in a backward stage`);
    this.#expect(place.holds === 'nothing', `writes tensor ${id} over a ${place.holds}`);
    Object.assign(place, { holds: 'value', hadValue: true, stage: this.#stage });
  }

  #readValue(id: number): void {
    const { place } = this.#tensor(id);
    this.#expect(place.holds === 'value', `reads the value of tensor ${id}, which holds ${place.holds}`);
    this.#expectOwn(place, id);
  }

  #writeGradient(id: number): void {
    const { place } = this.#tensor(id);
    const isFree = place.holds !== 'gradient' || (!place.hadValue && place.isRead);
    this.#expect(isFree, `writes the gradient in tensor ${id} over another`);
    Object.assign(place, { holds: 'gradient', isRead: false, stage: this.#stage });
  }

  #readGradient(id: number): void {
    const { place } = this.#tensor(id);
    this.#expect(place.holds === 'gradient', `reads the gradient in tensor ${id}, which nobody has written`);
    this.#expectOwn(place, id);
    place.isRead = true;
  }

  #expectOwn(place: Place, id: number): void {
    if (this.waveShards === 1 || !place.isShared) return;
    this.#expect(
      !this.#isWave && place.stage === this.#stage,
      `reads tensor ${id}, which other shards have overwritten`,
    );
  }

  #passNorm(id: number, from: Norm['went'], to: Norm['went']): Norm | undefined {
    const norm = this.#norms[id];
    if (id < 0 || norm === undefined) return undefined;
    this.#expect(norm.went === from, `finds norm ${id} gone ${norm.went}, not ${from}`);
    norm.went = to;
    return norm;
  }

  /** Outputs of a norm's backward. */
  #writeNorm(id: number): void {
    const norm = this.#passNorm(id, 'forward', 'back');
    if (!norm || norm.isFrozen) return;
    const { channels } = this.#tensor(norm.y);
    this.#write(norm.gamma, channels);
    this.#write(norm.beta, channels);
  }

  /** @param again whether it may be what another op has written */
  #write(begin: number, floats: number, again = false): void {
    const end = begin + floats;
    this.#expect(begin >= 0 && floats > 0, 'has no range of the contribution');
    if (this.waveShards > 1) {
      const isInPart = this.#isWave ? begin >= this.prefix : end <= this.prefix;
      this.#expect(isInPart, `writes floats ${begin} to ${end} in the wrong stage`);
    }
    const isFree = this.#outputs.every((known) => end <= known.begin || known.end <= begin);
    const isAgain = again && this.#outputs.some((known) => known.begin === begin && known.end === end);
    this.#expect(isFree || isAgain, `writes floats ${begin} to ${end}, which another op has written`);
    this.#outputs.push({ begin, end });
  }

  #expect(isRight: boolean | undefined, text: string): void {
    if (!isRight) throw new Error(`the program is not one that may run: ${this.#op} ${text}`);
  }
}
