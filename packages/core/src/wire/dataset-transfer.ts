/** A dataset on its way to a node that lacks it: one row of bytes, cut in pieces, verified by the dataset's checksum. */

import type { DataOrigin } from '../data/dataset/data-origin.js';
import { allocateSplit, createDataset, type Dataset, type Split } from '../data/dataset/dataset.js';
import { assert, LockstepError } from '../errors/errors.js';
import { countOf } from '../text/count-text.js';
import { plainText } from '../text/plain-text.js';
import { MAX_PAYLOAD_BYTES } from './frames.js';
import type { DatasetHeader } from './messages.js';

type Form = Extract<DataOrigin, { kind: 'path' }>['form'];

const splitNames = ['train', 'validation', 'test'] as const;

export function describeDataset(dataset: Dataset): DatasetHeader {
  const { name, source, channels, height, width, classes, mean, std, checksum, origin } = dataset;
  const counts = { train: dataset.train.count, validation: dataset.validation.count, test: dataset.test.count };
  return {
    name: plainText(name),
    source: plainText(source).slice(0, 2048),
    channels,
    height,
    width,
    classes,
    mean: [...mean],
    std: [...std],
    counts,
    checksum,
    ...(origin?.kind === 'path' && { form: pickForm(origin.form) }),
  };
}

/** Without the names of classes, which may be long: a node has them from the same files. */
function pickForm({ resize, channels, labelColumn, csvShape, csvLayout, heldOut }: Form): DatasetHeader['form'] {
  return {
    ...(resize && { resize }),
    ...(channels !== undefined && { channels }),
    ...(labelColumn !== undefined && { labelColumn }),
    ...(csvShape && { csvShape }),
    ...(csvLayout && { csvLayout }),
    ...(heldOut !== undefined && { heldOut }),
  };
}

/** The parts of a dataset in the order they travel: images and labels of each split. */
const listParts = (splits: Readonly<Record<(typeof splitNames)[number], Split>>): Uint8Array[] =>
  splitNames.flatMap((name) => [splits[name].images, splits[name].labels]);

/** Bytes of a whole dataset. */
export const datasetBytes = ({ channels, height, width, counts }: DatasetHeader): number =>
  (counts.train + counts.validation + counts.test) * (channels * height * width + 1);

/** The dataset's bytes piece by piece, as views. */
export function* cutDataset(dataset: Dataset): Generator<Uint8Array> {
  for (const part of listParts(dataset)) {
    for (let at = 0; at < part.length; at += MAX_PAYLOAD_BYTES) yield part.subarray(at, at + MAX_PAYLOAD_BYTES);
  }
}

/** Puts a dataset together again. */
export class DatasetAssembly {
  readonly #splits;
  readonly #parts: readonly Uint8Array[];
  #part = 0;
  #at = 0;

  /** @throws LockstepError LOCKSTEP_NODE_DATA when there is no room for it */
  constructor(private readonly header: DatasetHeader) {
    this.#splits = allocate(header);
    this.#parts = listParts(this.#splits);
    this.#skipFull();
  }

  get isComplete(): boolean {
    return this.#part === this.#parts.length;
  }

  /** Bytes until the end of the part that the next piece belongs to. */
  get room(): number {
    return (this.#parts[this.#part]?.length ?? 0) - this.#at;
  }

  /** @throws LockstepError LOCKSTEP_NODE_DATA when there is more than was announced */
  add(piece: Uint8Array): void {
    const part = this.#parts[this.#part];
    if (!part || this.#at + piece.length > part.length) {
      throw new LockstepError('LOCKSTEP_NODE_DATA', 'more data came than the coordinator announced.');
    }
    part.set(piece, this.#at);
    this.#at += piece.length;
    this.#skipFull();
  }

  #skipFull(): void {
    while (this.#at === this.#parts[this.#part]?.length) {
      this.#part += 1;
      this.#at = 0;
    }
  }

  /** @throws LockstepError LOCKSTEP_NODE_DATA when the checksum is not the announced one */
  finish(): Dataset {
    assert(this.isComplete, () => 'a dataset is not complete');
    const { counts: _, form: __, checksum, ...rest } = this.header;
    const dataset = createDataset({ ...rest, ...this.#splits });
    if (dataset.checksum !== checksum) {
      throw new LockstepError(
        'LOCKSTEP_NODE_DATA',
        `the dataset that came has checksum ${dataset.checksum}, announced was ${checksum}. It was changed on the way.`,
      );
    }
    return dataset;
  }
}

function allocate(header: DatasetHeader): Record<(typeof splitNames)[number], Split> {
  const sampleBytes = header.channels * header.height * header.width;
  try {
    const [train, validation, test] = splitNames.map((name) => allocateSplit(header.counts[name], sampleBytes));
    return { train: train as Split, validation: validation as Split, test: test as Split };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const text = `a dataset of ${countOf(datasetBytes(header), 'byte')} was announced, for which there is no room here.`;
    throw new LockstepError('LOCKSTEP_NODE_DATA', text, { cause: error });
  }
}
