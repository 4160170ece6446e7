/** `lockstep data [PATH]`. */

import { holdOutValidation, reportData } from '@lockstep/core/data';
import type { DataReport } from '@lockstep/core/events';
import { checkOutputPath } from '@lockstep/core/files';
import { runSchema } from '@lockstep/core/seams';
import { checkBy } from '@lockstep/core/spec';
import { countOf } from '@lockstep/core/text';
import { drawSamples } from '@lockstep/watch/report';
import type { Command } from 'commander';
import { loadReported } from '../api/data.js';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { writeExport } from '../exports/output.js';
import { jsonField } from '../fields/common-fields.js';
import { type DataForm, dataFormFields, readDataForm } from '../fields/data-fields.js';
import { type Field, fieldsIn } from '../fields/field.js';
import { readChecked } from '../settings/setting-source.js';
import { formatDataReport } from '../terminal/data-lines.js';
import { type Io, writeJson, writeLine } from '../terminal/io.js';

const fields: readonly Field[] = [
  ...dataFormFields,
  fieldsIn('Data').number(
    '--validation <n>',
    'validation',
    'as of `train`: hold out n training images, or so many for the test set of data without one',
    { check: checkBy(runSchema.shape.validation) },
  ),
  fieldsIn('Output').written('--sheet <file>', 'sheet', 'draw training images to this .png file, a row for each class'),
  jsonField,
];

export function createDataCommand(context: CommandContext): Command {
  const command = createCommand('data', context)
    .summary('report on data')
    .description(
      'Reads data as `train` does, and says what they are: how many images of which classes, which column or folder is the ' +
        'label, what was left out, what was guessed, what is odd about them. Nothing is trained.',
    )
    .argument('[path]', 'as of `train --data` (default: MNIST)');
  addFields(command, fields);
  addExamples(command, [
    ['lockstep data ./photos --resize 64', 'a folder of pictures for each class'],
    ['lockstep data digits.csv --label-column last', 'a table'],
    ['lockstep data ./photos --sheet samples.png', 'see ten images of each class'],
    ['lockstep data --json', 'one JSON object'],
  ]);
  return command.action(async (path: string | undefined, options: Record<string, unknown>) => {
    await runData(resolveReport(path, options), context.io);
  });
}

interface DataSettings {
  readonly path: string | undefined;
  readonly dataForm: DataForm;
  readonly validation?: number;
  readonly sheet?: string;
  readonly json?: boolean;
}

function resolveReport(path: string | undefined, options: Record<string, unknown>): DataSettings {
  const { values } = readChecked(fields, options);
  return { path, ...values, dataForm: readDataForm((name) => values[name]) };
}

async function runData({ path, dataForm, validation = 0, sheet, json }: DataSettings, io: Io): Promise<void> {
  if (sheet !== undefined) checkOutputPath(sheet, '--sheet');
  const heldOut = validation > 0 ? validation : undefined;
  const loaded = await loadReported({ path, ...dataForm, heldOut }, io);
  const dataset = loaded.heldOut === undefined ? holdOutValidation(loaded, validation) : loaded;
  const report = reportData(dataset);
  if (sheet !== undefined) writeExport(sheet, drawSamples(dataset));
  if (json) writeJson(io.stdout, { event: 'data', ...report, ...(sheet && { sheet }) });
  else for (const line of [...formatDataReport(report), ...describeSheet(sheet, report)]) writeLine(io.stdout, line);
}

const describeSheet = (sheet: string | undefined, { classes }: DataReport): string[] =>
  sheet === undefined
    ? []
    : ['', `Sheet: ${sheet}, a row for each of the ${countOf(classes.length, 'class', 'classes')} in this order`];
