/** Every field of a run but its recipe's: one table, from which flags, help, config files and error texts are made. */
import { metricNames } from '@lockstep/core/events';
import { checkpointSchema, engineNames, kernelChoices, runSchema } from '@lockstep/core/seams';
import { checkBy } from '@lockstep/core/spec';
import { clusterFields } from './cluster-fields.js';
import { DEFAULT_SEED, dataField, jsonField, workersField } from './common-fields.js';
import { dashboardField } from './dashboard-field.js';
import { dataFormFields } from './data-fields.js';
import { type Field, fieldsIn, isText } from './field.js';
import { recipeNameField } from './recipe-fields.js';
import { watchFields } from './watch-fields.js';
import { isWeightsPath } from './weights-path.js';

const settings = runSchema.shape;
const checkpoints = checkpointSchema.shape;
const run = fieldsIn('Run');
const output = fieldsIn('Output');

/** What a run takes besides its model and recipe. */
export const runFields: readonly Field[] = [
  { ...workersField, check: checkBy(settings.workers) },
  ...clusterFields,
  run.number('--seed <n>', 'seed', 'start of every random number', {
    defaultText: String(DEFAULT_SEED),
    check: checkBy(settings.seed),
  }),
  run.number('--steps <n>', 'steps', 'stop after this many steps', { check: checkBy(settings.steps) }),
  run.number('--until <fraction>', 'until', 'stop when the test accuracy reaches this, such as 0.994', {
    check: checkBy(settings.until),
  }),
  run.text(
    '--resume <dir>',
    'resume',
    'go on from the newest checkpoint in this folder; takes its model, recipe and seed',
  ),
  run.toggle(
    '--continue',
    'continue',
    'with --checkpoint: go on from the newest checkpoint in that folder, if there is one',
  ),
  run.toggle(
    '--preemptible',
    'preemptible',
    'after a signal but Ctrl-C end with exit code 75, to be started again; nodes wait for that',
  ),
  run.text('--health <host:port>', 'health', 'answer probes there: GET /healthz, and /readyz once the run goes'),
  run.toggle('--override', 'override', 'with --resume: go on although the recipe, seed or data differ'),
  run.number('--patience <n>', 'patience', 'stop after n epochs that are not better than the best, see --best', {
    check: checkBy(settings.patience),
  }),
  run.text('--evaluate <when>', 'evaluate', 'epochs: after every epoch; end: once, when the run is over', {
    defaultText: 'epochs',
    check: checkBy(settings.evaluate),
  }),
  run.text(
    '--weights <file>',
    'weights',
    'start from these weights (.safetensors), the best of the folder of a run, or `latest`',
    {
      check: checkBy(settings.weights),
    },
  ),
  run.number('--replace-head <n>', 'replaceHead', 'with --weights: give the model a new last layer for n classes', {
    check: checkBy(settings.replaceHead),
  }),
  run.text('--engine <name>', 'engine', `what computes: ${engineNames.join(', ')}`, {
    defaultText: engineNames[0],
    check: checkBy(settings.engine),
  }),
  run.text('--kernels <which>', 'kernels', 'kernels of the native engine: auto, native (compiled here), wasm', {
    defaultText: kernelChoices[0],
    check: checkBy(settings.kernels),
  }),
  run.toggle('--dry-run', 'dryRun', 'say what would be run, do one step of it, save nothing'),
  recipeNameField,
  dataField,
  ...dataFormFields,
  fieldsIn('Data').number(
    '--validation <n>',
    'validation',
    'hold out n training images and report them too; data without a test set gets one of n images',
    { check: checkBy(settings.validation) },
  ),
  output.written('--save <file>', 'save', 'write the weights of the last step here (.safetensors)', {
    defaultText: 'best and last into the folder of the run',
    check: (value) => (value === false ? undefined : isWeightsPath(value)),
  }),
  // What --save allows is checked for both.
  output.toggle('--no-save', 'save', 'write no weights, and make no folder', { check: () => undefined }),
  output.written('--save-ema <file>', 'saveEma', 'write the moving average of the weights here, with --ema', {
    check: isWeightsPath,
  }),
  output.text('--checkpoint <dir>', 'checkpoint', 'write checkpoints into this folder', {
    defaultText: 'the folder of --resume',
    check: (value) => (value === false ? undefined : isText(value)),
  }),
  output.toggle('--no-checkpoint', 'checkpoint', 'write none', { check: () => undefined }),
  output.text('--every <n steps|epochs>', 'every', 'write a checkpoint every n steps or epochs', {
    defaultText: '1 epoch',
    check: checkBy(checkpoints.every),
  }),
  output.number('--keep <n>', 'keep', 'how many of the newest checkpoints to keep', {
    defaultText: '3',
    check: checkBy(checkpoints.keep),
  }),
  output.text('--best <metric>', 'best', `keep the checkpoint of the best epoch too, by ${metricNames.join(', ')}`, {
    check: checkBy(settings.best),
  }),
  dashboardField,
  output.toggle('--plot', 'plot', 'at the end, draw the learning curves in the terminal'),
  jsonField,
  output.toggle('--quiet', 'quiet', 'only warnings and the result'),
  ...watchFields,
];
