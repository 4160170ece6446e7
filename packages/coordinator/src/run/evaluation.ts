/** What a run evaluates: the test split, held-out images if there are any, and the moving average if there is one. */
import type { AverageEvaluation, Evaluation } from '@lockstep/core/events';
import type { EvaluatedSplit, EvaluationRecord, SplitName, TrainingNode } from '@lockstep/core/seams';

export interface Evaluated {
  readonly test: EvaluatedSplit;
  readonly validation?: Evaluation;
  readonly ema?: AverageEvaluation;
}

export interface EvaluationPlan {
  readonly hasValidation: boolean;
  readonly hasAverage: boolean;
  /** Told of every split. */
  readonly onEvaluated: (record: Omit<EvaluationRecord, 'epoch' | 'step'>) => void;
}

/** Evaluates the committed state of a node. */
export async function evaluateNode(node: TrainingNode, plan: EvaluationPlan): Promise<Evaluated> {
  const test = await evaluateSplit(node, 'test', false, plan);
  const validation = plan.hasValidation
    ? summarizeSplit(await evaluateSplit(node, 'validation', false, plan))
    : undefined;
  const ema = plan.hasAverage ? await evaluateAverage(node, plan) : undefined;
  return { test, ...(validation && { validation }), ...(ema && { ema }) };
}

async function evaluateAverage(node: TrainingNode, plan: EvaluationPlan): Promise<AverageEvaluation> {
  const evaluation = describeTest(await evaluateSplit(node, 'test', true, plan));
  if (!plan.hasValidation) return evaluation;
  return { ...evaluation, validation: summarizeSplit(await evaluateSplit(node, 'validation', true, plan)) };
}

async function evaluateSplit(
  node: TrainingNode,
  split: SplitName,
  ofAverage: boolean,
  { onEvaluated }: EvaluationPlan,
): Promise<EvaluatedSplit> {
  const beganMs = performance.now();
  const evaluated = await node.evaluate(split, { average: ofAverage });
  onEvaluated({ split, ofAverage, evaluated, beganMs, endedMs: performance.now() });
  return evaluated;
}

const summarizeSplit = ({ loss, accuracy, correct, total }: EvaluatedSplit): Evaluation => ({
  loss,
  accuracy,
  correct,
  total,
});

/** The fields of the test split in an event. */
export const describeTest = ({ loss, accuracy, correct, total }: EvaluatedSplit) => ({
  testLoss: loss,
  testAccuracy: accuracy,
  testCorrect: correct,
  testTotal: total,
});
