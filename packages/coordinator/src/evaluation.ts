/** What a run evaluates: the test split, held-out images if there are any, and the moving average if there is one. */
import type { AverageEvaluation, EvaluatedSplit, Evaluation, TrainingNode } from '@lockstep/core';

export interface Evaluated {
  readonly test: EvaluatedSplit;
  readonly validation?: Evaluation;
  readonly ema?: AverageEvaluation;
}

export interface EvaluationPlan {
  readonly hasValidation: boolean;
  readonly hasAverage: boolean;
}

/** Evaluates the committed state of a node. */
export async function evaluateNode(node: TrainingNode, plan: EvaluationPlan): Promise<Evaluated> {
  const test = await node.evaluate('test');
  const validation = plan.hasValidation ? summarizeSplit(await node.evaluate('validation')) : undefined;
  const ema = plan.hasAverage ? await evaluateAverage(node, plan.hasValidation) : undefined;
  return { test, ...(validation && { validation }), ...(ema && { ema }) };
}

async function evaluateAverage(node: TrainingNode, hasValidation: boolean): Promise<AverageEvaluation> {
  const evaluation = describeTest(await node.evaluate('test', { average: true }));
  if (!hasValidation) return evaluation;
  return { ...evaluation, validation: summarizeSplit(await node.evaluate('validation', { average: true })) };
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
