/** `lockstep simulate`. */

import { checkOutputPath, writeFileAtomically } from '@lockstep/core/files';
import { countOf } from '@lockstep/core/text';
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import { readCosts } from '../lab/simulate/costs.js';
import { drawCurves } from '../lab/simulate/efficiency-curves.js';
import { resolveSimulate, simulateFields } from '../lab/simulate/settings.js';
import { describeLimits, simulate } from '../lab/simulate/simulate.js';
import { formatCases } from '../lab/simulate/table.js';
import { writeLine } from '../terminal/io.js';

export function createSimulateCommand(context: CommandContext): Command {
  const command = createCommand('simulate', context)
    .summary('predict the speed of many nodes')
    .description(
      'Predicts step time, efficiency and bytes of runs over many machines like this one, from what `lockstep bench ' +
        'calibrate` has measured here. Starts nothing.',
    );
  addFields(command, simulateFields);
  addExamples(command, [
    ['lockstep bench calibrate', 'first: measures this machine, some minutes'],
    ['lockstep simulate --nodes 1..4096 --link 1G..400G', 'every calibrated model, all three topologies'],
    ['lockstep simulate --model cnn11m --nodes 100 --link 25G --batch-size 12800', 'one fleet'],
    ['lockstep simulate --picture scale.svg --json > scale.json', 'curves, and numbers for programs'],
  ]);
  return command.action(async (options: Record<string, unknown>) => {
    const settings = resolveSimulate(options);
    const costs = readCosts(settings.calibration);
    if (settings.picture !== undefined) checkOutputPath(settings.picture, '--picture');
    const { cases, notes, exitCode } = await simulate(costs, settings, context.io);
    context.exitCode = exitCode;
    if (cases.length === 0) return;
    const { machine, date, commit } = costs;
    const subtitle = `${machine['processor']}, ${countOf(costs.cores, 'core')}; ${date.slice(0, 10)}${commit === undefined ? '' : `, commit ${commit}`}`;
    if (settings.picture !== undefined && exitCode === 0)
      writeFileAtomically(settings.picture, [Buffer.from(drawCurves(cases, subtitle))]);
    const { stdout } = context.io;
    if (settings.json) {
      writeLine(
        stdout,
        JSON.stringify({ simulation: 1, machine, date, commit, latency: settings.latency, cases, notes }),
      );
      return;
    }
    const limits = settings.nodes.length > 2 ? ['', ...describeLimits(cases)] : [];
    for (const line of [`Calibrated on ${subtitle}`, '', ...formatCases(cases), ...limits]) writeLine(stdout, line);
    for (const note of notes) writeLine(context.io.stderr, `note: ${note}`);
  });
}
