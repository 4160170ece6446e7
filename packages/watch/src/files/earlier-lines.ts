/**
 * What a run that goes on from a checkpoint finds in its files of lines: also steps after the checkpoint, of a process
 * that was killed. It does them again, so their lines go; so does a last line that was cut short.
 */

import { isRecord, MAX_TEXT_BYTES, readJson, readWholeFile, writeFileAtomically } from '@lockstep/core/files';
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
  writeFileAtomically(path, [Buffer.concat(kept.flatMap((line) => [line, NEWLINE]))]);
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

const NEWLINE = Buffer.from('\n');

/** Without their ends. A long run's may be more than a text can hold, so they are bytes. */
function readLines(path: string): Buffer[] {
  const lines: Buffer[] = [];
  const bytes = readIfThere(path);
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, at);
    const line = bytes.subarray(at, end < 0 ? bytes.length : end);
    lines.push(line);
    at += line.length + 1;
  }
  return lines;
}

function readIfThere(path: string): Buffer {
  try {
    return readWholeFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function parseEvent(line: Buffer): Readonly<Record<string, unknown>> | undefined {
  // a longer one is none of ours, and no text could hold it
  const value = line.length > MAX_TEXT_BYTES ? undefined : readJson(line.toString());
  return isRecord(value) ? value : undefined;
}

/** The steps that were committed when an event happened; 0 where it says nothing of them. */
export function committedSteps(
  { event, epoch, step, steps }: { readonly [field: string]: unknown },
  stepsPerEpoch: number,
): number {
  const ofEpoch = event === 'progress' ? (toNumber(epoch) - 1) * stepsPerEpoch : 0;
  if (event === 'epoch') return toNumber(epoch) * stepsPerEpoch;
  return ofEpoch + toNumber(event === 'end' ? steps : step);
}

const toNumber = (value: unknown): number => (typeof value === 'number' ? value : 0);
