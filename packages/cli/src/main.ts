/** The program: one line in, an exit code out. */
import { readFileSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { createBenchCommand } from './commands/bench.js';
import { createDashboardCommand } from './commands/dashboard.js';
import { createDoctorCommand } from './commands/doctor.js';
import { createEvaluateCommand } from './commands/evaluate.js';
import { createExportCommand } from './commands/export.js';
import { createLaunchCommand } from './commands/launch.js';
import { createModelsCommand } from './commands/models.js';
import { createPredictCommand } from './commands/predict.js';
import { createReproduceCommand } from './commands/reproduce.js';
import { createSimulateCommand } from './commands/simulate.js';
import { createSpeedrunCommand } from './commands/speedrun.js';
import { createSummaryCommand } from './commands/summary.js';
import { createTrainCommand } from './commands/train.js';
import { createWorkerCommand } from './commands/worker.js';
import { describeError, exitCodeOf } from './failure.js';
import { type Io, writeLine } from './io.js';
import { processIo } from './process-io.js';
import { addExamples, type CommandContext, checkCommandName, createCommand } from './program.js';

/**
 * Runs one command.
 *
 * @param argv arguments without node and script
 * @returns the exit code: 0; 1 for a run that failed, 2 for bad input. A second Ctrl-C ends the process with 130.
 */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const context: CommandContext = { io, argv, exitCode: 0 };
  try {
    const program = createProgram(context);
    checkCommandName(program, argv);
    await program.parseAsync(argv.length > 0 ? joinInterval(argv) : ['--help'], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    // Help and version: commander has printed them.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    writeLine(io.stderr, describeError(error, io.env));
    return exitCodeOf(error);
  }
}

/** `--every 500 steps` is one value, though a shell makes it two words. */
function joinInterval(argv: readonly string[]): string[] {
  const at = argv.indexOf('--every');
  const isUnit = at >= 0 && /^(steps?|epochs?)$/.test(argv[at + 2] ?? '');
  return isUnit ? [...argv.slice(0, at + 1), `${argv[at + 1]} ${argv[at + 2]}`, ...argv.slice(at + 3)] : [...argv];
}

function createProgram(context: CommandContext): Command {
  const program = createCommand('lockstep', context)
    .description(
      'Trains small networks on MNIST-shaped data; the result is the same to the last bit for any number of workers.',
    )
    .version(readVersion(), '-V, --version', 'show the version')
    .helpCommand('help [command]', 'show the help of a command')
    // So that the flags behind a command are its own.
    .enablePositionalOptions();
  for (const create of [
    createTrainCommand,
    createWorkerCommand,
    createLaunchCommand,
    createEvaluateCommand,
    createPredictCommand,
    createExportCommand,
    createSummaryCommand,
    createModelsCommand,
    createDashboardCommand,
    createBenchCommand,
    createReproduceCommand,
    createSpeedrunCommand,
    createSimulateCommand,
    createDoctorCommand,
  ]) {
    program.addCommand(create(context));
  }
  return addExamples(program, [
    ['lockstep train', 'train the default model on every core'],
    ['lockstep train net19k --workers 8', 'another model, eight workers'],
    ['lockstep evaluate --weights runs/tiny6k-seed1.safetensors', 'see what it gets wrong'],
    ['lockstep models', 'list the models'],
    ['lockstep train --help', 'every flag of a command'],
  ]);
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
