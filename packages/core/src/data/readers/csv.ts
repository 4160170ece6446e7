/** Tables of pixels: one image a row, its label in one column, pixels 0 to 255 in the others, row by row. */

import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { leftOut, type Note } from '../../events/data-report.js';
import type { LabelledImages } from '../dataset/own-data.js';
import {
  countPixels,
  LayoutGuess,
  LOOKED_AT,
  noteLayout,
  noteOtherLayout,
  noteSize,
  type PixelLayout,
  toPlanes,
} from '../pictures/pixel-form.js';
import { readLabel } from './csv-columns.js';
import { type Columns, type CsvOptions, checkLength, csvError, LayoutReader } from './csv-layout.js';
import { eachRow, isBlank } from './csv-rows.js';
import { ImageList } from './image-list.js';

/** A table's images, undefined where it has no labels. */
export interface CsvTable {
  readonly images: LabelledImages | undefined;
  readonly columns: Columns;
  /** `column 1 of 785 (label) of train.csv`. */
  readonly labels: string;
  /** For people: which column has the labels, and what was passed over. */
  readonly notes: readonly Note[];
}

/**
 * Reads a table with commas, semicolons or tabs, with or without a line of names, plain or gzip. Where neither names nor
 * `labelColumn` tell which column has the labels, the file is read once before for what its first and last column hold.
 *
 * @throws LockstepError LOCKSTEP_DATA_CSV naming file, row and column; LOCKSTEP_DATA_SHAPE; LOCKSTEP_DATA_GZIP
 */
export async function readCsv(path: string, options: CsvOptions): Promise<CsvTable> {
  const { size } = statSync(path);
  let layout = new LayoutReader(path, options);
  await eachRow(path, (row) => layout.read(row));
  if (layout.isMistaken) {
    layout = new LayoutReader(path, options, true);
    await eachRow(path, (row) => layout.read(row));
  }
  const columns = layout.finish();
  if (columns === 'no labels') {
    const note = leftOut(`${basename(path)} has no labels: it is not read`, 1);
    return { images: undefined, columns: options.beside as Columns, labels: 'none', notes: [note] };
  }
  const reader = new RowReader(path, columns, options);
  await eachRow(
    path,
    (row) => reader.read(row),
    (done) => options.onCount(done, size),
  );
  const images = reader.finish();
  const notes = [...layout.notes, ...reader.notes];
  return { images, columns: { ...columns, layout: reader.layout }, labels: layout.labels, notes };
}

class RowReader {
  #row = 0;
  #isFirst = true;
  #layout: PixelLayout | undefined;
  readonly notes: Note[] = [];
  readonly #list: ImageList;
  /** Undefined where the order is said, or there are no colours. */
  readonly #guess: LayoutGuess | undefined;
  /** Read before it is known where colours are. */
  #waiting: Row[] = [];

  constructor(
    private readonly path: string,
    private readonly columns: Columns,
    private readonly options: Pick<CsvOptions, 'resize' | 'isUnlabelled' | 'shape' | 'layout'>,
  ) {
    this.#list = new ImageList(0, options.resize);
    this.#layout = columns.channels === 1 ? 'chw' : columns.layout;
    if (columns.channels === 1 || options.layout !== undefined) return;
    this.#guess = new LayoutGuess([
      { ...columns, layout: 'chw' },
      { ...columns, layout: 'hwc' },
    ]);
  }

  read(cells: readonly string[]): boolean {
    this.#row++;
    if (isBlank(cells)) return true;
    const isHeader = this.#isFirst && this.columns.names !== undefined;
    this.#isFirst = false;
    if (isHeader) return true;
    const row = this.#readRow(cells, this.columns);
    this.#guess?.add(row.pixels);
    if (this.#layout !== undefined) this.#add(row, this.#layout);
    else {
      this.#waiting.push(row);
      if (this.#waiting.length === LOOKED_AT) this.#decide();
    }
    return true;
  }

  finish(): LabelledImages {
    const { columns, options, path } = this;
    if (this.#waiting.length > 0) this.#decide();
    else if (columns.layout !== undefined) {
      this.notes.push(...noteOtherLayout(basename(path), columns.layout, this.#guess?.decide()));
    }
    if (options.shape === undefined) this.notes.push(...noteSize(basename(path), columns, countPixels(columns)));
    if (this.#list.count === 0) throw csvError(`${this.path} has no rows of pixels`);
    return this.#list.finish();
  }

  get layout(): PixelLayout | undefined {
    return this.#layout;
  }

  #decide(): void {
    const found = this.#guess?.decide();
    const layout = found?.form.layout ?? 'chw';
    this.#layout = layout;
    this.notes.push(noteLayout(basename(this.path), layout, found));
    for (const row of this.#waiting) this.#add(row, layout);
    this.#waiting = [];
  }

  #add({ label, pixels, source }: Row, layout: PixelLayout): void {
    const { channels, height, width } = this.columns;
    const planes = toPlanes(pixels, { channels, height, width, layout });
    this.#list.add({ channels, height, width, pixels: planes }, label, source);
  }

  #readRow(cells: readonly string[], { labelAt, indexAt, count, channels, height, width }: Columns): Row {
    checkLength(cells, count, this.path, this.#row);
    const label = labelAt === undefined ? '' : readLabel(cells[labelAt] as string);
    if (label === '' && !this.options.isUnlabelled)
      throw csvError(`${this.path}, row ${this.#row}: the label is empty`);
    const pixels = new Uint8Array(channels * height * width);
    for (let column = 0, i = 0; column < count; column++) {
      if (column !== labelAt && column !== indexAt) pixels[i++] = this.#readPixel(cells[column] as string, column);
    }
    return { label, pixels, source: `${this.path}, row ${this.#row}` };
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

/** A row's pixels in the order of their columns. */
interface Row {
  readonly label: string;
  readonly pixels: Uint8Array;
  readonly source: string;
}
