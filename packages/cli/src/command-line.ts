/** Commander, set up so that it never ends the process and its errors are ours: one line, with the nearest valid word. */
import { didYouMean, LockstepError, suggestOption } from '@lockstep/core/errors';
import { Command, type CommanderError, Help, Option } from 'commander';
import { type Field, flagName, offlineField, optionError, type Section } from './fields/field.js';
import { type Io, keepingStdout } from './terminal/io.js';
import { spellCommands } from './terminal/spelling.js';

/** Where the program runs, and where a command leaves its exit code. */
export interface CommandContext {
  /** Its stdout is stderr where the command writes a file to stdout. */
  io: Io;
  /** What the program was called with. */
  readonly argv: readonly string[];
  exitCode: number;
}

/** The program itself, which has the commands. */
export const PROGRAM = 'lockstep';

export const goOffline = (io: Io): void => void Object.assign(io.env, { LOCKSTEP_OFFLINE: '1' });

/** Its help is spelled before it is wrapped and aligned. */
class SpelledCommand extends Command {
  constructor(
    name: string,
    readonly spelling: string,
  ) {
    super(name);
    const spell = (text: string): string => spellCommands(text, spelling);
    const { optionDescription, argumentDescription, commandDescription, subcommandDescription } = Help.prototype;
    this.configureHelp({
      optionDescription: (option) => spell(optionDescription(option)),
      argumentDescription: (argument) => spell(argumentDescription(argument)),
      commandDescription: (command) => spell(commandDescription(command)),
      subcommandDescription: (command) => spell(subcommandDescription(command)),
    });
  }
}

