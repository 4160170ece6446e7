/** What an evaluation shows: totals, confusion matrix, accuracy per class, the most confident mistakes. */
import { formatPercent } from './progress.js';
import { formatSplit } from './run-printer.js';
import type { EvaluateResult, Prediction } from './session.js';
import { formatTable } from './text-table.js';

export interface ClassScore {
  readonly label: number;
  readonly correct: number;
  readonly total: number;
  /** 0 when the split has no sample of the class. */
  readonly accuracy: number;
}

export interface EvaluationReport {
  readonly loss: number;
  readonly accuracy: number;
  readonly correct: number;
  readonly total: number;
  /** [label][predicted]: how many. */
  readonly confusion: readonly (readonly number[])[];
  readonly classes: readonly ClassScore[];
  /** Wrong predictions, most confident first; of equals the earlier sample first. */
  readonly mistakes: readonly Prediction[];
}

/** @param mistakeCount how many mistakes to keep */
export function reportEvaluation(result: EvaluateResult, classCount: number, mistakeCount: number): EvaluationReport {
  const { loss, correct, total, predictions } = result;
  const confusion = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0));
  for (const { label, predicted } of predictions) {
    const row = confusion[label] as number[];
    row[predicted] = (row[predicted] ?? 0) + 1;
  }
  const mistakes = predictions
    .filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => b.confidence - a.confidence || a.index - b.index)
    .slice(0, mistakeCount);
  const accuracy = total > 0 ? correct / total : 0;
  return { loss, accuracy, correct, total, confusion, classes: confusion.map(scoreClass), mistakes };
}

function scoreClass(row: readonly number[], label: number): ClassScore {
  const total = row.reduce((sum, count) => sum + count, 0);
  const correct = row[label] ?? 0;
  return { label, correct, total, accuracy: total > 0 ? correct / total : 0 };
}

/** @param name of the split: `Test set` */
export function formatReport(report: EvaluationReport, name: string): string[] {
  return [
    formatSplit(name, report),
    '',
    'Confusion matrix (rows: label, columns: prediction)',
    ...formatConfusion(report),
    '',
    ...formatMistakes(report),
  ];
}

function formatConfusion({ confusion, classes }: EvaluationReport): string[] {
  const labels = confusion.map((_, label) => String(label));
  const rows = confusion.map((row, label) => {
    const score = classes[label] as ClassScore;
    const accuracy = score.total > 0 ? `${formatPercent(score.accuracy)}%` : '-';
    return [String(label), ...row.map((count) => (count === 0 ? '.' : String(count))), accuracy];
  });
  return formatTable([['', ...labels, 'Accuracy'], ...rows], 'r'.repeat(labels.length + 2));
}

function formatMistakes({ mistakes, correct, total }: EvaluationReport): string[] {
  const wrong = total - correct;
  if (wrong === 0) return ['No mistakes.'];
  const rows = mistakes.map(({ index, label, predicted, confidence }) => [
    String(index),
    String(label),
    String(predicted),
    `${formatPercent(confidence)}%`,
  ]);
  return [
    `Most confident mistakes (${mistakes.length} of ${wrong})`,
    ...formatTable([['Index', 'Label', 'Predicted', 'Confidence'], ...rows], 'rrrr'),
  ];
}
