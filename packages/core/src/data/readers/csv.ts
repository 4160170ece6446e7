/** Tables of pixels: one image a row, its label in one column, pixels 0 to 255 in the others, row by row. */

import { createReadStream, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import Papa from 'papaparse';
import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';
import type { LabelledImages } from '../dataset/own-data.js';
import {
  findIndexColumn,
  findLabelByValues,
  findNamedLabel,
  isHeaderRow,
  type LabelPlace,
  readLabel,
} from './csv-columns.js';
import type { OnCount } from './image-folder.js';
import { ImageList, type ImageSize } from './image-list.js';

export interface CsvOptions {
  /** Name of the column with the labels, or `first` or `last`. Default: its usual names, else what its values look like. */
  readonly labelColumn?: string | undefined;
  /** Form of the images. Default: square, grey or (three times a square) RGB, plane by plane. */
  readonly shape?: { readonly channels: number; readonly height: number; readonly width: number } | undefined;
  readonly resize?: ImageSize | undefined;
  /** The table that this one goes with: where it has no labels, there is one column less. */
  readonly beside?: Columns | undefined;
  /** Called with bytes read and bytes in all. */
  readonly onCount: OnCount;
}

/** How the columns are laid out. */
export interface Columns {
  readonly labelAt: number;
  /** A column that counts the rows, which is passed over. */
  readonly indexAt: number | undefined;
  readonly names: readonly string[] | undefined;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A table's images, undefined where it has no labels. */
export interface CsvTable {
  readonly images: LabelledImages | undefined;
  readonly columns: Columns;
  /** For people: which column has the labels, and what was passed over. */
  readonly notes: readonly string[];
}

/**
 * Reads a table with commas, semicolons or tabs, with or without a line of names, plain or gzip. Where neither names nor
 * `labelColumn` tell which column has the labels, the file is read once before for what its first and last column hold.
 *
 * @throws LockstepError LOCKSTEP_DATA_CSV naming file, row and column; LOCKSTEP_DATA_SHAPE; LOCKSTEP_DATA_GZIP
 */
export async function readCsv(path: string, options: CsvOptions): Promise<CsvTable> {
  const { size } = statSync(path);
  const layout = new LayoutReader(path, options);
  await eachRow(path, (row) => layout.read(row));
  const columns = layout.finish();
  if (columns === 'no labels') {
    const note = `${basename(path)} has no labels: it is not read`;
    return { images: undefined, columns: options.beside as Columns, notes: [note] };
  }
  const reader = new RowReader(path, columns, options.resize);
  await eachRow(
    path,
    (row) => reader.read(row),
    (done) => options.onCount(done, size),
  );
  return { images: reader.finish(), columns, notes: layout.notes };
}

/** @param onRow false ends the reading */
async function eachRow(
  path: string,
  onRow: (row: readonly string[]) => boolean,
  onBytes: (done: number) => void = () => {},
): Promise<void> {
  let done = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _, next) {
      done += chunk.length;
      onBytes(done);
      next(null, chunk);
    },
  });
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const counted = file.on('error', (error) => counter.destroy(error)).pipe(counter);
  const text = path.endsWith('.gz') ? gunzip(counted, path) : counted;
  // or a letter of two bytes that lies across two chunks is broken
  text.setEncoding('utf8');
  try {
    await parseRows(text, onRow);
  } finally {
    file.destroy();
  }
}

function gunzip(packed: Readable, path: string): Readable {
  const unpacked = createGunzip();
  const wrapped = new Transform({ transform: (chunk, _, next) => next(null, chunk) });
  unpacked.on('error', (error) =>
    wrapped.destroy(
      new LockstepError(
        'LOCKSTEP_DATA_GZIP',
        `${path} cannot be unpacked: ${error.message}. The file is damaged: download it again.`,
      ),
    ),
  );
  return packed.pipe(unpacked).pipe(wrapped);
}

function parseRows(input: Readable, onRow: (row: readonly string[]) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    input.on('error', reject);
    Papa.parse<string[]>(input, {
      chunk: ({ data }, parser) => {
        try {
          if (data.every(onRow)) return;
        } catch (error) {
          // First, since an aborted parse is a complete one.
          reject(error);
        }
        parser.abort();
      },
      complete: () => resolve(),
      error: reject,
    });
  });
}

const isBlank = (cells: readonly string[]): boolean => cells.length === 1 && cells[0]?.trim() === '';

/** Finds out how the columns are laid out: by the first row, or by what all rows have at their ends. */
class LayoutReader {
  #names: readonly string[] | undefined;
  #count = 0;
  #place: LabelPlace | undefined;
  #hasLabels = true;
  #row = 0;
  #firstAt = 0;
  readonly #first = new Map<string, number>();
  readonly #last = new Map<string, number>();

  constructor(
    private readonly path: string,
    private readonly options: CsvOptions,
  ) {}

