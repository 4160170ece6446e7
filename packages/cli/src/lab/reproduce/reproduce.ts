/** `lockstep reproduce`: every run of every claim, then the report. */
import { join } from 'node:path';
import { type Dataset, holdOutValidation } from '@lockstep/core/data';
import type { RunEvent } from '@lockstep/core/events';
import { checkOutputPath, LOCKSTEP_VERSION, writeFileAtomically } from '@lockstep/core/files';
import { countOf, fixed, formatPercent, formatProgress } from '@lockstep/core/text';
import { loadData, refuseSample } from '../../api/data.js';
import { noteCrowd } from '../../settings/crowd.js';
import { type ProcessEnding, watchEnding } from '../../terminal/ending.js';
import { EXIT_FAILED } from '../../terminal/failure.js';
import { type Io, writeJson, writeLine } from '../../terminal/io.js';
import { canRedraw, StatusLine } from '../../terminal/terminal.js';
import { describeOccasion } from '../bench/measure/machine.js';
import { PeakMeter } from '../bench/measure/peak-meter.js';
import { type Claim, resolveClaim } from './claims.js';
import { EnergyMeter } from './energy.js';
import { drawRecord } from './learning-curves.js';
import { judgeHash, type PromisedHash, readPromises, recordPromises } from './promised-hashes.js';
import { checkQuickly } from './quick-check.js';
import { type Curve, describeResult, formatHtml, formatMarkdown, type Report } from './report.js';
import { type RunJob, type RunPlace, reproduceRun } from './reproduce-run.js';
import { accuracyOf, type ClaimResult, promiseOf, summarizeClaim } from './results.js';
import type { RunRecord } from './run-record.js';
import type { ReproduceSettings } from './settings.js';

/**
 * Runs, prints, reports.
 *
 * @returns the exit code: 1 when a hash is not as recorded; that of the signal that ended it
 */
export async function runReproduce(settings: ReproduceSettings, io: Io): Promise<number> {
  const [first] = settings.claims as [Claim];
  const dataset = await loadData({ path: settings.data }, resolveClaim(first).model, io);
  noteCrowd(settings.workers, io);
  return settings.quick ? runQuick(settings, dataset, io) : runAll(settings, dataset, io);
}

async function runQuick(settings: ReproduceSettings, dataset: Dataset, io: Io): Promise<number> {
  const promises = readPromises();
  const results = [];
  const ending = watchEnding(io, {
    onFirst: () => writeLine(io.stderr, 'Finishing the steps of this claim; Ctrl-C again exits at once.'),
  });
  for (const claim of settings.claims) {
    for (const seed of settings.seeds) {
      if (ending.signal.aborted) return sayInterrupted(results.length, settings, ending, io);
      const result = await checkQuickly(claim, seed, { dataset, workers: settings.workers }, promises);
      results.push(result);
      if (settings.json) writeJson(io.stdout, result);
      else
        writeLine(
          io.stdout,
          `${describeRun(result)}, ${countOf(result.steps, 'step')}: ${result.parametersSha256}, ${VERDICTS[result.verdict]}`,
        );
    }
  }
  ending.stop();
  if (settings.record) recordPromises(results.map(({ event: _, verdict: __, ...promise }) => promise));
  const others = results.filter(({ verdict }) => verdict === 'other');
  return others.length > 0 && !settings.record ? EXIT_FAILED : 0;
}

/** What an interrupted command has done. @returns its exit code */
function sayInterrupted(done: number, settings: ReproduceSettings, ending: ProcessEnding, io: Io): number {
  ending.stop();
  const all = settings.claims.length * settings.seeds.length;
  const rest = settings.quick ? '' : `, their records in ${settings.out}; the same command goes on from here`;
  writeLine(io.stderr, `Interrupted: ${done} of ${countOf(all, 'run')} done${rest}.`);
  return ending.exitCode;
}

const VERDICTS = { same: 'as recorded', other: 'NOT AS RECORDED', new: 'none is recorded' } as const;

const describeRun = ({ model, recipe, seed }: { model: string; recipe: string; seed: number }): string =>
  `${model} (${recipe}) seed ${seed}`;

