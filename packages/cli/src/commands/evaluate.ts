/** `lockstep evaluate [MODEL] --weights FILE`. */

import { type DataNotes, type Dataset, holdOutValidation, reportData } from '@lockstep/core/data';
import { EMBEDDED_NAME } from '@lockstep/core/data/mnist';
import { checkOutputPath } from '@lockstep/core/files';
import type { ModelSpec } from '@lockstep/core/spec';
import { countOf, formatCount } from '@lockstep/core/text';
import { loadModelSpec } from '@lockstep/core/zoo';
import { addImages } from '@lockstep/watch/chronicle';
import { findRunWeights } from '@lockstep/watch/files';
import { drawMistakes } from '@lockstep/watch/report';
import type { Command } from 'commander';
import { definedOf, loadDataLikeTraining } from '../api/data.js';
import { readRecalled, recallData, runOfWeights } from '../api/recalled-data.js';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { formatReport, reportEvaluation } from '../evaluation/evaluation-report.js';
import { writeExport } from '../exports/output.js';
import { dataField, jsonField, workersField } from '../fields/common-fields.js';
import { type DataForm, dataFormFields, readDataForm } from '../fields/data-fields.js';
import { type Field, fieldsIn, isOneOf, isWholeNumber } from '../fields/field.js';
import { noteCrowd } from '../settings/crowd.js';
import { type ModelNotes, readModelNotes } from '../settings/model-notes.js';
import { readChecked } from '../settings/setting-source.js';
import { loadModelState, readModelOfWeights, weightsMissing } from '../settings/weights-file.js';
import { type Io, tellNote, writeJson, writeLine } from '../terminal/io.js';

const splits = ['test', 'train'] as const;
const SPLIT_NAMES = { test: 'Test set', train: 'Training set' } as const;
const DEFAULT_MISTAKES = 10;
const PICTURE_MISTAKES = 50;

const output = fieldsIn('Output');
const fields: readonly Field[] = [
  fieldsIn('Run').text(
    '--weights <file>',
    'weights',
    'the weights to evaluate (.safetensors), the folder of a run, or `latest`: its best',
  ),
  workersField,
  { ...dataField, defaultText: `the data of the run that the weights are of, else ${dataField.defaultText}` },
  ...dataFormFields,
  fieldsIn('Data').text('--split <name>', 'split', splits.join(' or '), {
    defaultText: splits[0],
    check: isOneOf(...splits),
  }),
  output.number('--mistakes <n>', 'mistakes', 'how many mistakes to list', {
    defaultText: `${DEFAULT_MISTAKES}, with --picture ${PICTURE_MISTAKES}`,
    check: isWholeNumber(0, Number.MAX_SAFE_INTEGER),
  }),
  output.written('--picture <file>', 'picture', 'draw the mistakes to this .svg file'),
  jsonField,
];

export function createEvaluateCommand(context: CommandContext): Command {
  const command = createCommand('evaluate', context)
    .summary('evaluate saved weights')
    .description(
      'Evaluates weights: loss, accuracy, confusion matrix, precision and recall per class, calibration, most confident mistakes.',
    )
    .argument('[model]', 'name or .json file (default: the model that the weights carry)');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep evaluate --weights runs/tiny6k-seed1', 'weights that `train` saved carry their model'],
    ['lockstep evaluate lenet5 --weights lenet5.safetensors', 'weights saved by PyTorch do not'],
    ['lockstep evaluate --weights w.safetensors --split train', 'on the training images'],
    ['lockstep evaluate --weights w.safetensors --mistakes 50 --picture worst.svg', 'see more of them'],
    ['lockstep evaluate --weights w.safetensors --data ./mnist --json', 'one JSON object'],
  ]);
  return command.action(async (model: string | undefined, options: Record<string, unknown>) => {
    const settings = resolveEvaluation(model, options, context.io.coreCount);
    await runEvaluate(settings, context.io);
  });
}

interface EvaluationSettings {
  readonly modelName: string | undefined;
  readonly weights: string;
  readonly data: string | undefined;
  readonly dataForm: DataForm;
  readonly picture: string | undefined;
  readonly workers: number;
  readonly split: (typeof splits)[number];
  readonly mistakes: number;
  readonly json: boolean;
}

