/** `lockstep predict --weights FILE IMAGE...`. */
import { type DataNotes, FULL_WHITE, fitImage, type PixelChoice } from '@lockstep/core/data';
import { joinImageErrors } from '@lockstep/core/data/pictures';
import type { ModelSpec } from '@lockstep/core/spec';
import { formatPercent } from '@lockstep/core/text';
import { loadModelSpec } from '@lockstep/core/zoo';
import { findRunWeights } from '@lockstep/watch/files';
import type { Command } from 'commander';
import type { ImagePrediction } from '../api/prediction.js';
import { addExamples, addFields, type CommandContext, createCommand } from '../program.js';
import { jsonField, workersField } from '../settings/common-fields.js';
import { noteCrowd } from '../settings/crowd.js';
import { type Field, fieldsIn, optionError } from '../settings/fields.js';
import { readModelNotes } from '../settings/model-notes.js';
import { pixelFields, readPixels } from '../settings/pixel-fields.js';
import { readChecked } from '../settings/setting-source.js';
import { loadModelState, readModelOfWeights } from '../settings/weights-file.js';
import { type Io, tellNote, writeLine } from '../terminal/io.js';
import { formatTable } from '../terminal/text-table.js';
import { readImageArguments } from './image-arguments.js';

/** Classes shown beside the predicted one. */
const RUNNERS_UP = 2;
/** Less than this is not worth a column. */
const SHOWN_FROM = 0.00005;

const { text } = fieldsIn('Run');

const fields: readonly Field[] = [
  text(
    '--weights <file>',
    'weights',
    'the weights to predict with (.safetensors), the folder of a run, or `latest`: its best',
  ),
  text('--model <name>', 'model', 'name or .json file, for weights that do not carry their model'),
  workersField,
  ...pixelFields,
  jsonField,
];

export function createPredictCommand(context: CommandContext): Command {
  const command = createCommand('predict', context)
    .summary('tell what images show')
    .description(
      'Predicts the class of images: PNG or JPEG files, folders of them, or - for stdin. Images of another size, colour ' +
        'or ground than the training images are brought to their form, and it is told how.',
    )
    .argument('<images...>', 'files, folders, or - for stdin');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep predict --weights runs/tiny6k-seed1 seven.png', 'class and probability'],
    ['lockstep predict --weights w.safetensors scans/', 'every image of a folder'],
    ['lockstep predict --weights lenet5.safetensors --model lenet5 7.png', 'weights saved by PyTorch'],
    ['lockstep predict --weights w.safetensors --json - < seven.png', 'all probabilities, for programs'],
  ]);
  return command.action(async (names: string[], options: Record<string, unknown>) => {
    await runPredict(names, resolvePrediction(options, context.io.coreCount), context.io);
  });
}

interface PredictionSettings {
  readonly weights: string;
  readonly model: string | undefined;
  readonly workers: number;
  readonly pixels: PixelChoice;
  readonly json: boolean;
}

function resolvePrediction(options: Record<string, unknown>, coreCount: number): PredictionSettings {
  const flags = readChecked(fields, options);
  const { weights, model, workers = coreCount, json } = flags.values;
  if (weights === undefined)
    throw optionError('predict needs --weights <file>, such as one that `lockstep train` saved');
  const pixels = readPixels((name) => flags.values[name]);
  return {
    weights: findRunWeights(weights as string),
    model,
    workers,
    pixels,
    json: json === true,
  } as PredictionSettings;
}

async function runPredict(names: readonly string[], settings: PredictionSettings, io: Io): Promise<void> {
  const { weights, workers, pixels } = settings;
  noteCrowd(workers, io);
  const model = loadModel(settings);
  const tell = (text: string): void => tellNote(io, text);
  const state = loadModelState(weights, model, tell);
  const { notes } = readModelNotes(weights, model, pixels, tell);
  const { images: named, bad } = await readImageArguments(names, notes.pictures?.white16, io);
  if (named.length === 0) throw joinImageErrors(bad);
  const fitted = named.map(({ image }) => fitImage(image, model.input, notes));
  // Loaded here, so that wrong input is told before the kernels are loaded.
  const { predict } = await import('../api/prediction.js');
  const used = Math.min(workers, Math.max(1, Math.ceil(fitted.length / IMAGES_PER_WORKER)));
  const images = fitted.map(({ image }) => image);
  const predictions = await predict({ model, state, notes, images, white: FULL_WHITE, workers: used });
  const results = predictions.map((prediction, index) => ({
    name: named[index]?.name ?? '',
    changes: fitted[index]?.changes ?? [],
    prediction,
  }));
  const lines = settings.json ? results.map((result) => formatJson(result, notes)) : formatResults(results, notes);
  for (const line of lines) writeLine(io.stdout, line);
  // told last, below what could be read
  if (bad.length > 0) throw joinImageErrors(bad);
}

/** A thread costs more than it saves below this. */
const IMAGES_PER_WORKER = 256;

const loadModel = ({ model, weights }: PredictionSettings): ModelSpec =>
  model === undefined ? readModelOfWeights(weights, 'predict --model') : loadModelSpec(model).model;

interface Result {
  readonly name: string;
  readonly changes: readonly string[];
  readonly prediction: ImagePrediction;
}

function formatJson({ name, changes, prediction }: Result, { classNames }: DataNotes): string {
  const { predicted, className, probability, probabilities } = prediction;
  const entries = probabilities.map((value, index) => [classNames[index] as string, value]);
  return JSON.stringify({
    event: 'prediction',
    image: name,
    class: className,
    classIndex: predicted,
    probability,
    probabilities: Object.fromEntries(entries),
    changes,
  });
}

function formatResults(results: readonly Result[], { classNames }: DataNotes): string[] {
  const rows = results.map(({ name, changes, prediction }) => {
    const others = prediction.probabilities
      .map((probability, index) => ({ probability, index }))
      .filter(({ index, probability }) => index !== prediction.predicted && probability >= SHOWN_FROM)
      .sort((a, b) => b.probability - a.probability)
      .slice(0, RUNNERS_UP)
      .map(({ probability, index }) => `${classNames[index]} ${formatPercent(probability)}%`);
    const { className, probability } = prediction;
    return [name, className, `${formatPercent(probability)}%`, others.join(', '), changes.join('; ')];
  });
  return formatTable([['Image', 'Class', 'Probability', 'Else', 'What was done to it'], ...rows], 'llrll');
}
