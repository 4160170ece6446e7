/** `lockstep train [MODEL]`. */
import { type Dataset, describeData, namesOf } from '@lockstep/core/data';
import { type EpochEvent, followEpochs } from '@lockstep/core/events';
import { checkOutputPath } from '@lockstep/core/files';
import { inferLayers, parameterCount } from '@lockstep/core/model';
import { isDivergence, type OnWarning } from '@lockstep/core/seams';
import { describeDoubted } from '@lockstep/core/text';
import { LATEST_PATH } from '@lockstep/watch/files';
import { type Command, Option } from 'commander';
import { holdOutAndTell, loadTrainingData } from '../api/data.js';
import { compareBeginning, describeBeginning, loadInitialState } from '../api/initial-state.js';
import { noteOtherData, readRecalled, recallData, resumedRun, runAgain } from '../api/recalled-data.js';
import {
  addExamples,
  addFields,
  type CommandContext,
  createCommand,
  goOffline,
  sectionHeading,
} from '../command-line.js';
import { DEFAULT_MODEL } from '../fields/common-fields.js';
import { quote } from '../fields/field.js';
import { recipeFields } from '../fields/recipe-fields.js';
import { runFields } from '../fields/run-fields.js';
import { noteCrowd } from '../settings/crowd.js';
import { ResumeAdvice } from '../settings/resume-advice.js';
import { type RunSettings, resolveRun } from '../settings/run-settings.js';
import { checkWeightsFile, readDataNotes } from '../settings/weights-file.js';
import { endBeforeRun, watchEnding } from '../terminal/ending.js';
import { describeError, EXIT_BAD_INPUT, EXIT_FAILED } from '../terminal/failure.js';
import { HealthServer } from '../terminal/health.js';
import { type Io, keepingStdout, tellNote, writeLine } from '../terminal/io.js';
import { createPrinter, formatWarning } from '../terminal/run-printer.js';
import type { FinalWeights } from '../watching/final-weights.js';
import { announceDryRun, showData } from './dry-run.js';
import { followRun, type Trained } from './follow-run.js';

/** Of a plot that does not go to a terminal. */
const PLOT_COLUMNS = 80;

export function createTrainCommand(context: CommandContext): Command {
  const command = createCommand('train', context)
    .summary('train a model')
    .description(
      'Trains a model: a name from `lockstep models`, or a JSON file with a model. Ctrl-C ends the run in order.',
    )
    .argument('[model]', `name or .json file (default: ${DEFAULT_MODEL})`)
    .addOption(
      new Option(
        '--config <file>',
        'a run in a .json or .yaml file: model, recipe and the other flags as fields; or the run.json of a run, to run it again',
      ).helpGroup(sectionHeading('Run')),
    );
  addFields(command, [...runFields, ...recipeFields]);
  addExamples(command, [
    ['lockstep train', 'tiny6k on every core, into runs/tiny6k-seed1'],
    ['lockstep train net19k --workers 8 --seed 7', 'the same bits with any number of workers'],
    ['lockstep train gap19k --until 0.994 --save gap.safetensors', 'stop at 99.4% on the test set'],
    ['lockstep train my.json --optimizer adamw --lr 2e-3 --epochs 3', 'your own model, your own recipe'],
    ['lockstep train --checkpoint ckpt --every 200 steps', 'keep what a crash would lose'],
    ['lockstep train --resume ckpt', 'go on as if nothing had happened'],
    [
      "lockstep train --weights w.safetensors --freeze 'features.*' --replace-head 5 --data ./mine",
      'transfer learning',
    ],
    ['lockstep train --config runs/tiny6k-seed1/run.json', 'that run again; or a run.yaml of yours'],
    [
      'lockstep train --json --out runs/a --trace trace.json > log.jsonl',
      'for programs, and to look at: docs/watching.md',
    ],
  ]);
  return command.action(async (model: string | undefined, options: Record<string, unknown>) => {
    const command = [context.io.spelling, ...context.argv.map(quote)].join(' ');
    const settings = await resolveRun(model, options, context.io.coreCount, context.io.env);
    if (settings.offline) goOffline(context.io);
    // as of flags, for a config file
    const { save, saveEma, watch, json } = settings;
    const files = { '--save': save, '--save-ema': saveEma, '--trace': watch.trace, '--log-file': watch.logFile };
    const io = keepingStdout(context.io, files, json);
    context.exitCode = await runTrain(settings, io, command);
  });
}

