/** `lockstep models`. */

import { summarizeTotals } from '@lockstep/core/model';
import { formatCount, formatRecipe } from '@lockstep/core/text';
import { namedModels, type ZooModel } from '@lockstep/core/zoo';
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { jsonField } from '../fields/common-fields.js';
import { writeJson, writeLine } from '../terminal/io.js';
import { formatTable } from '../terminal/text-table.js';

export function createModelsCommand(context: CommandContext): Command {
  const command = createCommand('models', context)
    .summary('list the models that come with Lockstep')
    .description('Lists the zoo: models that `train`, `summary` and `evaluate` know by name.');
  addFields(command, [jsonField]);
  addExamples(command, [
    ['lockstep models', 'the zoo with sizes, recipes and claims'],
    ['lockstep models --json', 'one JSON object a line'],
    ['lockstep summary net19k', 'one of them, layer by layer'],
    ['lockstep train net19k', 'train it'],
  ]);
  return command.action((options: { json?: boolean }) => {
    const { stdout } = context.io;
    if (options.json) for (const entry of namedModels) writeJson(stdout, describeModel(entry));
    else for (const line of formatZoo()) writeLine(stdout, line);
  });
}

function describeModel({ model, recipe, recipes, claim }: ZooModel) {
  const { parameters, multAdds } = summarizeTotals(model);
  return { name: model.name, description: model.description ?? '', parameters, multAdds, claim, recipe, recipes };
}

/** A table of sizes and claims, then every recipe on a line of its own: together they are too wide. */
function formatZoo(): string[] {
  const sizes = namedModels.map((entry) => {
    const { name, parameters, multAdds, claim } = describeModel(entry);
    return [name, formatCount(parameters), formatCount(multAdds), claim];
  });
  const recipes = namedModels.flatMap(({ model, recipes }) =>
    Object.entries(recipes).map(([name, recipe]) => [model.name, name, formatRecipe(recipe)]),
  );
  return [
    ...formatTable([['Model', 'Parameters', 'Mult-adds', 'Claim'], ...sizes], 'lrrl'),
    '',
    ...formatTable([['Model', '--recipe', ''], ...recipes], 'lll'),
  ];
}
