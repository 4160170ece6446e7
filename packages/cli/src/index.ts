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
  type AverageEvaluation,
  type CheckpointEvent,
  type CheckpointPolicy,
  createArrayDataset,
  type DataNotes,
  type DataOptions,
  type Dataset,
  type EndEvent,
  type EpochEvent,
  type Evaluation,
  type EvaluationRecord,
  holdOutValidation,
  LockstepError,
  loadMnist,
  type MetricName,
  type MnistOptions,
  type ModelSpec,
  type ModelSpecInput,
  type ModelState,
  openDataset,
  type ProgressEvent,
  type Recipe,
  type RecipeInput,
  RunControl,
  type RunEvent,
  type RunObserver,
  type RunView,
  type Split,
  type SplitName,
  type StartEvent,
  type StepTimes,
  type WarningEvent,
  zooModels,
} from '@lockstep/core';
export type { ModelSource } from './library/model-source.js';
export { type ComputeOptions, loadModel, TrainedModel } from './library/trained-model.js';
export type { TrainOptions } from './library/train-options.js';
export { TrainingRun, train } from './library/training-run.js';
export type { ImagePrediction } from './prediction.js';
export type { EvaluateResult, Prediction } from './session.js';
