/** A dataset on its way to a node that lacks it: one row of bytes, cut in pieces, verified by the dataset's checksum. */

import { createHash } from 'node:crypto';
import type { DataOrigin } from '../data/dataset/data-origin.js';
import { allocateSplit, createDataset, type Dataset, type Split } from '../data/dataset/dataset.js';
import { assert, LockstepError } from '../errors/errors.js';
import { countOf } from '../text/count-text.js';
import { plainText } from '../text/plain-text.js';
import { PIECE_BYTES } from './frames.js';
import type { DatasetHeader, Held } from './messages.js';

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

/**
 * The dataset's bytes piece by piece, as views.
 *
 * @param from bytes of it to leave out
 * @param pieceBytes of a piece at most
 */
export function* cutDataset(dataset: Dataset, from = 0, pieceBytes = PIECE_BYTES): Generator<Uint8Array> {
  let begin = 0;
  for (const part of listParts(dataset)) {
    for (let at = Math.max(0, from - begin); at < part.length; at += pieceBytes) {
      yield part.subarray(at, at + pieceBytes);
    }
    begin += part.length;
  }
}

/** Puts a dataset together again; what has come stays when a connection ends. */
export class DatasetAssembly {
  readonly #splits;
  readonly #parts: readonly Uint8Array[];
  readonly total: number;
  #bytes = 0;

  /** @throws LockstepError LOCKSTEP_NODE_DATA when there is no room for it */
  constructor(readonly header: DatasetHeader) {
    this.#splits = allocate(header);
    this.#parts = listParts(this.#splits);
    this.total = datasetBytes(header);
  }

  /** Bytes that are there, from the beginning. */
  get bytes(): number {
    return this.#bytes;
  }

  get isComplete(): boolean {
    return this.#bytes === this.total;
  }

  /** What is there, for the other end to go on from. */
  describe(): Held {
    return { bytes: this.#bytes, hash: hashPieces(this.#pieces(this.#bytes)) };
  }

  /**
   * @param offset where the piece begins: where the last one has ended, or 0 to begin anew
   * @throws LockstepError LOCKSTEP_NODE_DATA when it does not follow, or there is more than was announced
   */
  add(offset: number, piece: Uint8Array): void {
    if (offset === 0) this.#bytes = 0;
    if (offset !== this.#bytes || offset + piece.length > this.total) {
      const text = `bytes ${offset} to ${offset + piece.length} of a dataset of ${this.total} came, of which ${this.#bytes} are there.`;
      throw new LockstepError('LOCKSTEP_NODE_DATA', text);
    }
    let at = 0;
    for (const room of this.#pieces(offset + piece.length, offset)) {
      room.set(piece.subarray(at, at + room.length));
      at += room.length;
    }
    this.#bytes += piece.length;
  }

  /** The bytes [from, end), in views that lie in one part each. */
  *#pieces(end: number, from = 0): Generator<Uint8Array> {
    let begin = 0;
    for (const part of this.#parts) {
      const [first, last] = [Math.max(0, from - begin), Math.min(part.length, end - begin)];
      if (first < last) yield part.subarray(first, last);
      begin += part.length;
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

/** SHA-256 (hex) of bytes that come in pieces. */
export function hashPieces(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
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
