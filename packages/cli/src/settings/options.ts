/** Every field of a run: one table, from which flags, help, config files and error texts are made. */

import { metricNames } from '@lockstep/core/events';
import { checkpointSchema, engineNames, runSchema, workersSchema } from '@lockstep/core/seams';
import { checkBy, optimizerSchema, scheduleSchema } from '@lockstep/core/spec';
import { clusterFields } from './cluster-fields.js';
import { dashboardField } from './dashboard-field.js';
import { dataFormFields } from './data-fields.js';
import { type Check, type Field, type Group, isBoolean, isText } from './fields.js';
import { watchFields } from './watch-fields.js';

export const DEFAULT_MODEL = 'tiny6k';
export const DEFAULT_SEED = 1;

const optimizerNames = optimizerSchema.options.map((option) => option.shape.type.value);
const scheduleNames = scheduleSchema.options.map((option) => option.shape.type.value);

export const workersField: Field = {
  flags: '--workers <n>',
  path: ['workers'],
  group: 'Run',
  kind: 'number',
  description: 'threads that compute; any number gives the same result',
  defaultText: "this machine's cores",
  check: checkBy(workersSchema),
};

export const dataField: Field = {
  flags: '--data <path>',
  path: ['data'],
  group: 'Data',
  kind: 'text',
  description: 'folder of IDX files, folder with a folder of images per class, .csv or .npz',
  defaultText: 'the cache, else downloaded, else the embedded sample',
  check: isText,
};

export const jsonField: Field = {
  flags: '--json',
  path: ['json'],
  group: 'Output',
  kind: 'switch',
  description: 'one JSON object a line on stdout, all else on stderr',
  check: isBoolean,
};

const number = (group: Group, flags: string, path: string, description: string, more: Partial<Field> = {}): Field => ({
  flags,
  path: path.split('.'),
  group,
  kind: 'number',
  description,
  ...more,
});

const recipeNumber = (flags: string, path: string, description: string): Field =>
  number('Recipe', flags, `recipe.${path}`, description);

const text = (group: Group, flags: string, path: string, description: string): Field => ({
  flags,
  path: path.split('.'),
  group,
  kind: 'text',
  description,
  check: isText,
});

const toggle = (group: Group, flags: string, path: string, description: string): Field => ({
  flags,
  path: path.split('.'),
  group,
  kind: 'switch',
  description,
  check: isBoolean,
});

/** Which of a zoo model's recipes to start from. */
export const recipeNameField: Field = {
  flags: '--recipe <name>',
  path: ['recipeName'],
  group: 'Recipe',
  kind: 'text',
  description: "one of the model's recipes by its name, such as author, see `lockstep models`",
  defaultText: 'the first of them',
  check: isText,
};

/** Forms of other programs: a file under such a name would not be what it says. */
const OTHER_FORMS = /\.(onnx|pth?|h5|hdf5|keras|tflite|pb|ckpt|np[yz]|pkl|json|html)$/i;

const isWeightsPath: Check = (value) => {
  if (typeof value !== 'string' || !OTHER_FORMS.test(value)) return isText(value);
  return 'weights are saved as .safetensors, which PyTorch loads; for ONNX, TensorFlow.js or a page, `lockstep export` makes them from that file';
};

const settings = runSchema.shape;
const checkpoints = checkpointSchema.shape;

