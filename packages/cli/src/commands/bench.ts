/** `lockstep bench`, and below it `kernels MODEL`, `scaling`, `sync`, `memory`, `cluster` and `watching`. */
import type { Command } from 'commander';
import { addExamples, addFields, type CommandContext, createCommand } from '../command-line.js';
import type { Field } from '../fields/field.js';
import {
  commonFields,
  engineField,
  enginesField,
  kernelsField,
  modelsField,
  outField,
  pictureField,
  repetitionsField,
  resolveBench,
  secondsField,
  workersListField,
} from '../lab/bench/settings.js';
import { DEFAULT_CALIBRATION } from '../lab/simulate/settings.js';

const measureFields = [modelsField, secondsField, repetitionsField, ...commonFields];
const speedFields: readonly Field[] = [
  enginesField,
  ...measureFields,
  workersListField('1 and the number of cores'),
  engineField,
  kernelsField,
  pictureField,
];
const kernelFields: readonly Field[] = [secondsField, ...commonFields];
const syncFields: readonly Field[] = [...measureFields, workersListField('2,8')];
const memoryFields: readonly Field[] = [modelsField, ...commonFields, workersListField('1,2,8')];

const scalingFields: readonly Field[] = [...measureFields, workersListField('1,2,4,8'), pictureField];
const watchingFields: readonly Field[] = [...measureFields, workersListField('the number of cores')];
const WATCHING_MODELS = 'tiny6k,cnn11m';
/** A slice must hold many progress reports. */
const WATCHING_SECONDS = 2;

const clusterFields: readonly Field[] = measureFields;
const calibrateFields: readonly Field[] = [...measureFields, workersListField('1 and the number of cores'), outField];
const nodesField: Field = {
  ...workersListField('1,2,3,4'),
  flags: '--nodes <n,n>',
  description: 'numbers of nodes to measure',
};
const predictionFields: readonly Field[] = [...measureFields, nodesField];
const PREDICTION_MODELS = 'gap19k,mynet,cnn11m';
const CLUSTER_MODELS = 'gap19k,net19k,cnn11m';

/** Loaded when it runs, so that other commands start without it. */
const loadRuns = () => import('../lab/bench/machine-runs.js');
const loadNodeRuns = () => import('../lab/bench/node-runs.js');

/** Measurements that a signal has cut short are still under way: only an exit ends them. */
function end(code: number, context: CommandContext): void {
  context.exitCode = code;
  if (code !== 0) context.io.exit(code);
}

export function createBenchCommand(context: CommandContext): Command {
  const command = createCommand('bench', context)
    .summary('measure speed, kernels, waiting and memory on this machine')
    .description(
      "Measures training and inference of each model against the cores' multiply-add peak: batch 128, Adam, the model's own " +
        'augmentation and dropout, data in memory. Worker counts take turns, and bursts of the peak stand in between.',
    )
    // So that the flags behind `bench sync` are those of sync.
    .enablePositionalOptions();
  addFields(command, speedFields);
  addExamples(command, [
    ['lockstep bench', 'every model, 1 worker and one per core; about three minutes'],
    ['lockstep bench --models gap19k,lenet5 --workers 1,2,4', 'some models, some worker counts'],
    ['lockstep bench --json --picture speed.svg > speed.json', 'for programs, and for the eye'],
    ['lockstep bench --engines native,tensorflow', 'both engines, and TensorFlow.js without Lockstep'],
    ['lockstep bench kernels net19k', 'where the time of a step goes, op by op'],
    ['lockstep bench sync', 'how long workers wait for each other'],
    ['lockstep bench scaling --picture scaling.svg', 'what more workers gain, and where the time goes'],
    ['lockstep bench watching', 'what the page, the files and the metrics cost'],
    ['lockstep bench memory', 'resident memory of each model'],
    ['lockstep bench cluster', 'two nodes against one'],
    ['lockstep bench calibrate', 'what `lockstep simulate` must know of this machine'],
  ]);
  for (const create of creators) command.addCommand(create(context));
  return command.action(async (options: Record<string, unknown>) => {
    const { coreCount } = context.io;
    const settings = resolveBench(speedFields, options, coreCount > 1 ? [1, coreCount] : [1]);
    const runs = await loadRuns();
    const { engines } = settings;
    end(
      await (engines ? runs.runEngines(settings, engines, context.io) : runs.runSpeed(settings, context.io)),
      context,
    );
  });
}

interface Told {
  readonly summary: string;
  readonly description: string;
  readonly fields: readonly Field[];
}

/** A command below `bench`. @param run measures and prints; resolves to the exit code */
function createPart(
  name: string,
  context: CommandContext,
  { summary, description, fields }: Told,
  run: (options: Record<string, unknown>) => Promise<number>,
): Command {
  const command = createCommand(name, context).summary(summary).description(description);
  addFields(command, fields);
  return command.action(async (options: Record<string, unknown>) => end(await run(options), context));
}

