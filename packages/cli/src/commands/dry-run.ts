/** What `train --dry-run` says before its one step. */
import { type Dataset, reportData } from '@lockstep/core/data';
import { countOf } from '@lockstep/core/text';
import { RunFolder } from '@lockstep/watch/files';
import type { RunSettings } from '../settings/run-settings.js';
import { noteNothingLeft } from '../settings/steps-left.js';
import { formatDataReport } from '../terminal/data-lines.js';
import { type Io, writeLine } from '../terminal/io.js';

/** Says what is special about a dry run; the lines or the event of its start say the rest. Under --json this is for stderr. */
export function announceDryRun({ json, recipe, save, watch, runFolder, resume }: RunSettings, io: Io): void {
  const place = save ?? watch.out ?? (runFolder && new RunFolder(runFolder).next);
  const target = place === undefined ? 'nothing would be saved' : `saved to ${place}`;
  writeLine(
    json ? io.stderr : io.stdout,
    `Dry run: ${noteNothingLeft(recipe, resume).length > 0 ? 'no step, since none is left' : 'one step'}, nothing is saved. The run: ${countOf(recipe.epochs, 'epoch')}, ${target}.`,
  );
}

/** Under --json its event says it. */
export function showData(dataset: Dataset, { json }: RunSettings, io: Io): void {
  if (json) return;
  for (const line of [...formatDataReport(reportData(dataset)), '']) writeLine(io.stdout, line);
}