  /** False when all is known. */
  read(cells: readonly string[]): boolean {
    this.#row++;
    if (isBlank(cells)) return true;
    if (this.#count === 0) {
      const isHeader = isHeaderRow(cells);
      this.#readFirst(cells, isHeader);
      if (this.#place !== undefined || !this.#hasLabels) return false;
      if (isHeader) return true;
    }
    checkLength(cells, this.#count, this.path, this.#row);
    count(this.#first, cells[this.#firstAt] ?? '');
    count(this.#last, cells[this.#count - 1] ?? '');
    return true;
  }

  #readFirst(cells: readonly string[], isHeader: boolean): void {
    const { labelColumn, beside } = this.options;
    this.#count = cells.length;
    this.#names = isHeader ? cells.map((cell) => cell.trim()) : undefined;
    const labelName = beside?.names?.[beside.labelAt];
    const isShort = cells.length === (beside?.count ?? 0) - 1;
    if (isShort && !(labelName !== undefined && this.#names?.includes(labelName))) {
      this.#hasLabels = false;
      return;
    }
    this.#place = findNamedLabel(this.#names, cells.length, labelColumn);
    const named = (name: string | undefined): boolean => this.#names === undefined || name === labelName;
    if (this.#place === undefined && beside?.count === cells.length && named(this.#names?.[beside.labelAt])) {
      this.#place = { labelAt: beside.labelAt, indexAt: beside.indexAt, why: 'as in the training table' };
    }
    this.#firstAt = this.#names !== undefined && findIndexColumn(this.#names, labelColumn) === 0 ? 1 : 0;
    if (labelColumn === undefined || this.#place !== undefined) return;
    const names = this.#names;
    const there = names === undefined ? 'its first row has no names' : `it has ${names.slice(0, 4).join(', ')}, ...`;
    throw csvError(`${this.path} has no column "${labelColumn}": ${there}`);
  }

  finish(): Columns | 'no labels' {
    if (!this.#hasLabels) return 'no labels';
    if (this.#count === 0) throw csvError(`${this.path} has no rows of pixels`);
    this.#place ??= findLabelByValues(this.#first, this.#last, this.#firstAt, this.#count - 1);
    if (this.#place === undefined) {
      throw csvError(
        `${this.path}: the first column and the last one both look like labels. Give --label-column first or --label-column last`,
      );
    }
    const { labelAt, indexAt } = this.#place;
    const pixels = this.#count - 1 - (indexAt === undefined ? 0 : 1);
    const shape = this.options.shape ?? guessShape(pixels, this.path);
    const taken = shape.channels * shape.height * shape.width;
    if (taken !== pixels) {
      throw csvError(
        `${this.path} has ${countOf(pixels, 'column')} of pixels, --csv-shape ${shape.channels}x${shape.height}x${shape.width} takes ${taken}`,
      );
    }
    const { channels, height, width } = shape;
    return { labelAt, indexAt, names: this.#names, count: this.#count, channels, height, width };
  }

  get notes(): readonly string[] {
    const { labelAt, indexAt, why } = this.#place as LabelPlace;
    const name = this.#names?.[labelAt];
    const column = `column ${labelAt + 1} of ${this.#count}${name ? ` (${name})` : ''}`;
    const notes = [`the labels of ${basename(this.path)} are ${column}, ${why} (--label-column says otherwise)`];
    if (indexAt !== undefined) {
      const indexName = this.#names?.[indexAt];
      notes.push(
        `column 1 of ${basename(this.path)}, ${indexName || 'without a name'}, counts the rows: it is passed over`,
      );
    }
    return notes;
  }
}

const count = (values: Map<string, number>, cell: string): void => {
  const label = readLabel(cell);
  values.set(label, (values.get(label) ?? 0) + 1);
};

function checkLength(cells: readonly string[], count: number, path: string, row: number): void {
  if (cells.length === count) return;
  throw csvError(`${path}, row ${row}: it has ${countOf(cells.length, 'column')}, the first row has ${count}`);
}

class RowReader {
  #row = 0;
  #isFirst = true;
  #list: ImageList;

  constructor(
    private readonly path: string,
    private readonly columns: Columns,
    resize: ImageSize | undefined,
  ) {
    this.#list = new ImageList(0, resize);
  }

  read(cells: readonly string[]): boolean {
    this.#row++;
    if (isBlank(cells)) return true;
    const isHeader = this.#isFirst && this.columns.names !== undefined;
    this.#isFirst = false;
    if (!isHeader) this.#readImage(cells, this.columns);
    return true;
  }

  finish(): LabelledImages {
    if (this.#list.count === 0) throw csvError(`${this.path} has no rows of pixels`);
    return this.#list.finish();
  }

  #readImage(cells: readonly string[], { labelAt, indexAt, count, channels, height, width }: Columns): void {
    checkLength(cells, count, this.path, this.#row);
    const label = readLabel(cells[labelAt] as string);
    if (label === '') throw csvError(`${this.path}, row ${this.#row}: the label is empty`);
    const pixels = new Uint8Array(channels * height * width);
    for (let column = 0, i = 0; column < count; column++) {
      if (column !== labelAt && column !== indexAt) pixels[i++] = this.#readPixel(cells[column] as string, column);
    }
    this.#list.add({ channels, height, width, pixels }, label, `${this.path}, row ${this.#row}`);
  }

  #readPixel(cell: string, column: number): number {
    const value = Number(cell);
    if (Number.isInteger(value) && value >= 0 && value <= 255 && (value !== 0 || cell.trim() !== '')) return value;
    const { names } = this.columns;
    const name = names?.[column] === undefined ? '' : ` (${names[column]})`;
    throw csvError(
      `${this.path}, row ${this.#row}, column ${column + 1}${name}: "${cell.slice(0, 20)}" is not a pixel, a whole number from 0 to 255`,
    );
  }
}

function guessShape(pixels: number, path: string) {
  for (const channels of [1, 3]) {
    const side = Math.round(Math.sqrt(pixels / channels));
    if (side > 0 && side * side * channels === pixels) return { channels, height: side, width: side };
  }
  throw csvError(
    `${path} has ${countOf(pixels, 'column')} of pixels, which is neither a square nor three squares. Give --csv-shape, such as --csv-shape 1x28x28`,
  );
}

const csvError = (text: string): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_CSV', `${text}. Expected a row per image: its label, then its pixels.`);
