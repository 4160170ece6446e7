/** `lockstep launch [MODEL]`: the same line in every process that a cluster's launcher starts. */
import { cpus } from 'node:os';
import { type Command, Option } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand, sectionHeading } from '../command-line.js';
import { DEFAULT_MODEL } from '../fields/common-fields.js';
import { type Field, fieldsIn, flagName, isOneOf, optionKey, quote } from '../fields/field.js';
import { recipeFields } from '../fields/recipe-fields.js';
import { runFields } from '../fields/run-fields.js';
import { findCoordinator } from '../launch/coordinator-address.js';
import { planCommand } from '../launch/launch-plan.js';
import { findLauncher, launcherNames } from '../launch/launchers.js';
import type { Launcher, Place } from '../launch/place.js';
import { own } from '../launch/variables.js';
import { findSource, getPath, readChecked, readConfig, readFlags } from '../settings/setting-source.js';
import { tellLine, writeLine } from '../terminal/io.js';
import { createTrainCommand } from './train.js';
import { createWorkerCommand } from './worker.js';

const { text, toggle } = fieldsIn('Launch');

const launchFields: readonly Field[] = [
  text('--launcher <name>', 'launcher', `what has started this process: ${launcherNames.join(', ')}`, {
    defaultText: 'found in the environment',
    check: isOneOf(...launcherNames),
  }),
  toggle('--dry-run', 'dryRun', 'say what was found and which command it stands for, and run nothing'),
  text('--tls-ca <file>', 'tlsCa', 'certificate of the coordinator, or of its authority, in PEM: for nodes'),
  text('--connect-timeout <s>', 'connectTimeout', 'how long nodes try to connect, in seconds', { defaultText: '300' }),
];

/** What `train` takes, and launch hands on. */
const trainFields = [...runFields, ...recipeFields].filter(({ flags }) => flags !== '--dry-run');

export function createLaunchCommand(context: CommandContext): Command {
  const command = createCommand('launch', context)
    .summary('take part in a run under Slurm, Open MPI, Kubernetes, Ray ...')
    .description(
      'Trains over all processes that a launcher has started, each with this same line. Finds its rank, their number and ' +
        'the address of rank 0 in the environment; becomes the coordinator (rank 0, which computes too) or a node. ' +
        'With --checkpoint it goes on from the newest checkpoint in the folder. docs/launch.md has the variables.',
    )
    .argument('[model]', `name or .json file (default: ${DEFAULT_MODEL})`)
    .addOption(new Option('--config <file>', 'a run in a .json or .yaml file').helpGroup(sectionHeading('Run')));
  addFields(command, [...launchFields, ...trainFields]);
  addExamples(command, [
    ['srun -n 3 lockstep launch net19k --token-file token', 'Slurm: three tasks, one run'],
    ['mpirun -n 3 lockstep launch net19k', 'Open MPI on one machine'],
    [
      'mpirun --hostfile hosts --map-by node --bind-to none -x LOCKSTEP_TOKEN lockstep launch net19k',
      'Open MPI over machines',
    ],
    ['torchrun --nproc-per-node 2 --no-python lockstep launch net19k', 'torchrun, and what sets its variables'],
    ['kubectl apply -k deploy/kubernetes', 'Kubernetes: an Indexed Job; or helm install run deploy/helm/lockstep'],
    ['python examples/ray/train.py --nodes 3 -- net19k', 'Ray: one actor for each node'],
    ['LOCKSTEP_RANK=0 LOCKSTEP_SIZE=2 LOCKSTEP_COORDINATOR=10.0.0.5:7400 lockstep launch', 'by hand, or anything else'],
    ['srun -n 3 lockstep launch --checkpoint ckpt --dry-run', 'what was found, and what it stands for'],
  ]);
  return command.action(async (model: string | undefined, options: Record<string, unknown>) => {
    await runLaunch(model, options, context);
  });
}

async function runLaunch(
  model: string | undefined,
  options: Record<string, unknown>,
  context: CommandContext,
): Promise<void> {
  const { env, coreCount, stderr } = context.io;
  readChecked(launchFields, options);
  const sources = [readFlags([...launchFields, ...trainFields], options), ...(await readConfig(options['config']))];
  const get = (name: string): unknown => getPath(findSource(sources, [name])?.values, [name]);
  const launcher = findLauncher(env, (options['launcher'] as string | undefined) ?? env[own('LAUNCHER')]);
  const place = launcher.readPlace(env);
  const command = planCommand({
    place,
    address: await findCoordinator(launcher, place, env),
    env,
    usableCores: coreCount,
    machineCores: cpus().length,
    trainWords: [...(model === undefined ? [] : [model]), ...writeFlags(options)],
    get,
    tlsCa: options['tlsCa'] as string | undefined,
    connectTimeout: options['connectTimeout'] as string | undefined,
  });
  const lines = describePlace(launcher, place, command);
  if (options['dryRun'] === true) {
    for (const line of lines) tellLine(context.io, line);
    return;
  }
  if (place.rank === 0 && get('quiet') !== true) for (const line of lines) writeLine(stderr, line);
  const [name, ...words] = command;
  const create = name === 'train' ? createTrainCommand : createWorkerCommand;
  await create(context).parseAsync(words, { from: 'user' });
}

/** The given flags of train as words, --config among them. */
function writeFlags(options: Readonly<Record<string, unknown>>): string[] {
  const config = typeof options['config'] === 'string' ? ['--config', options['config']] : [];
  const words = trainFields.flatMap((field) => {
    const value = options[optionKey(field)];
    const name = flagName(field);
    if (field.kind === 'switch') return value === !name.startsWith('--no-') ? [name] : [];
    return typeof value === 'string' ? [name, value] : [];
  });
  return [...config, ...words];
}

function describePlace(
  { title }: Launcher,
  { rank, size, restarts = 0, note }: Place,
  command: readonly string[],
): string[] {
  const again = restarts === 0 ? '' : `, restart ${restarts}`;
  const notes = note === undefined ? [] : [`Note: ${note}`];
  return [`Launch: ${title}, rank ${rank} of ${size}${again}`, ...notes, `  lockstep ${command.map(quote).join(' ')}`];
}
