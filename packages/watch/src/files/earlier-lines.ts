/**
 * What a run that goes on from a checkpoint finds in its files of lines: also steps after the checkpoint, of a process
 * that was killed. It does them again, so their lines go; so does a last line that was cut short.
 */

import { readFileSync } from 'node:fs';
import { isRecord, writeFileAtomically } from '@lockstep/core/files';
import { countOf } from '@lockstep/core/text';

/**
 * Takes the lines of steps after `step` out of a file of events, one JSON object a line; all others stay. A file that is
 * not there is left so. Throws what node:fs throws.
 *
 * @param step steps committed where the run goes on
 * @param tell takes a line about what was taken out
 */
export function dropLaterLines(path: string, step: number, tell: (line: string) => void): void {
  const lines = readLines(path);
  let stepsPerEpoch = 1;
  const kept = lines.filter((line, index) => {
    const event = parseEvent(line);
    // what is no event of ours is none of our business, but for the end of a file that nobody closed
    if (event === undefined) return index < lines.length - 1;
    if (typeof event['stepsPerEpoch'] === 'number') stepsPerEpoch = event['stepsPerEpoch'];
    return committedSteps(event, stepsPerEpoch) <= step;
  });
  if (kept.length === lines.length) return;
  writeFileAtomically(path, [Buffer.from(kept.map((line) => `${line}\n`).join(''))]);
  const count = lines.length - kept.length;
  tell(`${path}: ${countOf(count, 'line')} after step ${step} taken out; these steps are done again`);
}

/** How far the runs in a file of events have come, in steps; 0 where they have not. */
export interface Progress {
  /** At the furthest end. */
  readonly ended: number;
  /** At the furthest of which something is kept: an end, an epoch, a checkpoint. */
  readonly kept: number;
}

const KEPT: readonly unknown[] = ['end', 'epoch', 'checkpoint'];

/** Throws what node:fs throws. */
export function readProgress(path: string): Progress {
  let [ended, kept] = [0, 0];
  let stepsPerEpoch = 1;
  for (const line of readLines(path)) {
    const event = parseEvent(line);
    if (event === undefined) continue;
    if (typeof event['stepsPerEpoch'] === 'number') stepsPerEpoch = event['stepsPerEpoch'];
    const steps = committedSteps(event, stepsPerEpoch);
    if (KEPT.includes(event['event'])) kept = Math.max(kept, steps);
    if (event['event'] === 'end') ended = Math.max(ended, steps);
  }
  return { ended, kept };
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').replace(/\n$/, '').split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function parseEvent(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The steps that were committed when an event happened; 0 where it says nothing of them. */
export function committedSteps(
  { event, epoch, step, steps }: { readonly [field: string]: unknown },
  stepsPerEpoch: number,
): number {
  if (event === 'progress') return (Number(epoch) - 1) * stepsPerEpoch + Number(step);
  if (event === 'epoch') return Number(epoch) * stepsPerEpoch;
  if (event === 'end') return Number(steps);
  return typeof step === 'number' ? step : 0;
}
