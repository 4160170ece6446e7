/** A report on data in words, the same for terminal, page and report. */
import type { DataReport, Note } from '../events/data-report.js';
import { formatCount } from './count-text.js';

/** `the labels are column 1 (--label-column says otherwise)`. */
export function textOf({ text, flag }: Note): string {
  if (flag === undefined) return text;
  return `${text} (${flag} ${flag.includes(' and ') ? 'say' : 'says'} otherwise)`;
}

const NAMES: Readonly<Record<Note['kind'], string>> = {
  guessed: 'Guessed',
  'left-out': 'Left out',
  warning: 'Warning',
};

/** All but the table of classes, as names and values. */
export function listDataFacts(report: DataReport): [name: string, value: string][] {
  const { source, form, pieces, channels, height, width, labels, test, testFrom, validation, validationFrom } = report;
  const read = pieces.map(({ of, count }) => `${formatCount(count)} ${of}`).join(', ');
  const kinds = Object.keys(NAMES) as Note['kind'][];
  const notes = kinds.flatMap((kind) => report.notes.filter((note) => note.kind === kind));
  return [
    ['Data', source],
    ['Form', form],
    ['Read', read],
    ['Images', `${channels}x${height}x${width} (channels x height x width)`],
    ['Labels', labels],
    ['Training set', formatCount(report.train)],
    ['Validation set', validation === 0 ? 'none' : `${formatCount(validation)}: ${validationFrom}`],
    ['Test set', `${formatCount(test)}: ${testFrom}`],
    ['Pixels', report.pixels],
    ...notes.map((note): [string, string] => [NAMES[note.kind], textOf(note)]),
  ];
}

/** Rows of the classes in their order, under headings. */
export function tabulateClasses({ classes, validation }: DataReport): { headings: string[]; rows: string[][] } {
  const pick = (train: string, held: string, test: string): string[] =>
    validation > 0 ? [train, held, test] : [train, test];
  return {
    headings: ['Class', ...pick('Training', 'Validation', 'Test')],
    rows: classes.map((row) => [
      row.name,
      ...pick(formatCount(row.train), formatCount(row.validation), formatCount(row.test)),
    ]),
  };
}