async function runAll(settings: ReproduceSettings, dataset: Dataset, io: Io): Promise<number> {
  refuseSample(dataset, 'reproduce compares accuracies with claims');
  checkOutputPath(join(settings.out, 'report.md'), '--out');
  const meter = new PeakMeter(settings.workers);
  const screen = new Screen(settings, io);
  const ending = watchEnding(io, {
    onFirst: () => screen.say('Finishing the step; Ctrl-C again exits at once.'),
    beforeExit: () => screen.close(),
  });
  const place: Omit<RunPlace, 'onEvent'> = {
    root: settings.out,
    occasion: describeOccasion(),
    peak: (workers) => meter.measure(workers),
    energy: EnergyMeter.open(),
    signal: ending.signal,
    tell: (text) => screen.say(`note: ${text}`),
  };
  const promises = readPromises();
  const results: ClaimResult[] = [];
  const kept: PromisedHash[] = [];
  const curves: Curve[] = [];
  try {
    for (const claim of settings.claims) {
      const records: RunRecord[] = [];
      for (const seed of settings.seeds) {
        const job = planJob(claim, seed, settings, dataset);
        const name = describeRun({ model: claim.model, recipe: claim.recipe, seed });
        const record = await reproduceRun(job, { ...place, onEvent: (event) => screen.follow(name, event) });
        if (record === undefined) return sayInterrupted(kept.length + records.length, settings, ending, io);
        records.push(record);
        screen.tell(name, record, promises);
      }
      const result = summarizeClaim(claim, records, promises);
      results.push(result);
      kept.push(...records.map(promiseOf));
      curves.push(drawRecord(records[0] as RunRecord));
      screen.conclude(result);
      writeReport(settings, { ...place.occasion, data: dataset.source, claims: results }, curves);
    }
  } finally {
    screen.close();
    ending.stop();
    await meter.close();
  }
  if (settings.record) recordPromises(kept);
  writeLine(io.stderr, `Report: ${join(settings.out, 'report.md')}, report.html, report.json`);
  const isBroken = results.some(({ seeds }) => seeds.some(({ verdict }) => verdict === 'other'));
  return isBroken && !settings.record ? EXIT_FAILED : 0;
}

function planJob(claim: Claim, seed: number, settings: ReproduceSettings, whole: Dataset): RunJob {
  const dataset = holdOutValidation(whole, claim.validation);
  const until = settings.untilReached ? claim.accuracy : undefined;
  const { checksum } = dataset;
  const { validation } = claim;
  const identity = { version: LOCKSTEP_VERSION, ...resolveClaim(claim), seed, checksum, validation, until };
  return { identity, recipeName: claim.recipe, dataset, workers: settings.workers };
}

function writeReport(
  { out, workers }: ReproduceSettings,
  about: Omit<Report, 'bench' | 'workers'>,
  curves: readonly Curve[],
): void {
  const report: Report = { bench: 'reproduce', workers, ...about };
  const files = {
    'report.json': `${JSON.stringify(report, null, 2)}\n`,
    'report.md': formatMarkdown(report, curves),
    'report.html': formatHtml(report, curves),
    ...Object.fromEntries(curves.map(({ file, svg }) => [file, svg])),
  };
  for (const [name, text] of Object.entries(files)) writeFileAtomically(join(out, name), [Buffer.from(text)]);
}

/** What a person sees meanwhile: a bar on a terminal, a line for each run; JSON lines on stdout if asked for. */
class Screen {
  readonly #bar: StatusLine | undefined;

  constructor(
    private readonly settings: ReproduceSettings,
    private readonly io: Io,
  ) {
    this.#bar = canRedraw(io.stderr, io.env) ? new StatusLine(io) : undefined;
  }

  follow(name: string, event: RunEvent): void {
    if (event.event === 'warning') this.say(`${name}: ${event.code}: ${event.message}`);
    if (event.event !== 'progress') return;
    const label = `${name}, epoch ${event.epoch}: `;
    this.#bar?.update((columns) => label + formatProgress(event, columns - label.length));
  }

  tell(name: string, record: RunRecord, promises: readonly PromisedHash[]): void {
    const verdict = judgeHash(promises, promiseOf(record));
    const best = record.epochs.reduce((a, b) => (accuracyOf(b) > accuracyOf(a) ? b : a));
    this.#print(
      { event: 'run', ...record, verdict },
      `${name}: best ${formatPercent(accuracyOf(best))}% in epoch ${best.epoch}, ${formatPercent(record.end.testAccuracy)}% at the end, ` +
        `${fixed(record.cost.seconds, 0)} s, ${Math.round(record.imagesPerSecond)} images/s, hash ${record.end.parametersSha256.slice(0, 12)} ${VERDICTS[verdict]}`,
    );
  }

  conclude(result: ClaimResult): void {
    this.#print({ event: 'claim', ...result }, describeResult(result));
  }

  say(text: string): void {
    this.#bar?.clear();
    writeLine(this.io.stderr, text);
  }

  close(): void {
    this.#bar?.clear();
  }

  #print(event: object, text: string): void {
    this.#bar?.clear();
    if (this.settings.json) writeJson(this.io.stdout, event);
    else writeLine(this.io.stdout, text);
  }
}
