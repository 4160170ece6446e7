/** `lockstep evaluate [MODEL] --weights FILE`. */
import { loadModelSpec } from '@lockstep/core';
import type { Command } from 'commander';
import { loadData } from '../data.js';
import { formatReport, reportEvaluation } from '../evaluation-report.js';
import { type Field, isOneOf, isText, isWholeNumber, optionError } from '../fields.js';
import { type Io, writeLine } from '../io.js';
import { dataField, jsonField, workersField } from '../options.js';
import { addExamples, addFields, type CommandContext, createCommand } from '../program.js';
import { getPath, readFlags } from '../setting-source.js';
import { loadModelState, readModelOfWeights } from '../weights-file.js';

const splits = ['test', 'train'] as const;
const SPLIT_NAMES = { test: 'Test set', train: 'Training set' } as const;
const DEFAULT_MISTAKES = 10;

const fields: readonly Field[] = [
  {
    flags: '--weights <file>',
    path: ['weights'],
    group: 'Run',
    kind: 'text',
    description: 'the weights to evaluate (.safetensors)',
    check: isText,
  },
  workersField,
  dataField,
  {
    flags: '--split <name>',
    path: ['split'],
    group: 'Data',
    kind: 'text',
    description: splits.join(' or '),
    defaultText: splits[0],
    check: isOneOf(...splits),
  },
  {
    flags: '--mistakes <n>',
    path: ['mistakes'],
    group: 'Output',
    kind: 'number',
    description: 'how many mistakes to list',
    defaultText: String(DEFAULT_MISTAKES),
    check: isWholeNumber(0, Number.MAX_SAFE_INTEGER),
  },
  jsonField,
];

export function createEvaluateCommand(context: CommandContext): Command {
  const command = createCommand('evaluate', context)
    .summary('evaluate saved weights')
    .description('Evaluates weights: loss, accuracy, confusion matrix, accuracy per class, most confident mistakes.')
    .argument('[model]', 'name or .json file (default: the model that the weights carry)');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep evaluate --weights runs/tiny6k-seed1.safetensors', 'weights that `train` saved carry their model'],
    ['lockstep evaluate lenet5 --weights lenet5.safetensors', 'weights saved by PyTorch do not'],
    ['lockstep evaluate --weights w.safetensors --split train', 'on the training images'],
    ['lockstep evaluate --weights w.safetensors --mistakes 50', 'see more of them'],
    ['lockstep evaluate --weights w.safetensors --data ./mnist --json', 'one JSON object'],
  ]);
  return command.action(async (model: string | undefined, options: Record<string, unknown>) => {
    await runEvaluate(resolveEvaluation(model, options, context.io.coreCount), context.io);
  });
}

interface EvaluationSettings {
  readonly modelName: string | undefined;
  readonly weights: string;
  readonly data: string | undefined;
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
  const flags = readFlags(fields, options);
  for (const { path, check } of fields) {
    const value = getPath(flags.values, path);
    const allowed = value === undefined ? undefined : check?.(value);
    if (allowed !== undefined) throw optionError(`${flags.describe(path)}: ${allowed}`);
  }
  const { weights, data, workers = coreCount, split = splits[0], mistakes = DEFAULT_MISTAKES, json } = flags.values;
  if (weights === undefined)
    throw optionError('evaluate needs --weights <file>, such as one that `lockstep train` saved');
  return { modelName, weights, data, workers, split, mistakes, json: json === true } as EvaluationSettings;
}

async function runEvaluate(settings: EvaluationSettings, io: Io): Promise<void> {
  const { modelName, weights, split, workers } = settings;
  const model = modelName === undefined ? readModelOfWeights(weights) : loadModelSpec(modelName).model;
  const state = loadModelState(weights, model);
  const dataset = await loadData(settings.data, model, io);
  // Loaded here, so that wrong input is told before the kernels are loaded.
  const { evaluate } = await import('../session.js');
  const result = await evaluate({ model, dataset, split, state, workers });
  const report = reportEvaluation(result, model.classes, settings.mistakes);
  if (settings.json) {
    writeLine(io.stdout, JSON.stringify({ event: 'evaluation', model: model.name, weights, split, ...report }));
    return;
  }
  writeLine(io.stdout, `${model.name} with ${weights} on ${dataset.source}`);
  for (const line of formatReport(report, SPLIT_NAMES[split])) writeLine(io.stdout, line);
}