function createScalingCommand(context: CommandContext): Command {
  const told = {
    summary: 'what more workers gain, and where the time goes',
    description:
      "Measures training on more and more workers against one worker and the cores' own peak, with the share of each phase " +
      'of a step; and against the tensorflow engine on one worker, where that is set up.',
    fields: scalingFields,
  };
  return createPart('scaling', context, told, async (options) => {
    const settings = resolveBench(scalingFields, options, [1, 2, 4, 8]);
    return (await loadRuns()).runScaling(settings, context.io);
  });
}

function createWatchingCommand(context: CommandContext): Command {
  const told = {
    summary: 'what it costs a run to be watched',
    description:
      'Measures a run with its page, TensorBoard files, metrics, trace, log and folder against one without, slice by slice; ' +
      'with nobody before the page, a viewer, 50 of them, one that stalls and one that sends rubbish. Not for Windows.',
    fields: watchingFields,
  };
  return createPart('watching', context, told, async (options) => {
    const asked = { seconds: String(WATCHING_SECONDS), models: WATCHING_MODELS, ...options };
    const settings = resolveBench(watchingFields, asked, [context.io.coreCount]);
    return (await loadRuns()).runWatching(settings, context.io);
  });
}

function createKernelsCommand(context: CommandContext): Command {
  const command = createCommand('kernels', context)
    .summary("time every op of a model's training step")
    .description('Times every op of a training step on one thread: shape, algorithm, microseconds, rate, share.')
    .argument('<model>', 'name from `lockstep models`, or a .json file');
  addFields(command, kernelFields);
  return command.action(async (model: string, options: Record<string, unknown>) => {
    const settings = resolveBench([...kernelFields, modelsField], { ...options, models: model }, [1]);
    end(await (await loadRuns()).runKernels(settings, context.io), context);
  });
}

function createSyncCommand(context: CommandContext): Command {
  const told = {
    summary: 'share of a step in which workers wait',
    description:
      'Measures how much of a training step workers stand at barriers, and how long cores have nothing to do.',
    fields: syncFields,
  };
  return createPart('sync', context, told, async (options) => {
    const settings = resolveBench(syncFields, options, [2, 8]);
    return (await loadRuns()).runSync(settings, context.io);
  });
}

function createClusterCommand(context: CommandContext): Command {
  const told = {
    summary: 'two nodes against one, and how well they fill a link',
    description:
      'Measures two nodes of one thread against one node of two: over a virtual link to a network namespace (root, Linux; ' +
      'else over loopback), capped at 1 Gbit/s for models above a million parameters.',
    fields: clusterFields,
  };
  return createPart('cluster', context, told, async (options) => {
    const settings = resolveBench(clusterFields, { ...options, models: options['models'] ?? CLUSTER_MODELS }, [1]);
    return (await loadNodeRuns()).runCluster(settings, context.io);
  });
}

function createMemoryCommand(context: CommandContext): Command {
  const told = {
    summary: 'resident memory of training',
    description: 'Measures the resident memory of training, each model and worker count in a process of its own.',
    fields: memoryFields,
  };
  return createPart('memory', context, told, async (options) => {
    const settings = resolveBench(memoryFields, options, [1, 2, 8]);
    return (await loadRuns()).runMemory(settings, context.io);
  });
}

function createCalibrateCommand(context: CommandContext): Command {
  const told = {
    summary: 'measure what `lockstep simulate` predicts from',
    description:
      'Measures what computing a shard, adding a vector up, an update, a frame and a step of two nodes take here, and ' +
      'writes it down for `lockstep simulate`.',
    fields: calibrateFields,
  };
  return createPart('calibrate', context, told, async (options) => {
    const { coreCount } = context.io;
    const settings = resolveBench(calibrateFields, options, coreCount > 1 ? [1, coreCount] : [1]);
    const out = (options['out'] as string | undefined) ?? DEFAULT_CALIBRATION;
    return (await loadNodeRuns()).runCalibrate(settings, out, context.io);
  });
}

function createPredictionsCommand(context: CommandContext): Command {
  const told = {
    summary: 'what `lockstep simulate` says of a few nodes, against what they do',
    description:
      'Calibrates, then measures runs of some nodes of one thread each, all on this machine: in network namespaces with ' +
      'capped links (root, Linux; else over loopback), and on links that take 20 ms (Linux). Prints how far the ' +
      'prediction is off, for each. Takes up to four times as many measurements as asked for where they differ so much ' +
      'that their median is not known to within 8%.',
    fields: predictionFields,
  };
  return createPart('predictions', context, told, async (options) => {
    const models = options['models'] ?? PREDICTION_MODELS;
    const settings = resolveBench(predictionFields, { ...options, models }, [1, 2, 3, 4]);
    return (await loadNodeRuns()).runPredictions(settings, context.io);
  });
}

const creators = [
  createKernelsCommand,
  createScalingCommand,
  createSyncCommand,
  createMemoryCommand,
  createClusterCommand,
  createCalibrateCommand,
  createPredictionsCommand,
  createWatchingCommand,
];
