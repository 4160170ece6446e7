/** How the columns of a table are laid out: by the first row, or by what all rows have at their ends. */
import { basename } from 'node:path';
import { LockstepError } from '../../errors/errors.js';
import { guessed, leftOut, type Note } from '../../events/data-report.js';
import { countOf } from '../../text/count-text.js';
import {
  checkSaid,
  countPixels,
  NO_SQUARE,
  type PixelForm,
  type PixelLayout,
  sizeOfRows,
} from '../pictures/pixel-form.js';
import {
  findDoubtfulName,
  findIndexColumn,
  findLabelByValues,
  findNamedLabel,
  isHeaderRow,
  type LabelPlace,
  RowCount,
  readLabel,
} from './csv-columns.js';
import { isBlank } from './csv-rows.js';
import type { OnCount } from './image-folder.js';
import type { ImageSize } from './image-list.js';

export interface CsvOptions {
  /** Name of the column with the labels, or `first` or `last`. Default: its usual names, else what its values look like. */
  readonly labelColumn?: string | undefined;
  /** Form of the images. Default: square, grey or (three times a square) RGB. */
  readonly shape?: Omit<PixelForm, 'layout'> | undefined;
  /** Where colours are. Default: as neighbours are alike, where that is clear, else plane by plane. */
  readonly layout?: PixelLayout | undefined;
  /** How rows were images where a model was trained: holds where neither `shape` nor `layout` says otherwise. */
  readonly rows?: PixelForm | undefined;
  readonly resize?: ImageSize | undefined;
  /** The table that this one goes with: where it has no labels, there is one column less. */
  readonly beside?: Columns | undefined;
  /** Whether the labels do not matter: a table with pixels alone is read as well then, and `shape` is what a model reads. */
  readonly isUnlabelled?: boolean | undefined;
  /** Called with bytes read and bytes in all. */
  readonly onCount: OnCount;
}

/** How the columns are laid out. */
export interface Columns {
  /** Undefined in a table of pixels alone. */
  readonly labelAt: number | undefined;
  /** A column that counts the rows, which is passed over. */
  readonly indexAt: number | undefined;
  readonly names: readonly string[] | undefined;
  readonly count: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Undefined where only the pixels can tell. */
  readonly layout: PixelLayout | undefined;
}

/** Takes rows until all is known. */
export class LayoutReader {
  #names: readonly string[] | undefined;
  #count = 0;
  #place: LabelPlace | undefined;
  #hasLabels = true;
  #row = 0;
  #firstAt = 0;
  /** Place and name of the label in a first row that is taken for a header, unless the name is a label of another row. */
  #doubtful: { readonly at: number; readonly name: string } | undefined;
  #isMistaken = false;
  readonly #rowCount = new RowCount();
  readonly #first = new Map<string, number>();
  /** The second column, which may have the labels where the first counts the rows. */
  readonly #second = new Map<string, number>();
  readonly #last = new Map<string, number>();

  constructor(
    private readonly path: string,
    private readonly options: CsvOptions,
    /** Whether the first row is known to be an image, though it looks like a header. */
    private readonly isImage = false,
  ) {}

  /** Whether the first row was taken for a header, and is none: the table is to be read as such from its beginning. */
  get isMistaken(): boolean {
    return this.#isMistaken;
  }

