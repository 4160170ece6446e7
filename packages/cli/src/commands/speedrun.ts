/** `lockstep speedrun`. */
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { resolveSpeedrun, speedrunFields } from '../lab/speedrun/settings.js';

export function createSpeedrunCommand(context: CommandContext): Command {
  const command = createCommand('speedrun', context)
    .summary('train to a test accuracy against the clock')
    .description(
      'Trains from scratch to a test accuracy as fast as can be, each training in a process of its own, timed from its start ' +
        'to its exit; the test set is looked at once, at the end. Network and recipe were chosen on held-out training images.',
    );
  addFields(command, speedrunFields);
  addExamples(command, [
    ['lockstep speedrun', 'to 99.4%, 20 times'],
    ['lockstep speedrun --target 0.99 --runs 5', 'to 99.0%'],
    ['lockstep speedrun --python ~/lockstep-peers/bin/python', 'and PyTorch with the same network and recipe'],
    ['lockstep speedrun --json > speedrun.json', 'for programs'],
  ]);
  return command.action(async (options: Record<string, unknown>) => {
    const settings = resolveSpeedrun(options, context.io.coreCount);
    // Loaded here, so that other commands start without the kernels.
    const { runSpeedrun } = await import('../lab/speedrun/speedrun.js');
    context.exitCode = await runSpeedrun(settings, context.io);
  });
}
