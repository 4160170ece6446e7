/** `lockstep export --weights FILE --format NAME`. */
import { FULL_WHITE, type PixelChoice, whiteOf } from '@lockstep/core/data';
import { checkOutputPath } from '@lockstep/core/files';
import { loadModelSpec } from '@lockstep/core/zoo';
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import type { ExportFormat } from '../exports/export-format.js';
import { exportFormats } from '../exports/formats.js';
import { type Field, fieldsIn, isOneOf, optionError } from '../fields/field.js';
import { pixelFields, readPixels } from '../fields/pixel-fields.js';
import { readModelNotes } from '../settings/model-notes.js';
import { findNamedWeights } from '../settings/named-weights.js';
import { readChecked } from '../settings/setting-source.js';
import { loadModelState, readModelOfWeights, weightsMissing } from '../settings/weights-file.js';
import { type Io, tellNote, writeLine } from '../terminal/io.js';

const formatNames = exportFormats.map(({ name }) => name);

const output = fieldsIn('Output');
const fields: readonly Field[] = [
  fieldsIn('Run').text(
    '--weights <file>',
    'weights',
    'the weights to export (.safetensors), the folder of a run, or `latest`: its best',
  ),
  ...pixelFields,
  output.text('--format <name>', 'format', formatNames.join(', '), { check: isOneOf(...formatNames) }),
  output.written('--out <path>', 'out', 'where to write (default: beside the weights)'),
];

export function createExportCommand(context: CommandContext): Command {
  const command = createCommand('export', context)
    .summary('write trained weights for other programs')
    .description(
      'Writes a trained network in another form. The weights file itself is safetensors with PyTorch’s names and layout.\n\n' +
        exportFormats.map(({ name, description }) => `  ${name.padEnd(6)}${description}`).join('\n'),
    )
    .argument('[model]', 'name or .json file (default: the model that the weights carry)');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep export --weights w.safetensors --format onnx', 'w.onnx'],
    ['lockstep export --weights w.safetensors --format html --out draw.html', 'a page to draw on'],
    ['lockstep export --weights w.safetensors --format tfjs', 'w-tfjs/model.json'],
    ['lockstep export lenet5 --weights lenet5.safetensors --format onnx', 'weights saved by PyTorch'],
  ]);
  return command.action(async (model: string | undefined, options: Record<string, unknown>) => {
    await runExport(resolveExport(model, options, context.io), context.io);
  });
}

interface ExportSettings {
  readonly modelName: string | undefined;
  readonly weights: string;
  readonly format: ExportFormat;
  readonly out: string;
  readonly pixels: PixelChoice;
}

function resolveExport(modelName: string | undefined, options: Record<string, unknown>, io: Io): ExportSettings {
  const flags = readChecked(fields, options);
  const { weights: asked, format: name, out } = flags.values as Record<string, string | undefined>;
  if (asked === undefined) throw weightsMissing('export', modelName);
  const format = exportFormats.find((entry) => entry.name === name);
  if (format === undefined) throw optionError(`export needs --format <name>: ${formatNames.join(', ')}`);
  const pixels = readPixels((name) => flags.values[name]);
  const weights = findNamedWeights(asked, (note) => tellNote(io, note));
  return { modelName, weights, format, pixels, out: out ?? weights.replace(/(\.safetensors)?$/, format.suffix) };
}

async function runExport({ modelName, weights, format, out, pixels }: ExportSettings, io: Io): Promise<void> {
  const model = modelName === undefined ? readModelOfWeights(weights, 'export') : loadModelSpec(modelName).model;
  const tell = (text: string): void => tellNote(io, text);
  const state = loadModelState(weights, model, tell);
  const { notes } = readModelNotes(weights, model, pixels, tell);
  checkOutputPath(out, '--out');
  const remarks = await format.write({ model, state, notes, weights }, out);
  writeLine(io.stdout, `Wrote ${out} (${format.name})`);
  for (const remark of remarks) writeLine(io.stdout, remark);
  if (whiteOf(notes) !== FULL_WHITE) writeLine(io.stdout, describeScale(whiteOf(notes)));
}

/** Exports take pictures: the network's own scale is told to who has images on that. */
const describeScale = (white: number): string =>
  `the training images had ${white} for white: multiply images on that scale by ${FULL_WHITE}/${white}`;
