/**
 * A folder that one run has for itself. The lock is the file `run.lock` in it, which says whose it is; the holder touches
 * it while it lives. A lock whose process is gone is taken over: at once where that can be seen, else (another machine,
 * another container) when nobody has touched it for a minute.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, linkSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LockstepError } from '@lockstep/core/errors';
import { readJson, readText } from '@lockstep/core/files';
import type { OnWarning } from '@lockstep/core/seams';
import { z } from 'zod';
import { identifyProcess, judgeProcess, processIdentitySchema } from './process-identity.js';

export const LOCK_FILE = 'run.lock';
const BEAT_MS = 10_000;
const SILENT_MS = 60_000;

const holderSchema = z.object({
  /** Made up for each lock. */
  id: z.string(),
  /** For people: `tiny6k, seed 1`. */
  run: z.string(),
  since: z.string(),
  process: processIdentitySchema,
});

type Holder = z.output<typeof holderSchema>;

export interface LockOptions {
  /** What the run is, for people who find the lock. */
  readonly run: string;
  /** Told that a lock of another machine is waited for, and that it was taken over. */
  readonly onWarning: OnWarning;
  /** How long a holder elsewhere must not have touched its lock to count as gone; default: a minute. */
  readonly silentMs?: number | undefined;
}

export class FolderLock {
  readonly #beat: NodeJS.Timeout;
  /** Of the lock itself, whatever its name leads to by now. Written anew, it gets its time from the file system's clock. */
  #file: number | undefined;

  private constructor(
    private readonly folder: string,
    private readonly id: string,
    text: string,
  ) {
    this.#file = openSync(join(folder, LOCK_FILE), 'r+');
    this.#beat = setInterval(() => this.#touch(text), BEAT_MS);
    this.#beat.unref();
  }

  #touch(text: string): void {
    try {
      if (this.#file !== undefined) writeSync(this.#file, text, 0);
    } catch {
      // `isHeld` tells before the next checkpoint whether the folder is still ours.
    }
  }

  /**
   * Takes a folder, which must be there. Waits up to a minute for a sign of life of a holder on another machine.
   *
   * @throws LockstepError LOCKSTEP_CHECKPOINT_LOCKED when another run has it; what node:fs throws
   */
  static async take(folder: string, { run, onWarning, silentMs = SILENT_MS }: LockOptions): Promise<FolderLock> {
    const path = join(folder, LOCK_FILE);
    const id = randomBytes(8).toString('hex');
    const own: Holder = { id, run, since: new Date().toISOString(), process: identifyProcess() };
    const text = `${JSON.stringify(own)}\n`;
    while (!tryCreate(path, text, id)) {
      const found = readLock(path);
      if (found === undefined) continue;
      const state = found.holder === undefined ? 'unknown' : judgeProcess(found.holder.process);
      if (state === 'alive') throw lockedError(folder, found.holder);
      if (state === 'unknown') await watch(folder, found, silentMs, onWarning);
      takeAway(path, found.text, id);
    }
    return new FolderLock(folder, id, text);
  }

  /** Whether the folder is still this run's: a process that stood still for long may have lost it. */
  isHeld(): boolean {
    return readLock(join(this.folder, LOCK_FILE))?.holder?.id === this.id;
  }

  /** Gives the folder back; may be called more than once. */
  release(): void {
    clearInterval(this.#beat);
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    if (this.isHeld()) rmSync(join(this.folder, LOCK_FILE), { force: true });
  }
}

interface Found {
  readonly text: string;
  /** Undefined where the file is none of ours, or only half written. */
  readonly holder: Holder | undefined;
  readonly touchedMs: number;
}

function readLock(path: string): Found | undefined {
  try {
    const touchedMs = statSync(path).mtimeMs;
    const text = readText(path);
    return { text, holder: parseHolder(text), touchedMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const parseHolder = (text: string): Holder | undefined => holderSchema.safeParse(readJson(text)).data;

/** A link appears with its content in it; where a file system has no links, a file is made and then written. */
function tryCreate(path: string, text: string, id: string): boolean {
  const draft = `${path}.${id}`;
  writeFileSync(draft, text, { flag: 'wx' });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    return tryWrite(path, text);
  } finally {
    rmSync(draft, { force: true });
  }
}

function tryWrite(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Returns when a holder that cannot be seen from here has not touched its lock for long enough; throws when it has. */
async function watch(folder: string, found: Found, silentMs: number, onWarning: OnWarning): Promise<void> {
  const path = join(folder, LOCK_FILE);
  const waitMs = silentMs - Math.max(0, fileClock(path) - found.touchedMs);
  const who = describe(found.holder);
  const warn = (text: string): void => onWarning({ code: 'LOCKSTEP_CHECKPOINT_TAKEN', message: `${folder}: ${text}` });
  if (waitMs > 0) {
    const seconds = Math.ceil(waitMs / 1000);
    warn(`${who} has this folder and cannot be seen from here; waiting ${seconds} s for a sign of life.`);
    await delay(waitMs);
    const now = readLock(path);
    if (now?.text !== found.text || now.touchedMs !== found.touchedMs) throw lockedError(folder, found.holder);
  }
  warn(`${who} had this folder and gives no sign of life; this run takes it over.`);
}

/** The present time by the clock of the file system, which may be that of another machine. */
function fileClock(path: string): number {
  const probe = `${path}.${randomBytes(8).toString('hex')}`;
  writeFileSync(probe, '', { flag: 'wx' });
  try {
    return statSync(probe).mtimeMs;
  } finally {
    rmSync(probe, { force: true });
  }
}

/** Two may see the same dead lock: what was moved is looked at, and put back if it is the other's new one. */
function takeAway(path: string, text: string, id: string): void {
  const moved = `${path}.${id}`;
  try {
    renameSync(path, moved);
    if (readText(moved) !== text) linkSync(moved, path);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    rmSync(moved, { force: true });
  }
}

const describe = (holder: Holder | undefined): string =>
  holder === undefined
    ? 'another run'
    : `the run of ${holder.run} (process ${holder.process.pid} on ${holder.process.host}, since ${holder.since})`;

const lockedError = (folder: string, holder: Holder | undefined): LockstepError =>
  new LockstepError(
    'LOCKSTEP_CHECKPOINT_LOCKED',
    `${folder} belongs to ${describe(holder)}. Wait for its end, or choose another --checkpoint folder.`,
  );