/** What a run takes besides its model and recipe. */
export const runFields: readonly Field[] = [
  { ...workersField, check: checkBy(settings.workers) },
  ...clusterFields,
  number('Run', '--seed <n>', 'seed', 'start of every random number', {
    defaultText: String(DEFAULT_SEED),
    check: checkBy(settings.seed),
  }),
  number('Run', '--steps <n>', 'steps', 'stop after this many steps', { check: checkBy(settings.steps) }),
  number('Run', '--until <fraction>', 'until', 'stop when the test accuracy reaches this, such as 0.994', {
    check: checkBy(settings.until),
  }),
  text(
    'Run',
    '--resume <dir>',
    'resume',
    'go on from the newest checkpoint in this folder; takes its model, recipe and seed',
  ),
  toggle(
    'Run',
    '--continue',
    'continue',
    'with --checkpoint: go on from the newest checkpoint in that folder, if there is one',
  ),
  toggle(
    'Run',
    '--preemptible',
    'preemptible',
    'after a signal but Ctrl-C end with exit code 75, to be started again; nodes wait for that',
  ),
  text('Run', '--health <host:port>', 'health', 'answer probes there: GET /healthz, and /readyz once the run goes'),
  toggle('Run', '--override', 'override', 'with --resume: go on although the recipe, seed or data differ'),
  number('Run', '--patience <n>', 'patience', 'stop after n epochs that are not better than the best, see --best', {
    check: checkBy(settings.patience),
  }),
  {
    flags: '--evaluate <when>',
    path: ['evaluate'],
    group: 'Run',
    kind: 'text',
    description: 'epochs: after every epoch; end: once, when the run is over',
    defaultText: 'epochs',
    check: checkBy(settings.evaluate),
  },
  {
    flags: '--weights <file>',
    path: ['weights'],
    group: 'Run',
    kind: 'text',
    description: 'start from these weights (.safetensors)',
    check: checkBy(settings.weights),
  },
  number('Run', '--replace-head <n>', 'replaceHead', 'with --weights: give the model a new last layer for n classes', {
    check: checkBy(settings.replaceHead),
  }),
  {
    flags: '--engine <name>',
    path: ['engine'],
    group: 'Run',
    kind: 'text',
    description: `what computes: ${engineNames.join(', ')}`,
    defaultText: engineNames[0],
    check: checkBy(settings.engine),
  },
  {
    flags: '--dry-run',
    path: ['dryRun'],
    group: 'Run',
    kind: 'switch',
    description: 'say what would be run, do one step of it, save nothing',
    check: isBoolean,
  },
  recipeNameField,
  dataField,
  ...dataFormFields,
  number(
    'Data',
    '--validation <n>',
    'validation',
    'hold out n training images and report them too; data without a test set gets one of n images',
    { check: checkBy(settings.validation) },
  ),
  {
    flags: '--save <file>',
    path: ['save'],
    group: 'Output',
    kind: 'text',
    description: 'write the weights of the last step here (.safetensors)',
    defaultText: 'best and last into the folder of the run',
    check: (value) => (value === false ? undefined : isWeightsPath(value)),
  },
  {
    flags: '--no-save',
    path: ['save'],
    group: 'Output',
    kind: 'switch',
    description: 'write no weights, and make no folder',
  },
  {
    ...text('Output', '--save-ema <file>', 'saveEma', 'write the moving average of the weights here, with --ema'),
    check: isWeightsPath,
  },
  {
    ...text('Output', '--checkpoint <dir>', 'checkpoint', 'write checkpoints into this folder'),
    defaultText: 'the folder of --resume',
    check: (value) => (value === false ? undefined : isText(value)),
  },
  { flags: '--no-checkpoint', path: ['checkpoint'], group: 'Output', kind: 'switch', description: 'write none' },
  {
    ...text('Output', '--every <n steps|epochs>', 'every', 'write a checkpoint every n steps or epochs'),
    defaultText: '1 epoch',
    check: checkBy(checkpoints.every),
  },
  number('Output', '--keep <n>', 'keep', 'how many of the newest checkpoints to keep', {
    defaultText: '3',
    check: checkBy(checkpoints.keep),
  }),
  {
    ...text(
      'Output',
      '--best <metric>',
      'best',
      `keep the checkpoint of the best epoch too, by ${metricNames.join(', ')}`,
    ),
    check: checkBy(settings.best),
  },
  dashboardField,
  toggle('Output', '--plot', 'plot', 'at the end, draw the learning curves in the terminal'),
  jsonField,
  {
    flags: '--quiet',
    path: ['quiet'],
    group: 'Output',
    kind: 'switch',
    description: 'only warnings and the result',
    check: isBoolean,
  },
  ...watchFields,
];

