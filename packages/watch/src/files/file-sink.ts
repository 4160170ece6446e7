/**
 * A file that grows while a run goes: opened before the run, written off the main thread in the order given, and never
 * waited for. What a slow disk cannot take in time is left out rather than kept in memory.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { LockstepError } from '@lockstep/core/errors';
import { createFolderOf, describeReason } from '@lockstep/core/files';
import { dropLaterLines } from './earlier-lines.js';

/** Bytes, or UTF-16 units of text, that wait for the disk. */
const MAX_WAITING = 16 * 2 ** 20;
/** As many are written at once; fewer wait a moment for others, since each write takes time of the thread that leads the run. */
const PROMPT = 64 * 2 ** 10;
const GATHERING_MS = 250;

/** Where a run goes on, if it does. */
export interface Resumed {
  /** Steps committed. */
  readonly resumedStep: number | undefined;
  /** Takes a line for the person who started the run. */
  readonly tell: (line: string) => void;
}

const NOT_RESUMED: Resumed = { resumedStep: undefined, tell: () => {} };

export class FileSink {
  #waiting: (string | Uint8Array)[] = [];
  #waitingSize = 0;
  #leftOut = 0;
  #error: Error | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  private constructor(private readonly file: Promise<FileHandle>) {
    // told at the next piece, or when it is closed
    file.catch((error: Error) => {
      this.#error = error;
    });
  }

  /** Creates the file in a folder that is there; what goes wrong is thrown by `write` or `close`. */
  static create(path: string): FileSink {
    return new FileSink(open(path, 'w'));
  }

  /**
   * Creates the file and its folder.
   *
   * @param flag names the file in errors
   * @param resumed of a run that goes on: what is there up to that step stays, see `dropLaterLines`
   * @throws LockstepError LOCKSTEP_SAVE_PATH
   */
  static async open(path: string, flag: string, { resumedStep, tell }: Resumed = NOT_RESUMED): Promise<FileSink> {
    try {
      createFolderOf(path);
      if (resumedStep !== undefined) dropLaterLines(path, resumedStep, tell);
      const file = await open(path, resumedStep === undefined ? 'w' : 'a');
      return new FileSink(Promise.resolve(file));
    } catch (cause) {
      const reason = describeReason(cause as NodeJS.ErrnoException);
      throw new LockstepError('LOCKSTEP_SAVE_PATH', `cannot write ${flag} ${path}: ${reason}. Choose another path.`, {
        cause,
      });
    }
  }

  /** Pieces that were left out since the file was opened. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /**
   * Takes a piece that belongs together, such as a line. Throws what an earlier write failed with.
   *
   * @returns whether it was taken; false when too much waits for the disk
   */
  write(piece: string | Uint8Array): boolean {
    if (this.#error) throw this.#error;
    if (this.#waitingSize + piece.length > MAX_WAITING) {
      this.#leftOut += 1;
      return false;
    }
    this.#waiting.push(piece);
    this.#waitingSize += piece.length;
    if (this.#waitingSize >= PROMPT) this.#startDraining();
    else this.#timer ??= setTimeout(() => this.#startDraining(), GATHERING_MS);
    return true;
  }

  #startDraining(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    // what waited may have left with pieces before it
    if (this.#waiting.length > 0) this.#writing ??= this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      const file = await this.file;
      while (this.#waiting.length > 0) {
        const pieces = this.#waiting;
        this.#waiting = [];
        const bytes = Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));
        for (let at = 0; at < bytes.length; ) at += (await file.write(bytes, at)).bytesWritten;
        this.#waitingSize = this.#waiting.reduce((sum, { length }) => sum + length, 0);
      }
    } catch (error) {
      this.#error = error as Error;
      this.#waiting = [];
    }
    this.#waitingSize = 0;
    this.#writing = undefined;
  }

  /** Resolves when everything is in the file; throws what a write failed with. */
  async close(): Promise<void> {
    this.#startDraining();
    await this.#writing;
    await (await this.file).close();
    if (this.#error) throw this.#error;
  }
}
