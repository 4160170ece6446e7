/** The program: one line in, an exit code out. */
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, CommanderError } from 'commander';
import {
  addExamples,
  type CommandContext,
  checkCommandName,
  createCommand,
  keepStdoutForFiles,
  PROGRAM,
} from './command-line.js';
import { checkNpmFlags } from './npm-flags.js';
import { describeError, EXIT_BAD_INPUT, exitCodeOf } from './terminal/failure.js';
import { collectLate } from './terminal/heap.js';
import { type Io, tellNote, writeLine } from './terminal/io.js';
import { processIo } from './terminal/process-io.js';

type CreateCommand = (context: CommandContext) => Command;

/** The commands in the order of the help. Each is loaded when a line is about it, so that no line waits for the others. */
const commands: Readonly<Record<string, () => Promise<CreateCommand>>> = {
  train: async () => (await import('./commands/train.js')).createTrainCommand,
  worker: async () => (await import('./commands/worker.js')).createWorkerCommand,
  peers: async () => (await import('./commands/peers.js')).createPeersCommand,
  launch: async () => (await import('./commands/launch.js')).createLaunchCommand,
  evaluate: async () => (await import('./commands/evaluate.js')).createEvaluateCommand,
  predict: async () => (await import('./commands/predict.js')).createPredictCommand,
  export: async () => (await import('./commands/export.js')).createExportCommand,
  data: async () => (await import('./commands/data.js')).createDataCommand,
  summary: async () => (await import('./commands/summary.js')).createSummaryCommand,
  models: async () => (await import('./commands/models.js')).createModelsCommand,
  dashboard: async () => (await import('./commands/dashboard.js')).createDashboardCommand,
  bench: async () => (await import('./commands/bench.js')).createBenchCommand,
  reproduce: async () => (await import('./commands/reproduce.js')).createReproduceCommand,
  speedrun: async () => (await import('./commands/speedrun.js')).createSpeedrunCommand,
  simulate: async () => (await import('./commands/simulate.js')).createSimulateCommand,
  doctor: async () => (await import('./commands/doctor.js')).createDoctorCommand,
};

/**
 * Runs one command.
 *
 * @param argv arguments without node and script
 * @returns the exit code, see docs/errors.md. A second Ctrl-C ends the process at once.
 */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  collectLate();
  const context: CommandContext = { io, argv, exitCode: 0 };
  try {
    const program = await createProgram(context);
    checkCommandName(program, argv);
    checkNpmFlags(program, argv, io.env, (note) => tellNote(io, note));
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

async function createProgram(context: CommandContext): Promise<Command> {
  const program = createCommand(PROGRAM, context)
    .description(
      'Trains small networks on MNIST-shaped data; the result is the same to the last bit for any number of workers.',
    )
    .version(readVersion(), '-V, --version', 'show the version')
    .helpCommand('help [command]', 'show the help of a command')
    // So that the flags behind a command are its own.
    .enablePositionalOptions();
  keepStdoutForFiles(program, context);
  for (const name of listNeeded(context.argv)) {
    const create = await commands[name]?.();
    if (create) program.addCommand(create(context));
  }
  return addExamples(program, [
    ['lockstep train', 'train the default model on every core'],
    ['lockstep train net19k --workers 8', 'another model, eight workers'],
    ['lockstep evaluate --weights runs/tiny6k-seed1', 'see what it gets wrong'],
    ['lockstep data ./photos', 'what Lockstep makes of your data'],
    ['lockstep models', 'list the models'],
    ['lockstep train --help', 'every flag of a command'],
  ]);
}

/** The commands that a line is about: the one that it names, none for the version, else all: for help, and for errors. */
function listNeeded([first = '', second = '']: readonly string[]): string[] {
  const name = first === 'help' ? second : first;
  if (Object.hasOwn(commands, name)) return [name];
  return first === '-V' || first === '--version' ? [] : Object.keys(commands);
}

function readVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

if (process.argv[1] !== undefined && isThisFile(process.argv[1])) {
  writeLine(
    process.stderr,
    `lockstep: ${fileURLToPath(import.meta.url)} is a part of the program, which is bin.js beside it.`,
  );
  process.exitCode = EXIT_BAD_INPUT;
}

function isThisFile(path: string): boolean {
  try {
    return realpathSync(path) === fileURLToPath(import.meta.url);
  } catch {
    // `node main` finds main.js, and others are no file at all
    return false;
  }
}
