/** `lockstep predict --weights FILE IMAGE...`. */
import { type DataNotes, FULL_WHITE, fitImage, type PlanarImage } from '@lockstep/core/data';
import { joinImageErrors, KINDS_OR } from '@lockstep/core/data/pictures';
import { LockstepError } from '@lockstep/core/errors';
import type { ModelSpec } from '@lockstep/core/spec';
import { formatPercent } from '@lockstep/core/text';
import { loadModelSpec } from '@lockstep/core/zoo';
import type { Command } from 'commander';
import type { ImagePrediction, PredictRequest } from '../api/prediction.js';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { writeExport } from '../exports/output.js';
import { jsonField, workersField } from '../fields/common-fields.js';
import { type DataForm, readDataForm, rowFields } from '../fields/data-fields.js';
import { type Field, fieldsIn, optionError, quote } from '../fields/field.js';
import { type Asked, type AskedImage, readImageArguments } from '../images/image-arguments.js';
import { readTableRows } from '../images/table-rows.js';
import { noteCrowd } from '../settings/crowd.js';
import { readModelNotes } from '../settings/model-notes.js';
import { findNamedWeights } from '../settings/named-weights.js';
import { readChecked } from '../settings/setting-source.js';
import { loadModelState, readModelOfWeights, weightsMissing } from '../settings/weights-file.js';
import { type Io, tellNote, writeJson, writeLine } from '../terminal/io.js';
import { formatTable } from '../terminal/text-table.js';

/** Classes shown beside the predicted one. */
const RUNNERS_UP = 2;
/** Less than this is not worth a column. */
const SHOWN_FROM = 0.00005;

const { text, written } = fieldsIn('Run');

const fields: readonly Field[] = [
  text(
    '--weights <file>',
    'weights',
    'the weights to predict with (.safetensors), the folder of a run, or `latest`: its best',
  ),
  text('--model <name>', 'model', 'name or .json file, for weights that do not carry their model'),
  workersField,
  fieldsIn('Data').text('--csv <file>', 'csv', 'predict each row of this table, with or without labels'),
  ...rowFields,
  written(
    '--picture <file>',
    'picture',
    'write what the network saw of each image as a PNG file, enlarged, in the order of the lines',
  ),
  jsonField,
];

export function createPredictCommand(context: CommandContext): Command {
  const command = createCommand('predict', context)
    .summary('tell what images show')
    .description(
      `Predicts the class of images: ${KINDS_OR} files, folders of them, or - for stdin. Images of another size, ` +
        'colour or ground than the training images are brought to their form, and it is told how. For a model of drawings, such ' +
        'as digits, the drawing is looked for, on photos of paper too; where there is none, there is no class. Or, with ' +
        '--csv, the rows of a table.',
    )
    .argument('[images...]', 'files, folders, or - for stdin');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep predict --weights runs/tiny6k-seed1 seven.png', 'class and probability'],
    ['lockstep predict --weights w.safetensors scans/', 'every image of a folder'],
    ['lockstep predict --weights latest photo.jpg --picture seen.png', 'what the network saw of a photo'],
    ['lockstep predict --weights latest --csv test.csv', 'every row of a table'],
    ['lockstep predict --weights lenet5.safetensors --model lenet5 7.png', 'weights saved by PyTorch'],
    ['lockstep predict --weights w.safetensors --json - < seven.png', 'all probabilities, for programs'],
  ]);
  return command.action(async (names: string[], options: Record<string, unknown>) => {
    await runPredict(resolvePrediction(names, options, context.io), context.io);
  });
}

interface PredictionSettings {
  /** Of pictures; none where a table is given. */
  readonly names: readonly string[];
  readonly csv: string | undefined;
  readonly form: DataForm;
  readonly weights: string;
  readonly model: string | undefined;
  readonly workers: number;
  readonly picture: string | undefined;
  readonly json: boolean;
}

function resolvePrediction(names: readonly string[], options: Record<string, unknown>, io: Io): PredictionSettings {
  const flags = readChecked(fields, options);
  const { weights, model, workers = io.coreCount, csv, picture, json } = flags.values;
  if (weights === undefined) throw weightsMissing('predict');
  if (names.length === 0 && csv === undefined) {
    throw new LockstepError('LOCKSTEP_CLI_ARGUMENT', 'predict needs IMAGES, or --csv FILE: what is it to look at?');
  }
  const table = names.find((name) => /\.(csv|tsv)(\.gz)?$/i.test(name));
  if (table !== undefined && csv === undefined)
    throw optionError(`${table} is a table, not an image: --csv ${quote(table)} predicts its rows`);
  if (names.length > 0 && csv !== undefined) throw optionError('predict takes images or --csv, not both at once');
  const form = readDataForm((name) => flags.values[name]);
  return {
    names,
    csv,
    form,
    weights: findNamedWeights(weights as string, (note) => tellNote(io, note)),
    model,
    workers,
    picture,
    json: json === true,
  } as PredictionSettings;
}