  /** False when all is known. */
  read(cells: readonly string[]): boolean {
    this.#row++;
    if (isBlank(cells)) return true;
    if (this.#count === 0) {
      const name = isHeaderRow(cells) || this.isImage ? undefined : this.#findName(cells);
      const isHeader = isHeaderRow(cells) || name !== undefined;
      this.#readFirst(cells, isHeader);
      if (name?.isSure === false) this.#doubtful = name;
      else if (this.#place !== undefined) return false;
      if (!this.#hasLabels) return false;
      if (isHeader) return true;
    }
    if (this.#doubtful !== undefined && readLabel(cells[this.#doubtful.at] ?? '') === this.#doubtful.name) {
      this.#isMistaken = true;
      return false;
    }
    checkLength(cells, this.#count, this.path, this.#row);
    count(this.#first, cells[this.#firstAt] ?? '');
    count(this.#last, cells[this.#count - 1] ?? '');
    if (this.#names !== undefined) return true;
    this.#rowCount.add(cells[0] ?? '');
    count(this.#second, cells[1] ?? '');
    return true;
  }

  /** The name in a first row like `kind,0,1,2,3`: sure where it was said, or stands in the training table. */
  #findName(cells: readonly string[]) {
    const { labelColumn, beside } = this.options;
    const at = findDoubtfulName(cells);
    if (at === undefined || (beside !== undefined && beside.names === undefined)) return undefined;
    const name = (cells[at] as string).trim();
    return { at, name, isSure: name === labelColumn || beside?.names?.includes(name) === true };
  }

  #readFirst(cells: readonly string[], isHeader: boolean): void {
    const { labelColumn, beside } = this.options;
    this.#count = cells.length;
    this.#names = isHeader ? cells.map((cell) => cell.trim()) : undefined;
    const besideAt = beside?.labelAt ?? -1;
    const labelName = beside?.names?.[besideAt];
    const isShort = cells.length === (beside?.count ?? 0) - 1;
    if (isShort && !(labelName !== undefined && this.#names?.includes(labelName))) {
      this.#hasLabels = false;
      return;
    }
    this.#place = this.#findPixelsAlone() ?? findNamedLabel(this.#names, cells.length, labelColumn);
    const named = (name: string | undefined): boolean => this.#names === undefined || name === labelName;
    if (this.#place === undefined && beside?.count === cells.length && named(this.#names?.[besideAt])) {
      this.#place = { labelAt: besideAt, indexAt: beside.indexAt, why: 'as in the training table' };
    }
    this.#firstAt = this.#names !== undefined && findIndexColumn(this.#names, labelColumn) === 0 ? 1 : 0;
    if (labelColumn === undefined || this.#place !== undefined) return;
    const names = this.#names;
    const there = names === undefined ? 'its first row has no names' : `it has ${names.slice(0, 4).join(', ')}, ...`;
    throw csvError(`${this.path} has no column "${labelColumn}": ${there}`);
  }

  /** Where labels do not matter: a table of as many columns as there are pixels, or one more that counts the rows. */
  #findPixelsAlone(): LabelPlace | undefined {
    const { shape, rows, isUnlabelled, labelColumn } = this.options;
    if (!isUnlabelled || labelColumn !== undefined) return undefined;
    if (shape === undefined && findNamedLabel(this.#names, this.#count, undefined) !== undefined) return undefined;
    const indexAt = this.#names && findIndexColumn(this.#names, undefined);
    const pixels = this.#count - (indexAt === undefined ? 0 : 1);
    const isAll = shape === undefined ? sizeOfRows(pixels, rows) !== undefined : countPixels(shape) === pixels;
    return isAll ? { labelAt: undefined, indexAt, why: 'none' } : undefined;
  }

  finish(): Columns | 'no labels' {
    if (!this.#hasLabels) return 'no labels';
    if (this.#count === 0) throw csvError(`${this.path} has no rows of pixels`);
    const isNumbered = this.#rowCount.isOne && this.#count > 2;
    const [first, firstAt] = isNumbered ? ([this.#second, 1] as const) : ([this.#first, this.#firstAt] as const);
    this.#place ??= findLabelByValues(first, this.#last, firstAt, this.#count - 1);
    if (this.#place === undefined) {
      throw csvError(
        `${this.path}: the first column and the last one both look like labels. Give --label-column first or --label-column last`,
      );
    }
    const { labelAt, indexAt } = this.#place;
    const pixels = this.#count - [labelAt, indexAt].filter((at) => at !== undefined).length;
    const { shape: said, layout, rows, beside } = this.options;
    const shape = said ?? sizeOfRows(pixels, rows);
    if (shape === undefined) throw csvError(`${this.path} has ${countOf(pixels, 'column')} of pixels, ${NO_SQUARE}`);
    const wrong = checkSaid(shape, pixels, 'column', this.options.isUnlabelled ? 'the model reads' : undefined);
    if (wrong !== undefined) throw csvError(`${this.path} ${wrong}`);
    const { channels, height, width } = shape;
    const form = { channels, height, width, layout: layout ?? beside?.layout ?? rows?.layout };
    return { labelAt, indexAt, names: this.#names, count: this.#count, ...form };
  }

  /** `column 1 of 785 (label)`. */
  get labels(): string {
    const { labelAt } = this.#place as LabelPlace;
    if (labelAt === undefined) return 'none';
    const name = this.#names?.[labelAt];
    return `column ${labelAt + 1} of ${this.#count}${name ? ` (${name})` : ''}`;
  }

  get notes(): readonly Note[] {
    const { labelAt, indexAt, why } = this.#place as LabelPlace;
    const file = basename(this.path);
    const notes: Note[] = [];
    if (this.#doubtful !== undefined) {
      notes.push(
        guessed(`row 1 of ${file} is taken for names, as "${this.#doubtful.name}" is the label of no other row`),
      );
    }
    if (labelAt !== undefined && !this.options.isUnlabelled) {
      notes.push(guessed(`the labels of ${file} are ${this.labels}, ${why}`, '--label-column'));
    } else if (labelAt !== undefined) {
      const text = `${this.labels} of ${file} is no pixel, ${why}: it is passed over`;
      notes.push({ ...leftOut(text, 1), flag: '--label-column' });
    }
    if (indexAt === undefined) return notes;
    const indexName = this.#names?.[indexAt] || 'without a name';
    return [...notes, leftOut(`column 1 of ${file}, ${indexName}, counts the rows: it is passed over`, 1)];
  }
}

const count = (values: Map<string, number>, cell: string): void => {
  const label = readLabel(cell);
  values.set(label, (values.get(label) ?? 0) + 1);
};

export function checkLength(cells: readonly string[], count: number, path: string, row: number): void {
  if (cells.length === count) return;
  throw csvError(`${path}, row ${row}: it has ${countOf(cells.length, 'column')}, the first row has ${count}`);
}

export const csvError = (text: string): LockstepError =>
  new LockstepError('LOCKSTEP_DATA_CSV', `${text}. Expected a row per image: its label, then its pixels.`);
