/** `lockstep summary MODEL`. */
import { formatSummary } from '@lockstep/core/model';
import { loadModelSpec } from '@lockstep/core/zoo';
import { type Command, Option } from 'commander';
import { addExamples, type CommandContext, createCommand, sectionHeading } from '../command-line.js';
import { isOneOf, optionError } from '../fields/field.js';
import { writeLine } from '../terminal/io.js';

const layouts = ['lockstep', 'torchsummary', 'torch-summary'] as const;
type Layout = (typeof layouts)[number];

export function createSummaryCommand(context: CommandContext): Command {
  const command = createCommand('summary', context)
    .summary('show the layers of a model')
    .description('Shows each layer with its output shape, parameters, multiply-adds and receptive field.')
    .argument('<model>', 'name from `lockstep models`, or a .json file')
    .addOption(
      new Option('--layout <name>', `${layouts.join(', ')} (default: ${layouts[0]})`).helpGroup(
        sectionHeading('Output'),
      ),
    );
  addExamples(command, [
    ['lockstep summary tiny6k', 'every layer, with mult-adds and receptive field'],
    ['lockstep summary net19k --layout torchsummary', 'as the PyTorch package torchsummary prints it'],
    ['lockstep summary cnn11m --layout torch-summary', 'as the PyTorch package torch-summary prints it'],
    ['lockstep summary my.json', 'your own model; also a check of its file'],
  ]);
  return command.action((name: string, options: { layout?: string }) => {
    const layout = options.layout ?? layouts[0];
    const allowed = isOneOf(...layouts)(layout);
    if (allowed !== undefined) throw optionError(`--layout ${layout}: ${allowed}`);
    writeLine(context.io.stdout, formatSummary(loadModelSpec(name).model, { layout: layout as Layout }));
  });
}
