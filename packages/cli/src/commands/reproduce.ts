/** `lockstep reproduce [MODEL...]`. */
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { claimedModels } from '../lab/reproduce/claims.js';
import { reproduceFields, resolveReproduce } from '../lab/reproduce/settings.js';

export function createReproduceCommand(context: CommandContext): Command {
  const command = createCommand('reproduce', context)
    .summary("reproduce what the zoo's documents claim")
    .description(
      "Trains the zoo's models as their documents say, several seeds each, and writes a report: claim, result, cost and the " +
        "parameters' SHA-256, which is the same on every machine. Interrupted, the same command goes on.",
    )
    .argument('[models...]', `of ${claimedModels.join(', ')} (default: all)`);
  addFields(command, reproduceFields);
  addExamples(command, [
    ['lockstep reproduce', 'all claims, five seeds each: an hour or more; runs/reproduce/report.md'],
    ['lockstep reproduce tiny6k lenet5 --seeds 1', 'some models, one seed'],
    ['lockstep reproduce cnn11m --until-reached', 'each run only up to the epoch that reaches its claim'],
    ['lockstep reproduce --quick', 'the first steps of each: are their hashes as recorded? seconds'],
  ]);
  return command.action(async (models: string[], options: Record<string, unknown>) => {
    const settings = resolveReproduce(models, options, context.io.coreCount);
    // Loaded here, so that other commands start without the kernels.
    const { runReproduce } = await import('../lab/reproduce/reproduce.js');
    context.exitCode = await runReproduce(settings, context.io);
  });
}