async function runPredict(settings: PredictionSettings, io: Io): Promise<void> {
  const { names, csv, form, weights, workers } = settings;
  noteCrowd(workers, io);
  const model = loadModel(settings);
  const tell = (text: string): void => tellNote(io, text);
  const state = loadModelState(weights, model, tell);
  const { notes } = readModelNotes(weights, model, form.pixels, tell);
  const { white, asked, bad, report } =
    csv === undefined
      ? await readPictures(names, model, notes, io)
      : await readTableRows(csv, { model, notes, form }, io);
  if (settings.picture !== undefined) await writeSheet(settings.picture, asked, io);
  const images = asked.flatMap(({ image }) => image ?? []);
  const predictions = images.length === 0 ? [] : await predictAll(images, { model, state, notes, white, workers });
  const results = asked.map((one) => ({ ...one, prediction: one.image && predictions[images.indexOf(one.image)] }));
  if (settings.json && report !== undefined) writeJson(io.stdout, { event: 'data', ...report });
  if (settings.json) for (const result of results) writeJson(io.stdout, describeResult(result, notes));
  else for (const line of formatResults(results, notes)) writeLine(io.stdout, line);
  // told last, below what could be read
  if (bad.length > 0) throw joinImageErrors(bad);
}

async function readPictures(names: readonly string[], model: ModelSpec, notes: DataNotes, io: Io): Promise<Asked> {
  const { images, bad } = await readImageArguments(names, notes.pictures?.white16, io);
  if (images.length === 0) throw joinImageErrors(bad);
  const asked = images.map(({ name, image }) => ({ name, ...fitImage(image, model.input, notes) }));
  return { white: FULL_WHITE, asked, bad };
}

/** Images on the sheet: eight in a row, and enlarged so far. */
const SHEET = { columns: 8, size: { times: 8, largest: 256 } };

async function writeSheet(path: string, asked: readonly AskedImage[], io: Io): Promise<void> {
  const images = asked.map(({ image }) => image);
  if (images.every((image) => image === undefined)) {
    tellNote(io, `${path} is not written: no drawing was found`);
    return;
  }
  const { drawSheet } = await import('@lockstep/watch/report');
  const { columns, size } = SHEET;
  const rows = Array.from({ length: Math.ceil(images.length / columns) }, (_, row) =>
    images.slice(row * columns, (row + 1) * columns),
  );
  writeExport(path, drawSheet(rows, size));
}

/** A thread costs more than it saves below this. */
const IMAGES_PER_WORKER = 256;

async function predictAll(images: readonly PlanarImage[], request: Omit<PredictRequest, 'images'>) {
  // Loaded here, so that wrong input is told before the kernels are loaded.
  const { predict } = await import('../api/prediction.js');
  const workers = Math.min(request.workers, Math.max(1, Math.ceil(images.length / IMAGES_PER_WORKER)));
  return predict({ ...request, images, workers });
}

const loadModel = ({ model, weights }: PredictionSettings): ModelSpec =>
  model === undefined ? readModelOfWeights(weights, 'predict --model') : loadModelSpec(model).model;

interface Result extends AskedImage {
  /** Undefined where no drawing was found. */
  readonly prediction: ImagePrediction | undefined;
}

function describeResult({ name, row, changes, prediction }: Result, { classNames }: DataNotes) {
  const entries = prediction?.probabilities.map((value, index) => [classNames[index] as string, value]);
  return {
    event: 'prediction',
    image: name,
    row,
    class: prediction?.className ?? null,
    classIndex: prediction?.predicted ?? null,
    probability: prediction?.probability ?? null,
    probabilities: entries === undefined ? null : Object.fromEntries(entries),
    changes,
  };
}

function formatResults(results: readonly Result[], { classNames }: DataNotes): string[] {
  const rows = results.map(({ name, row, changes, prediction }) => {
    if (prediction === undefined) return [name, '-', '', '', changes.join('; ')];
    const others = prediction.probabilities
      .map((probability, index) => ({ probability, index }))
      .filter(({ index, probability }) => index !== prediction.predicted && probability >= SHOWN_FROM)
      .sort((a, b) => b.probability - a.probability)
      .slice(0, RUNNERS_UP)
      .map(({ probability, index }) => `${classNames[index]} ${formatPercent(probability)}%`);
    const { className, probability } = prediction;
    // what was done to the images of a table is one note above it
    const done = row === undefined ? changes.join('; ') : '';
    return [
      row === undefined ? name : `row ${row}`,
      className,
      `${formatPercent(probability)}%`,
      others.join(', '),
      done,
    ];
  });
  return formatTable([['Image', 'Class', 'Probability', 'Else', 'What was done to it'], ...rows], 'llrll');
}
