/** Which line of a table is its header, which column has the labels, and what is no pixel. */
import { countOf } from '../../text/count-text.js';

/** Usual names of the column with the labels, in any case; where several are there, the first of these. */
const LABEL_NAMES = ['label', 'labels', 'class', 'target', 'digit', 'y', 'species'];
/** Names of columns of pixels: `pixel12`, `p1`, `1x28`, `12`. */
const PIXEL_NAME = /^[a-z]{0,8}[ _.-]?\d+([ _.,x:-]?[a-z]{0,3}\d+)*$/i;
/** Names of a column that counts the rows: pandas writes it without a name. */
const INDEX_NAME = /^(|index|unnamed: \d+)$/i;
/** The same, where another column has a usual name of labels; alone it may be what is to be learned. */
const ID_NAME = /^(id|image_?id|row_?id|row)$/i;
/** Fewer numbers in a row that count up may be pixels by chance. */
const LEAST_COUNTED = 10;
/** A label's most frequent value has no more than this many times its even share of the rows. */
const MOST_UNEVEN = 6;

/** Where the labels of a table stand. */
export interface LabelPlace {
  /** Undefined where a table has pixels alone. */
  readonly labelAt: number | undefined;
  /** A column that counts the rows, which is passed over. */
  readonly indexAt: number | undefined;
  /** How it was found, for people. */
  readonly why: string;
}

const isNumber = (cell: string): boolean => cell.trim() !== '' && Number.isFinite(Number(cell));

/**
 * Whether a first row is a header: more than one cell that is no number, a usual name of labels, or numbers that count up
 * from 0 or 1 as pandas numbers the columns of an array.
 */
export function isHeaderRow(cells: readonly string[]): boolean {
  const texts = cells.filter((cell) => !isNumber(cell));
  if (texts.length > 1) return true;
  if (texts.length === 1 && LABEL_NAMES.includes((texts[0] as string).trim().toLowerCase())) return true;
  return countsUp(cells.filter(isNumber), LEAST_COUNTED);
}

/**
 * Whether a first row that is no header by `isHeaderRow` may be one: `kind,0,1,2,3`, as pandas writes a narrow array. It
 * may also be an image, whose label then is likely to stand in another row as well. Gives the place of the name.
 */
export function findDoubtfulName(cells: readonly string[]): number | undefined {
  const at = cells.findIndex((cell) => !isNumber(cell));
  const isOne = !PIXEL_NAME.test(cells[at] ?? '') && cells[at]?.trim() && countsUp(cells.filter(isNumber), 2);
  return isOne && cells.filter(isNumber).length === cells.length - 1 ? at : undefined;
}

function countsUp(cells: readonly string[], least: number): boolean {
  const numbers = cells.map(Number);
  const [first = -1] = numbers;
  return numbers.length >= least && (first === 0 || first === 1) && numbers.every((n, i) => n === first + i);
}

/** The place of the labels as the header or a person says it; undefined where only the values can tell. */
export function findNamedLabel(names: readonly string[] | undefined, count: number, wanted: string | undefined) {
  const indexAt = names === undefined ? undefined : findIndexColumn(names, wanted);
  const place = (labelAt: number, why: string): LabelPlace => ({ labelAt, indexAt, why });
  if (wanted !== undefined) {
    const at = names?.indexOf(wanted) ?? -1;
    if (at >= 0) return place(at, 'as said');
    if (wanted === 'first') return place(indexAt === 0 ? 1 : 0, 'as said');
    if (wanted === 'last') return place(count - 1, 'as said');
    return undefined;
  }
  if (names === undefined) return undefined;
  const lower = names.map((name) => name.toLowerCase());
  const usual = LABEL_NAMES.map((name) => lower.indexOf(name)).find((at) => at >= 0);
  if (usual !== undefined) return place(usual, 'by its name');
  const odd = names.flatMap((name, at) => (at === indexAt || PIXEL_NAME.test(name) ? [] : [at]));
  return odd.length === 1 ? place(odd[0] as number, 'the one that is not named like pixels') : undefined;
}

export function findIndexColumn([first = '', ...names]: readonly string[], wanted: string | undefined) {
  const isId = ID_NAME.test(first) && names.some((name) => LABEL_NAMES.includes(name.toLowerCase()));
  return names.length > 1 && (INDEX_NAME.test(first) || isId) && first !== wanted ? 0 : undefined;
}

/** Whether the values of a column, in the order of the rows, are 0, 1, 2, ... or 1, 2, 3, ... */
export class RowCount {
  #least: number | undefined;
  #rows = 0;
  #isCounting = true;

  add(cell: string): void {
    const value = isNumber(cell) ? Number(cell) : Number.NaN;
    this.#least ??= value;
    this.#isCounting &&= value === this.#least + this.#rows++;
  }

  get isOne(): boolean {
    return this.#isCounting && this.#rows >= LEAST_COUNTED && (this.#least === 0 || this.#least === 1);
  }
}

/** How often each value stands in a column. */
export type Values = ReadonlyMap<string, number>;

/**
 * The place of the labels by what stands in the first and the last column: labels are texts, or numbers from 0 or 1 on
 * without a gap, none of them far more frequent than its share. Undefined where both look like it.
 */
export function findLabelByValues(
  first: Values,
  last: Values,
  firstAt: number,
  lastAt: number,
): LabelPlace | undefined {
  const indexAt = firstAt > 0 ? 0 : undefined;
  const isFirst = looksLikeLabels(first);
  const isLast = looksLikeLabels(last);
  if (isFirst && isLast) return undefined;
  if (isLast) return { labelAt: lastAt, indexAt, why: `by its ${describeValues(last)}` };
  return {
    labelAt: firstAt,
    indexAt,
    why: isFirst ? `by its ${describeValues(first)}` : 'since none looks like labels',
  };
}

function looksLikeLabels(values: Values): boolean {
  if (values.size < 2) return false;
  const labels = [...values.keys()];
  if (labels.some((label) => !isNumber(label))) return true;
  const numbers = labels.map(Number).sort((a, b) => a - b);
  const [least = -1] = numbers;
  const isCounted = (least === 0 || least === 1) && numbers.every((number, index) => number === least + index);
  const counts = [...values.values()];
  const rows = counts.reduce((sum, count) => sum + count, 0);
  return isCounted && Math.max(...counts) * values.size <= MOST_UNEVEN * rows;
}

const describeValues = (values: Values): string => countOf(values.size, 'value');

/** A label's text: a whole number in any notation is that number. */
export function readLabel(cell: string): string {
  const text = cell.trim();
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return text;
  const value = Number(text);
  return Number.isSafeInteger(value) ? String(value === 0 ? 0 : value) : text;
}
