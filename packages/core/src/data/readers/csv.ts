/** Tables of pixels: one image a row, its label in one column, pixels 0 to 255 in the others, row by row. */

import { createReadStream } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import Papa from 'papaparse';
import { LockstepError } from '../../errors/errors.js';
import { countOf } from '../../text/count-text.js';
import type { LabelledImages } from '../own-data.js';
import type { OnCount } from './image-folder.js';
import { ImageList, type ImageSize } from './image-list.js';

export interface CsvOptions {
  /** Name of the column with the labels. Default: `label` or `class`, else the first. */
  readonly labelColumn?: string | undefined;
  /** Form of the images. Default: square, grey or (three times a square) RGB, plane by plane. */
  readonly shape?: { readonly channels: number; readonly height: number; readonly width: number } | undefined;
  readonly resize?: ImageSize | undefined;
  /** Called with bytes read and bytes in all. */
  readonly onCount: OnCount;
}

/** How the columns are laid out. */
interface Columns {
  readonly labelAt: number;
  readonly names: readonly string[] | undefined;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/**
 * Reads a table with commas, semicolons or tabs, with or without a line of names, plain or gzip.
 *
 * @param bytes size of the file, for progress
 * @throws LockstepError LOCKSTEP_DATA_CSV naming file, row and column; LOCKSTEP_DATA_SHAPE; LOCKSTEP_DATA_GZIP
 */
export async function readCsv(path: string, bytes: number, options: CsvOptions): Promise<LabelledImages> {
  const reader = new RowReader(path, options);
  let done = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _, next) {
      done += chunk.length;
      options.onCount(done, bytes);
      next(null, chunk);
    },
  });
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const counted = file.on('error', (error) => counter.destroy(error)).pipe(counter);
  await parseRows(path.endsWith('.gz') ? gunzip(counted, path) : counted, (row) => reader.read(row));
  return reader.finish();
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

function parseRows(input: Readable, onRow: (row: readonly string[]) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    input.on('error', reject);
    Papa.parse<string[]>(input, {
      chunk: ({ data }, parser) => {
        try {
          for (const row of data) onRow(row);
        } catch (error) {
          // First, since an aborted parse is a complete one.
          reject(error);
          parser.abort();
        }
      },
      complete: () => resolve(),
      error: reject,
    });
  });
}

class RowReader {
  #row = 0;
  #columns: Columns | undefined;
  #list: ImageList;

  constructor(
    private readonly path: string,
    private readonly options: CsvOptions,
  ) {
    this.#list = new ImageList(0, options.resize);
  }

  read(cells: readonly string[]): void {
    this.#row++;
    if (cells.length === 1 && cells[0]?.trim() === '') return;
    if (this.#columns === undefined) {
      const isHeader = cells.filter((cell) => !isNumber(cell)).length > 1;
      this.#columns = this.#layOut(cells, isHeader);
      if (isHeader) return;
    }
    this.#readImage(cells, this.#columns);
  }

  finish(): LabelledImages {
    if (this.#list.count === 0) throw csvError(`${this.path} has no rows of pixels`);
    return this.#list.finish();
  }

  #readImage(cells: readonly string[], columns: Columns): void {
    const { labelAt, count, channels, height, width } = columns;
    if (cells.length !== count) {
      throw csvError(
        `${this.path}, row ${this.#row}: it has ${countOf(cells.length, 'column')}, the first row has ${count}`,
      );
    }
    const label = (cells[labelAt] as string).trim();
    if (label === '') throw csvError(`${this.path}, row ${this.#row}: the label is empty`);
    const pixels = new Uint8Array(count - 1);
    for (let column = 0, i = 0; column < count; column++) {
      if (column !== labelAt) pixels[i++] = this.#readPixel(cells[column] as string, column, columns);
    }
    const isWhole = /^\d+(\.0+)?$/.test(label);
    this.#list.add(
      { channels, height, width, pixels },
      isWhole ? String(Number(label)) : label,
      `${this.path}, row ${this.#row}`,
    );
  }

  #readPixel(cell: string, column: number, { names }: Columns): number {
    const value = Number(cell);
    if (Number.isInteger(value) && value >= 0 && value <= 255 && (value !== 0 || cell.trim() !== '')) return value;
    const name = names?.[column] === undefined ? '' : ` (${names[column]})`;
    throw csvError(
      `${this.path}, row ${this.#row}, column ${column + 1}${name}: "${cell.slice(0, 20)}" is not a pixel, a whole number from 0 to 255`,
    );
  }

  #layOut(cells: readonly string[], isHeader: boolean): Columns {
    const names = isHeader ? cells.map((cell) => cell.trim()) : undefined;
    const { labelColumn, shape } = this.options;
    if (labelColumn !== undefined && !names?.includes(labelColumn)) {
      const there = names === undefined ? 'its first row has no names' : `it has ${names.slice(0, 4).join(', ')}, ...`;
      throw csvError(`${this.path} has no column "${labelColumn}": ${there}`);
    }
    const usual = names?.findIndex((name) => /^(label|class)$/i.test(name)) ?? -1;
    const labelAt = labelColumn === undefined ? Math.max(0, usual) : (names as string[]).indexOf(labelColumn);
    const count = cells.length;
    return { labelAt, names, count, ...(shape ?? guessShape(count - 1, this.path)) };
  }
}

const isNumber = (cell: string): boolean => cell.trim() !== '' && Number.isFinite(Number(cell));

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