function resolveEvaluation(
  modelName: string | undefined,
  options: Record<string, unknown>,
  coreCount: number,
): EvaluationSettings {
  const flags = readChecked(fields, options);
  const { weights, data, workers = coreCount, split = splits[0], picture, json } = flags.values;
  const mistakes = flags.values['mistakes'] ?? (picture === undefined ? DEFAULT_MISTAKES : PICTURE_MISTAKES);
  const dataForm = readDataForm((name) => flags.values[name]);
  if (weights === undefined) throw weightsMissing('evaluate', modelName);
  return {
    modelName,
    weights: findRunWeights(weights as string),
    data,
    dataForm,
    workers,
    split,
    mistakes,
    picture,
    json: json === true,
  } as EvaluationSettings;
}

async function runEvaluate(settings: EvaluationSettings, io: Io): Promise<void> {
  const { modelName, weights, split, workers } = settings;
  noteCrowd(workers, io);
  const model = modelName === undefined ? readModelOfWeights(weights) : loadModelSpec(modelName).model;
  const tell = (text: string): void => tellNote(io, text);
  const state = loadModelState(weights, model, tell);
  const notes = readModelNotes(weights, model, settings.dataForm.pixels, tell);
  const dataset = await readEvaluated(settings, model, notes, io);
  const note = describeSeen(dataset, notes.carried, settings);
  if (note !== undefined) tellNote(io, note);
  if (settings.picture !== undefined) checkOutputPath(settings.picture, '--picture');
  // Loaded here, so that wrong input is told before the kernels are loaded.
  const { evaluate } = await import('../api/session.js');
  const result = await evaluate({ model, dataset, split, state, workers });
  const { classNames } = notes.notes;
  const report = reportEvaluation(result, classNames, settings.mistakes);
  if (settings.picture !== undefined) {
    const title = `${model.name}: the ${report.mistakes.length} most confident of ${countOf(result.total - result.correct, 'mistake')} in ${countOf(result.total, 'image')}`;
    writeExport(settings.picture, drawMistakes(addImages(report.mistakes, dataset, split), classNames, title));
  }
  if (settings.json) {
    const about = { model: model.name, weights, split, data: dataset.source };
    writeJson(io.stdout, { event: 'evaluation', ...about, ...report, dataReport: reportData(dataset) });
    return;
  }
  writeLine(io.stdout, `${model.name} with ${weights} on ${dataset.source}`);
  for (const line of formatReport(report, SPLIT_NAMES[split])) writeLine(io.stdout, line);
  if (settings.picture !== undefined) writeLine(io.stdout, `Picture: ${settings.picture}`);
}

/** What is named; else what the run was trained on in whose folder the weights lie, which is told; else MNIST. */
async function readEvaluated(
  { weights, data, dataForm }: EvaluationSettings,
  model: ModelSpec,
  notes: ModelNotes,
  io: Io,
): Promise<Dataset> {
  const asked = { path: data, ...dataForm };
  const run = data === undefined ? await runOfWeights(weights) : undefined;
  if (run === undefined) return await loadDataLikeTraining(asked, model, notes, io);
  const request = recallData(run.data, asked);
  const { pixels: _, ...form } = dataForm;
  const isOtherForm = Object.keys(definedOf(form)).length > 0;
  const dataset = await readRecalled(run, isOtherForm, async () => {
    const loaded = await loadDataLikeTraining(request, model, notes, io);
    return loaded.heldOut === undefined ? holdOutValidation(loaded, run.data.validationSamples) : loaded;
  });
  tellNote(io, `the data are those of ${run.name}, ${request.path}; --data PATH names others`);
  return dataset;
}

/** The sample's test images are new to weights that were trained on the sample, and to no others of MNIST. */
function describeSeen({ name, test }: Dataset, notes: DataNotes | undefined, { data, split }: EvaluationSettings) {
  if (data !== undefined || name !== EMBEDDED_NAME || split !== 'test' || notes?.name === EMBEDDED_NAME)
    return undefined;
  return `the ${formatCount(test.count)} test images of the sample are of MNIST's training set: weights that were trained on MNIST have seen them, so this is no accuracy on new images.`;
}