/** Every field of a recipe; core's recipe schema checks the values. */
export const recipeFields: readonly Field[] = [
  recipeNumber('--epochs <n>', 'epochs', 'passes over the training images'),
  recipeNumber('--batch-size <n>', 'batchSize', 'images per step'),
  recipeNumber(
    '--shard-size <n>',
    'shardSize',
    'images per shard, a multiple of 16; batch norm takes statistics of each',
  ),
  recipeNumber('--lr, --learning-rate <rate>', 'learningRate', 'learning rate, for a schedule its peak'),
  {
    flags: '--optimizer <name>',
    path: ['recipe', 'optimizer', 'type'],
    group: 'Recipe',
    kind: 'text',
    description: `${optimizerNames.join(', ')}; another than the model's starts from its own defaults`,
  },
  recipeNumber('--momentum <x>', 'optimizer.momentum', 'sgd: momentum'),
  {
    flags: '--nesterov',
    path: ['recipe', 'optimizer', 'nesterov'],
    group: 'Recipe',
    kind: 'switch',
    description: 'sgd: with Nesterov momentum',
  },
  {
    flags: '--no-nesterov',
    path: ['recipe', 'optimizer', 'nesterov'],
    group: 'Recipe',
    kind: 'switch',
    description: 'sgd: with plain momentum',
  },
  {
    ...recipeNumber('--betas <a,b>', 'optimizer.betas', 'adam, adamw: decay of the two averages, such as 0.9,0.999'),
    kind: 'numbers',
  },
  recipeNumber('--eps <x>', 'optimizer.eps', 'adam, adamw: added to the denominator'),
  recipeNumber('--weight-decay <x>', 'optimizer.weightDecay', 'pull of the weights to zero'),
  {
    flags: '--schedule <name>',
    path: ['recipe', 'schedule', 'type'],
    group: 'Recipe',
    kind: 'text',
    description: `how the rate moves: ${scheduleNames.join(', ')}`,
  },
  recipeNumber('--step-every <n>', 'schedule.every', 'step: epochs between two changes'),
  recipeNumber('--gamma <x>', 'schedule.gamma', 'step: factor of each change'),
  recipeNumber('--minimum-rate <rate>', 'schedule.minimum', 'cosine: rate at the end'),
  recipeNumber('--rise <fraction>', 'schedule.rise', 'one-cycle: share of the steps that rise'),
  recipeNumber('--div-factor <x>', 'schedule.divFactor', 'one-cycle: peak rate over first rate'),
  recipeNumber('--final-div-factor <x>', 'schedule.finalDivFactor', 'one-cycle: first rate over last rate'),
  {
    flags: '--anneal <name>',
    path: ['recipe', 'schedule', 'anneal'],
    group: 'Recipe',
    kind: 'text',
    description: 'one-cycle: cosine or linear',
  },
  recipeNumber('--warmup-steps <n>', 'warmupSteps', 'steps of linear warm-up'),
  recipeNumber('--rotation <degrees>', 'augmentation.rotation', 'turn images by up to this, either way'),
  recipeNumber('--shift <pixels>', 'augmentation.shift', 'shift images by up to this along each axis'),
  recipeNumber('--scale <fraction>', 'augmentation.scale', 'scale images by up to this, either way'),
  recipeNumber('--center-crop <pixels>', 'augmentation.centerCrop.size', 'blow up this much of the middle of images'),
  recipeNumber('--center-crop-p <p>', 'augmentation.centerCrop.probability', 'of how many of them (default: all)'),
  recipeNumber('--dropout <p>', 'dropout', 'probability of every dropout layer of the model'),
  recipeNumber('--label-smoothing <x>', 'labelSmoothing', 'share of the target that is spread over all classes'),
  recipeNumber('--clip-norm <x>', 'clipNorm', 'largest norm of the gradient; a larger one is scaled down to it'),
  {
    flags: '--gradient-precision <name>',
    path: ['recipe', 'gradientPrecision'],
    group: 'Recipe',
    kind: 'text',
    description: 'float32, or bf16: round sums of gradients, so that half the bytes travel between nodes',
  },
  recipeNumber('--ema <decay>', 'ema', 'keep a moving average of the weights, such as 0.999, and evaluate it too'),
  {
    ...toggle('Recipe', '--ema-warmup', 'recipe.emaWarmup', 'let its decay grow: (1 + t) / (10 + t) at step t'),
    check: () => undefined,
  },
  {
    flags: '--freeze <patterns>',
    path: ['recipe', 'freeze'],
    group: 'Recipe',
    kind: 'texts',
    description:
      'parameters or layers that stay as they are, such as conv1,conv2 or features.* (all before the dense layers)',
  },
];
