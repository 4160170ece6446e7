/**
 * Lockstep as a library: training whose result is the same to the last bit for any number of workers.
 *
 *     import { loadModel, train } from 'lockstep';
 *
 *     const run = train({ model: 'tiny6k', recipe: { epochs: 2 }, seed: 7 });
 *     for await (const event of run) if (event.event === 'epoch') console.log(event.testAccuracy);
 *     (await run.result()).save('digits.safetensors');
 *     const [first] = await (await loadModel('digits.safetensors')).predict(pixels);
 *
 * @module
 */
export {
  type ArrayDatasetOptions,
  type ArraySplit,
  createArrayDataset,
  type DataNotes,
  type DataOptions,
  type Dataset,
  holdOutValidation,
  type MnistOptions,
  openDataset,
  type Split,
} from '@lockstep/core/data';
export type {
  AverageEvaluation,
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  Evaluation,
  MetricName,
  ProgressEvent,
  RunEvent,
  StartEvent,
  StepTimes,
  WarningEvent,
} from '@lockstep/core/events';
export {
  type CheckpointPolicy,
  type EvaluationRecord,
  RunControl,
  type RunObserver,
  type RunView,
  type SplitName,
} from '@lockstep/core/seams';
export { LockstepError } from '@lockstep/core/errors';
export { loadMnist } from '@lockstep/core/data/mnist';
export type { ModelSpec, ModelSpecInput, Recipe, RecipeInput } from '@lockstep/core/spec';
export type { ModelState } from '@lockstep/core/run';
export { zooModels } from '@lockstep/core/zoo';
export type { ModelSource } from './api/model-source.js';
export { type ComputeOptions, loadModel, TrainedModel } from './api/trained-model.js';
export type { TrainOptions } from './api/train-options.js';
export { TrainingRun, train } from './api/training-run.js';
export type { ImagePrediction } from './api/prediction.js';
export type { EvaluateResult, Prediction } from './api/session.js';