/**
 * Trains, prints, saves. Returns the exit code: 0; 1 when the run fails on the way or its result is in doubt, 2 when it diverges; else that of the signal that ended it.
 *
 * @param command what it was begun with
 * @throws LockstepError for input that is wrong, before the run starts
 */
async function runTrain(asked: RunSettings, io: Io, command: string): Promise<number> {
  const health = await HealthServer.open(asked.health);
  try {
    return await runToEnd(asked, io, command, () => health?.setReady());
  } finally {
    health?.close();
  }
}

/** @param onProgress called when steps are done */
async function runToEnd(asked: RunSettings, io: Io, command: string, onProgress: () => void): Promise<number> {
  noteCrowd(asked.workers, io);
  for (const notice of asked.notices) tellNote(io, notice);
  if (asked.weights !== undefined) checkWeightsFile(asked.weights);
  const leaveSignals = endBeforeRun(io, asked.preemptible);
  const { dataset, settings: loaded } = await loadRun(asked, io);
  const { settleFolder } = await import('../api/resumed-folder.js');
  const settled = settleFolder(loaded, dataset);
  if (asked.dryRun) announceDryRun(settled, io);
  const settings = asked.dryRun ? loaded : settled;
  const initial = loadInitialState(settings, (line) => writeLine(io.stderr, line));
  const beginning = describeBeginning(settings, initial);
  const otherBeginning = asked.again && compareBeginning(asked.again, beginning);
  if (otherBeginning !== undefined) tellNote(io, otherBeginning);
  // Last of the checks, since it makes the folder.
  if (asked.dryRun) showData(dataset, asked, io);
  else checkPlaces(settings);
  // Loaded here, so that commands which do not compute need no kernels.
  const { openWatchers } = await import('../watching/watchers.js');
  const { saveFinalWeights } = await import('../watching/final-weights.js');
  const { takeFolder } = await import('../api/session.js');
  const { awaitKernels } = await import('../api/awaited-kernels.js');
  const onWarning: OnWarning = (warning) => writeLine(io.stderr, formatWarning(warning));
  // signals end the process while it waits for a compiler, and nobody waits for this run's folder
  const compileKernels = await awaitKernels({ ...settings, compileKernels: io.compileKernels }, onWarning);
  // before anything is opened that the run which has the folder may be writing to
  const heldFolder = await takeFolder(settings, onWarning);
  const { observers, control, notes, folder, best } = await openWatchers(
    settings.dryRun ? { ...settings, runFolder: undefined } : settings,
    { command, spelling: io.spelling, now: io.now },
  ).catch((error) => {
    heldFolder?.release();
    throw error;
  });
  for (const note of notes) writeLine(io.stderr, note);
  const epochs = [...(settings.resume?.checkpoint.info.epochs ?? [])];
  const printer = createPrinter({ ...settings, history: epochs }, io);
  const advice = new ResumeAdvice(settings);
  leaveSignals();
  const ending = watchEnding(io, {
    onFirst: () => printer.note('Finishing the step; Ctrl-C again exits at once.'),
    beforeExit: () => printer.note(advice.text),
    isPreemptible: settings.preemptible,
    onOutputLost: (name, text) => printer.tellLost(name, text),
  });
  try {
    const tell = (line: string): void => printer.note(line);
    const watched = { signal: ending.signal, observers, control, tell };
    const request = {
      ...pickRequest(settings),
      dataset,
      initial,
      beginning,
      heldFolder,
      runFolder: folder,
      compileKernels,
      ...watched,
    };
    const outcome = await followRun(request, (event) => {
      advice.follow(event);
      if (event.event === 'progress' && event.step > 0) onProgress();
      followEpochs(epochs, event);
      printer.print(event);
    });
    const places = {
      folder: settings.keepsWeights ? folder : undefined,
      best,
      save: settings.save,
      saveEma: settings.saveEma,
    };
    const around = { tell, signal: ending.signal, env: io.env };
    const isSaving = !settings.dryRun && !('failure' in outcome);
    const saved = isSaving ? await saveFinalWeights(describeWeights(settings, dataset, outcome), places, around) : {};
    const failure = 'failure' in outcome ? outcome : 'failure' in saved ? saved : undefined;
    printer.finish('place' in saved ? saved.place : undefined);
    if (settings.plot) await showPlot(epochs, settings, io);
    if (failure !== undefined) writeLine(io.stderr, describeError(failure.failure, io.env));
    if (isDivergence(failure?.failure)) {
      if (advice.textAfterDivergence !== undefined) printer.note(advice.textAfterDivergence);
      return EXIT_BAD_INPUT;
    }
    if (advice.isNeeded) printer.note(advice.text);
    if (failure !== undefined) return EXIT_FAILED;
    const doubted = 'end' in outcome ? outcome.end?.doubted : undefined;
    if (doubted !== undefined) printer.note(`warning: the result is in doubt: ${describeDoubted(doubted)}.`);
    if (advice.isInterrupted) return ending.exitCode;
    return doubted === undefined ? 0 : EXIT_FAILED;
  } finally {
    ending.stop();
    printer.close();
  }
}

