/** What an evaluation shows: totals, confusion matrix, scores per class, calibration, the most confident mistakes. */
import { countConfusion, type Prediction, pickMistakes } from '@lockstep/core/events';
import { formatPercent } from '@lockstep/core/text';
import type { EvaluateResult } from '../api/session.js';
import { formatSplit } from '../terminal/run-printer.js';
import { formatTable } from '../terminal/text-table.js';
import { type Calibration, formatCalibration, measureCalibration } from './calibration.js';

export interface ClassScore {
  readonly label: number;
  readonly name: string;
  readonly correct: number;
  readonly total: number;
  /** Of the images of this class, the share that was recognized: 0 when the split has none. Also called accuracy. */
  readonly recall: number;
  /** Of the images taken for this class, the share that was of it; 0 when none was. */
  readonly precision: number;
  /** Harmonic mean of precision and recall. */
  readonly f1: number;
}

export interface EvaluationReport {
  readonly loss: number;
  readonly accuracy: number;
  readonly correct: number;
  readonly total: number;
  /** [label][predicted]: how many. */
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly ClassScore[];
  readonly calibration: Calibration;
  /** Wrong predictions, most confident first; of equals the earlier sample first. */
  readonly mistakes: readonly Prediction[];
}

/** Above this a matrix no longer fits a terminal: the commonest confusions are listed instead. */
const MAX_MATRIX_CLASSES = 20;
const CONFUSIONS = 20;

/**
 * @param classNames one per class
 * @param mistakeCount how many mistakes to keep
 */
export function reportEvaluation(
  result: EvaluateResult,
  classNames: readonly string[],
  mistakeCount: number,
): EvaluationReport {
  const { loss, correct, total, predictions } = result;
  const confusion = countConfusion(predictions, classNames.length);
  return {
    loss,
    accuracy: divide(correct, total),
    correct,
    total,
    confusion,
    classes: classNames.map((name, label) => scoreClass(confusion, label, name)),
    calibration: measureCalibration(predictions),
    mistakes: pickMistakes(predictions, mistakeCount),
  };
}

const divide = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);

function scoreClass(confusion: readonly (readonly number[])[], label: number, name: string): ClassScore {
  const correct = confusion[label]?.[label] ?? 0;
  const total = sum(confusion[label] ?? []);
  const taken = sum(confusion.map((row) => row[label] ?? 0));
  const [recall, precision] = [divide(correct, total), divide(correct, taken)];
  return { label, name, correct, total, recall, precision, f1: divide(2 * precision * recall, precision + recall) };
}

/** @param name of the split: `Test set` */
export function formatReport(report: EvaluationReport, name: string): string[] {
  const isSmall = report.classes.length <= MAX_MATRIX_CLASSES;
  return [
    formatSplit(name, report),
    '',
    ...(isSmall ? formatMatrix(report) : formatConfusions(report)),
    '',
    ...formatScores(report),
    '',
    ...formatCalibration(report.calibration),
    '',
    ...formatMistakes(report),
  ];
}

function formatMatrix({ confusion, classes }: EvaluationReport): string[] {
  const names = classes.map(({ name }) => name);
  const rows = confusion.map((row, label) => [
    names[label] as string,
    ...row.map((count) => (count === 0 ? '.' : String(count))),
  ]);
  return [
    'Confusion matrix (rows: label, columns: prediction)',
    ...formatTable([['', ...names], ...rows], 'r'.repeat(names.length + 1)),
  ];
}

function formatConfusions({ confusion, classes }: EvaluationReport): string[] {
  const pairs = confusion.flatMap((row, label) =>
    row.flatMap((count, predicted) => (count > 0 && label !== predicted ? [{ label, predicted, count }] : [])),
  );
  const commonest = pairs.sort((a, b) => b.count - a.count).slice(0, CONFUSIONS);
  const nameOf = (label: number): string => classes[label]?.name ?? String(label);
  const rows = commonest.map(({ label, predicted, count }) => [nameOf(label), nameOf(predicted), String(count)]);
  return [
    `Commonest confusions (${commonest.length} of ${pairs.length})`,
    ...formatTable([['Label', 'Predicted', 'Images'], ...rows], 'llr'),
  ];
}

function formatScores({ classes }: EvaluationReport): string[] {
  const percent = (fraction: number, whole: number): string => (whole > 0 ? `${formatPercent(fraction)}%` : '-');
  const rows = classes.map(({ name, total, precision, recall, f1 }) => [
    name,
    String(total),
    ...[precision, recall, f1].map((score) => percent(score, total)),
  ]);
  return formatTable([['Class', 'Images', 'Precision', 'Recall', 'F1'], ...rows], 'lrrrr');
}

function formatMistakes({ mistakes, correct, total, classes }: EvaluationReport): string[] {
  const wrong = total - correct;
  if (wrong === 0) return ['No mistakes.'];
  const nameOf = (label: number): string => classes[label]?.name ?? String(label);
  const rows = mistakes.map(({ index, label, predicted, confidence }) => [
    String(index),
    nameOf(label),
    nameOf(predicted),
    `${formatPercent(confidence)}%`,
  ]);
  return [
    `Most confident mistakes (${mistakes.length} of ${wrong})`,
    ...formatTable([['Index', 'Label', 'Predicted', 'Confidence'], ...rows], 'rrrr'),
  ];
}