/** A command whose help goes to `io.stdout` and whose errors are thrown as LockstepErrors. */
export function createCommand(name: string, { io }: CommandContext): Command {
  const command = new SpelledCommand(name, io.spelling);
  if (name !== PROGRAM) {
    command.option(offlineField.flags, offlineField.description);
    // as the variable, so that the processes which a command starts heed it too
    command.on('option:offline', () => goOffline(io));
  }
  return command
    .showSuggestionAfterError(false)
    .helpOption('-h, --help', 'show this help')
    .configureOutput({
      writeOut: (text) => io.stdout.write(spellCommands(text, io.spelling)),
      writeErr: (text) => io.stderr.write(text),
      // main prints every error, commander's among them.
      outputError: () => {},
      getOutHelpWidth: () => io.stdout.columns ?? 120,
      getErrHelpWidth: () => io.stderr.columns ?? 120,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .exitOverride((error) => {
      throw explainCommanderError(error, command);
    });
}

/** The flags that name a file which a command writes. */
const written = new WeakSet<Option>();

/** Once its flags are read, a command that writes a file to stdout says all it has to say on stderr. */
export function keepStdoutForFiles(program: Command, context: CommandContext): void {
  program.hook('preAction', (_, command) => {
    const flags = command.options.filter((option) => written.has(option));
    const files = flags.map((option) => [option.long ?? option.flags, command.getOptionValue(option.attributeName())]);
    context.io = keepingStdout(context.io, Object.fromEntries(files), command.getOptionValue('json') === true);
  });
}

/** Adds a flag for each field, under the heading of its section. */
export function addFields(command: Command, fields: readonly Field[]): Command {
  const ordered = SECTIONS.flatMap((section) => fields.filter((field) => field.section === section));
  for (const field of ordered) {
    const text = field.defaultText === undefined ? '' : ` (default: ${field.defaultText})`;
    const option = new Option(field.flags, `${field.description}${text}`).helpGroup(sectionHeading(field.section));
    if (field.isWritten) written.add(option);
    command.addOption(option);
  }
  return command;
}

const SECTIONS: readonly Section[] = ['Launch', 'Run', 'Cluster', 'Data', 'Recipe', 'Output', 'Watching'];

export const sectionHeading = (section: Section): string =>
  section === 'Recipe' ? 'Recipe (default: what the model brings, see `lockstep models`):' : `${section}:`;

const LONGEST_ALIGNED = 64;

/** Examples at the end of a command's help: what they do, then the command. */
export function addExamples(command: Command, written: readonly (readonly [string, string])[]): Command {
  const spelling = command instanceof SpelledCommand ? command.spelling : PROGRAM;
  const examples = written.map(([line, meaning]) => [spellCommands(line, spelling), meaning] as const);
  // one long command must not push the meaning of all the others out of the window
  const width = Math.max(...examples.map(([line]) => line.length).filter((length) => length <= LONGEST_ALIGNED));
  const lines = examples.map(([line, meaning]) => `  ${line.padEnd(width)}  ${meaning}`);
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
}

/** Commander's errors carry their values only in the text, between single quotes. */
function explainCommanderError(error: CommanderError, command: Command): Error {
  if (error.exitCode === 0) return error;
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  switch (error.code) {
    case 'commander.unknownOption':
      return optionError(describeUnknownOption(quoted.split('=')[0] ?? quoted, command));
    case 'commander.optionMissingArgument':
      return optionError(`${flagName({ flags: quoted })} needs a value: ${quoted}`);
    case 'commander.excessArguments':
      return command.commands.length > 0
        ? new LockstepError('LOCKSTEP_CLI_COMMAND', describeUnknownCommand(command.args[0] ?? '', command))
        : new LockstepError('LOCKSTEP_CLI_ARGUMENT', describeExcess(command));
    case 'commander.missingArgument':
      return new LockstepError(
        'LOCKSTEP_CLI_ARGUMENT',
        `${command.name()} needs ${quoted.toUpperCase()}: ${usageOf(command)}`,
      );
    default:
      return new LockstepError('LOCKSTEP_CLI_ARGUMENT', error.message.replace(/^error: /, ''));
  }
}

const listFlags = (command: Command): string[] => [
  ...command.options
    .flatMap((option) => [option.long, option.short])
    .filter((flag) => flag?.startsWith('--'))
    .map(String),
  '-h',
  '--help',
];

/**
 * Commander answers `foo --help` and `help foo` with the help of the program; a command that does not exist is an error.
 *
 * @throws LockstepError LOCKSTEP_CLI_COMMAND naming the nearest command
 */
export function checkCommandName(program: Command, argv: readonly string[]): void {
  const name = argv[0] === 'help' ? argv[1] : argv[0];
  if (name === undefined || name.startsWith('-') || name === 'help') return;
  if (program.commands.some((command) => command.name() === name)) return;
  throw new LockstepError('LOCKSTEP_CLI_COMMAND', describeUnknownCommand(name, program));
}

/** Flags that are asked of a command which does not need them, and what is there instead. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'models --recipe':
    '`lockstep models` lists every recipe with its name, --json all of its fields; `lockstep train MODEL --recipe NAME` takes one',
};

function describeUnknownOption(flag: string, command: Command): string {
  const elsewhere = ELSEWHERE[`${command.name()} ${flag}`];
  if (elsewhere !== undefined) return `unknown option ${flag}: ${elsewhere}`;
  const owner = command.commands.find((sub) => listFlags(sub).includes(flag));
  if (owner !== undefined) return `${flag} belongs to a command: lockstep ${owner.name()} ${flag}`;
  const short = command.options.find((option) => option.short?.toLowerCase() === flag.toLowerCase());
  if (short !== undefined) return `unknown option ${flag}. Did you mean ${short.flags.replace(', ', ' or ')}?`;
  const flags = [command, ...command.commands].flatMap(listFlags);
  const suggestion = suggestOption(flag, flags) || `. \`${fullName(command)} --help\` lists all.`;
  return `unknown option ${flag}${suggestion}`;
}

/** `lockstep bench sync`. */
const fullName = (command: Command): string =>
  command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;

/** Commands of other tools, and what is used here. */
const OTHER_COMMANDS: Readonly<Record<string, string>> = {
  serve:
    'no model is served here; `lockstep predict` classifies images, `lockstep export` makes a page or an ONNX file that answers',
  fit: '`lockstep train` does that',
  run: '`lockstep train` does that',
  resume: '`lockstep train --resume DIR` does that',
  test: '`lockstep evaluate` does that',
  validate: '`lockstep evaluate` does that',
  infer: '`lockstep predict` does that',
  classify: '`lockstep predict` does that',
  convert: '`lockstep export` does that',
  list: '`lockstep models` does that',
  info: '`lockstep summary` tells of a model, `lockstep doctor` of this machine',
  ui: '`lockstep dashboard` does that',
  tensorboard: '`lockstep train --tensorboard DIR` writes what TensorBoard shows',
  coordinator: '`lockstep train --listen HOST:PORT` is one',
  join: '`lockstep worker --connect ADDRESS` does that',
  srun: '`lockstep launch` is started by it',
  torchrun: '`lockstep launch` is what every process of it starts',
  version: '`lockstep --version` does that',
};

function describeUnknownCommand(name: string, command: Command): string {
  const names = command.commands.map((sub) => sub.name());
  const isProgram = command.parent === null;
  const instead = isProgram && Object.hasOwn(OTHER_COMMANDS, name) ? OTHER_COMMANDS[name] : undefined;
  const hint = instead === undefined ? didYouMean(name, names) || '.' : `: ${instead}.`;
  return `unknown command ${name}${isProgram ? '' : ` of ${command.name()}`}${hint} There are ${names.join(', ')}.`;
}

function describeExcess(command: Command): string {
  const most = command.registeredArguments.length;
  const extra = command.args.slice(most).join(' ');
  return `${command.name()} takes ${most === 0 ? 'no argument' : 'one argument'}, what is "${extra}"? Usage: ${usageOf(command)}`;
}

const usageOf = (command: Command): string => `lockstep ${command.name()} ${command.usage()}`;