/** The data of a run, and the run with its model fitted to them. */
async function loadRun(asked: RunSettings, io: Io) {
  const { data: path, dataForm, validation, resume, again } = asked;
  const heldOut = validation > 0 ? validation : undefined;
  const known = resume ? resumedRun(resume.checkpoint.info) : again && runAgain(again);
  const pixels = again?.hasOtherWeights ? undefined : known?.data.pixels;
  const weights =
    pixels === undefined && asked.weights !== undefined
      ? readDataNotes(asked.weights, asked.model, asked.hasNewHead)
      : undefined;
  const source = { resumed: pixels, weights };
  const named = { path, ...dataForm, heldOut, classNames: asked.hasNewHead ? undefined : namesOf(weights) };
  const request = known === undefined ? named : recallData(known.data, named);
  let { model } = asked;
  const read = async (): Promise<Dataset> => {
    const loaded = await loadTrainingData(request, model, io, source, asked.hasNewHead);
    model = loaded.model;
    // Data without a test set has given its validation images for one.
    if (loaded.dataset.heldOut !== undefined) return loaded.dataset;
    return holdOutAndTell(loaded.dataset, validation, (note) => tellNote(io, note));
  };
  const isAnyTaken = asked.override === true || again?.hasOtherData === true;
  const dataset = known && path === undefined ? await readRecalled(known, isAnyTaken, read) : await read();
  const other = again && noteOtherData(runAgain(again), dataset);
  if (other !== undefined) tellNote(io, other);
  return { dataset, settings: { ...asked, model, parameters: parameterCount(inferLayers(model)) } };
}

const pickRequest = ({ model, recipe, seed, workers, engine, kernels, ...rest }: RunSettings) => {
  const { steps, until, patience, best, evaluate, checkpoints, resume, preemptible, override, cluster } = rest;
  const ends = { steps, until, patience, best, evaluate };
  return {
    model,
    recipe,
    seed,
    workers,
    engine,
    kernels,
    ...ends,
    checkpoints,
    resume,
    preemptible,
    override,
    cluster,
  };
};

/** Under --json this is for stderr. */
async function showPlot(epochs: readonly EpochEvent[], { json }: RunSettings, io: Io): Promise<void> {
  const stream = json ? io.stderr : io.stdout;
  const { plotEpochs } = await import('@lockstep/watch/report');
  const lines = plotEpochs(epochs, stream.columns ?? PLOT_COLUMNS);
  if (lines.length === 0) tellNote(io, `--plot draws curves from two epochs on, and this run has ${epochs.length}`);
  else for (const line of ['', ...lines]) writeLine(stream, line);
}

/**
 * Finds out before the run whether its weights can be written.
 *
 * @throws LockstepError LOCKSTEP_SAVE_PATH
 */
function checkPlaces({ save, saveEma, runFolder }: RunSettings): void {
  if (save !== undefined) checkOutputPath(save);
  if (saveEma !== undefined) checkOutputPath(saveEma, '--save-ema');
  if (runFolder !== undefined) checkOutputPath(LATEST_PATH, 'the folder of the run beside');
}

function describeWeights({ model }: RunSettings, dataset: Dataset, { state, average, end }: Trained): FinalWeights {
  const steps = end?.steps ?? 0;
  return {
    model,
    notes: describeData(dataset),
    last: { state, steps },
    average: average && { state: average, steps },
    isCutShort: end?.reason === 'interrupted' || end?.reason === 'stopped',
  };
}
