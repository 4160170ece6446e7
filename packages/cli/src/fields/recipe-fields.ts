/** Every field of a recipe; core's recipe schema checks the values. */
import { optimizerSchema, scheduleSchema } from '@lockstep/core/spec';
import { type Field, fieldsIn } from './field.js';

const optimizerNames = optimizerSchema.options.map((option) => option.shape.type.value);
const scheduleNames = scheduleSchema.options.map((option) => option.shape.type.value);

/** Which of a zoo model's recipes to start from. */
export const recipeNameField = fieldsIn('Recipe').text(
  '--recipe <name>',
  'recipeName',
  "one of the model's recipes by its name, such as author, see `lockstep models`",
  { defaultText: 'the first of them' },
);

const { number, numbers, text, texts, toggle } = fieldsIn('Recipe', 'recipe');

export const recipeFields: readonly Field[] = [
  number('--epochs <n>', 'epochs', 'passes over the training images'),
  number('--batch-size <n>', 'batchSize', 'images per step'),
  number('--shard-size <n>', 'shardSize', 'images per shard, a multiple of 16; batch norm takes statistics of each'),
  number('--lr, --learning-rate <rate>', 'learningRate', 'learning rate, for a schedule its peak'),
  text(
    '--optimizer <name>',
    'optimizer.type',
    `${optimizerNames.join(', ')}; another than the model's starts from its own defaults`,
  ),
  number('--momentum <x>', 'optimizer.momentum', 'sgd: momentum'),
  toggle('--nesterov', 'optimizer.nesterov', 'sgd: with Nesterov momentum'),
  toggle('--no-nesterov', 'optimizer.nesterov', 'sgd: with plain momentum'),
  numbers('--betas <a,b>', 'optimizer.betas', 'adam, adamw: decay of the two averages, such as 0.9,0.999'),
  number('--eps <x>', 'optimizer.eps', 'adam, adamw: added to the denominator'),
  number('--weight-decay <x>', 'optimizer.weightDecay', 'pull of the weights to zero'),
  text('--schedule <name>', 'schedule.type', `how the rate moves: ${scheduleNames.join(', ')}`),
  number('--step-every <n>', 'schedule.every', 'step: epochs between two changes'),
  number('--gamma <x>', 'schedule.gamma', 'step: factor of each change'),
  number('--minimum-rate <rate>', 'schedule.minimum', 'cosine: rate at the end'),
  number('--rise <fraction>', 'schedule.rise', 'one-cycle: share of the steps that rise'),
  number('--div-factor <x>', 'schedule.divFactor', 'one-cycle: peak rate over first rate'),
  number('--final-div-factor <x>', 'schedule.finalDivFactor', 'one-cycle: first rate over last rate'),
  text('--anneal <name>', 'schedule.anneal', 'one-cycle: cosine or linear'),
  number('--warmup-steps <n>', 'warmupSteps', 'steps of linear warm-up'),
  number('--rotation <degrees>', 'augmentation.rotation', 'turn images by up to this, either way'),
  number('--shift <pixels>', 'augmentation.shift', 'shift images by up to this along each axis'),
  number('--scale <fraction>', 'augmentation.scale', 'scale images by up to this, either way'),
  number('--center-crop <pixels>', 'augmentation.centerCrop.size', 'blow up this much of the middle of images'),
  number('--center-crop-p <p>', 'augmentation.centerCrop.probability', 'of how many of them (default: all)'),
  number('--dropout <p>', 'dropout', 'probability of every dropout layer of the model'),
  number('--label-smoothing <x>', 'labelSmoothing', 'share of the target that is spread over all classes'),
  number('--clip-norm <x>', 'clipNorm', 'largest norm of the gradient; a larger one is scaled down to it'),
  text(
    '--gradient-precision <name>',
    'gradientPrecision',
    'float32, or bf16: round sums of gradients, so that half the bytes travel between nodes',
  ),
  number('--ema <decay>', 'ema', 'keep a moving average of the weights, such as 0.999, and evaluate it too'),
  toggle('--ema-warmup', 'emaWarmup', 'let its decay grow: (1 + t) / (10 + t) at step t'),
  texts(
    '--freeze <patterns>',
    'freeze',
    'parameters or layers that stay as they are, such as conv1,conv2 or features.* (all before the dense layers)',
  ),
];
