/**
 * Gets files from mirrors that are tried in turn. A mirror that fails once (no answer, an HTTP error, a stall, wrong
 * bytes) is out for the rest of the download; the file is asked for again from the next one.
 */

import { createHash } from 'node:crypto';
import { LockstepError } from '../../errors/errors.js';
import type { WarningEvent } from '../../events/events.js';
import { countOf } from '../../text/count-text.js';
import { gunzipIfPacked } from '../readers/gzip.js';

/** A file that every mirror has under the same name, plain or gzip. */
export interface RemoteFile {
  /** Appended to a mirror's address. */
  readonly name: string;
  /** Size and SHA-256 hex of its unpacked content. */
  readonly bytes: number;
  readonly sha256: string;
}

export interface DownloadedFile {
  readonly file: RemoteFile;
  /** As the mirror sent it. */
  readonly packed: Uint8Array;
  /** Unpacked and checked. */
  readonly content: Uint8Array;
  readonly mirror: string;
}

export interface DownloadProgress {
  /** Name of the file. */
  readonly file: string;
  readonly receivedBytes: number;
  /** Undefined when the mirror does not say. */
  readonly totalBytes: number | undefined;
}

export type Warn = (warning: Pick<WarningEvent, 'code' | 'message'>) => void;

export interface DownloadLimits {
  /** As long as no mirror has ever answered, all of them together are waited for this long, in equal shares. */
  readonly noNetworkMs: number;
  /** Once one has, the longest silence: before an answer, and between two pieces of it. */
  readonly silenceMs: number;
}

export interface DownloadOptions {
  /** Addresses, each ending with a slash. */
  readonly mirrors: readonly string[];
  readonly limits?: DownloadLimits | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly onWarning: Warn;
  readonly signal?: AbortSignal | undefined;
}

/** Leaves a second of the five that a run without a network may take before it starts on the embedded sample. */
export const DOWNLOAD_LIMITS: DownloadLimits = { noNetworkMs: 4000, silenceMs: 10_000 };

/** What gzip may add to content that does not shrink, amply. */
const PACKING_BYTES = 65_536;

/**
 * Yields each file as soon as it is there and checked. Ends early, after a warning per mirror, when none is left.
 * Throws only the signal's reason.
 */
export async function* downloadFiles(
  files: readonly RemoteFile[],
  options: DownloadOptions,
): AsyncGenerator<DownloadedFile> {
  const { limits = DOWNLOAD_LIMITS, onWarning, signal } = options;
  const mirrors = [...options.mirrors];
  let answerMs = limits.noNetworkMs / Math.max(1, mirrors.length);
  for (const file of files) {
    let downloaded: DownloadedFile | undefined;
    while (downloaded === undefined) {
      const mirror = mirrors[0];
      if (mirror === undefined) return;
      const onAnswer = () => {
        answerMs = limits.silenceMs;
      };
      try {
        downloaded = await downloadFile(file, mirror, { ...options, answerMs, silenceMs: limits.silenceMs, onAnswer });
      } catch (error) {
        signal?.throwIfAborted();
        mirrors.shift();
        onWarning(describeLostMirror(`${mirror}${file.name}`, error, mirrors[0]));
      }
    }
    yield downloaded;
  }
}

function describeLostMirror(url: string, error: unknown, next: string | undefined): Parameters<Warn>[0] {
  const outlook = next === undefined ? 'No mirror is left.' : `Trying ${next} instead.`;
  return { code: 'LOCKSTEP_DATA_MIRROR', message: `${url}: ${describeCause(error)}. ${outlook}` };
}

/** fetch hides what happened behind `fetch failed`: the cause has it. */
function describeCause(error: unknown): string {
  if (error instanceof LockstepError) return error.text.replace(/\.$/, '');
  const { cause, message } = error as Error;
  const { code, message: inner } = (cause ?? {}) as NodeJS.ErrnoException;
  const detail = [code, inner].filter(Boolean).join(', ');
  return detail === '' ? message : `${message} (${detail})`;
}

interface FileOptions extends DownloadOptions {
  readonly answerMs: number;
  readonly silenceMs: number;
  readonly onAnswer: () => void;
}

async function downloadFile(file: RemoteFile, mirror: string, options: FileOptions): Promise<DownloadedFile> {
  const packed = await fetchBytes(`${mirror}${file.name}`, file, options);
  const content = await gunzipIfPacked(packed, file.name, file.bytes);
  if (!hasContent(file, content)) {
    throw new Error(
      `wrong content (${countOf(content.length, 'byte')}, expected ${file.bytes} with SHA-256 ${file.sha256})`,
    );
  }
  return { file, packed, content, mirror };
}

/** Whether these unpacked bytes are the file. */
export function hasContent({ bytes, sha256 }: RemoteFile, content: Uint8Array): boolean {
  return content.length === bytes && createHash('sha256').update(content).digest('hex') === sha256;
}

async function fetchBytes(url: string, file: RemoteFile, options: FileOptions): Promise<Uint8Array> {
  const { answerMs, silenceMs, onAnswer, onProgress, signal } = options;
  const watch = new SilenceWatch(signal);
  try {
    watch.restart(answerMs);
    // The files are packed already; a second, transparent packing would make content-length the wrong total.
    const response = await fetch(url, { signal: watch.signal, headers: { 'accept-encoding': 'identity' } });
    onAnswer();
    watch.restart(silenceMs);
    if (!response.ok) throw new Error(`HTTP status ${response.status}`);
    const totalBytes = Number(response.headers.get('content-length')) || undefined;
    const chunks: Uint8Array[] = [];
    let receivedBytes = 0;
    for await (const chunk of response.body ?? []) {
      watch.restart(silenceMs);
      chunks.push(chunk);
      receivedBytes += chunk.length;
      if (receivedBytes > file.bytes + PACKING_BYTES)
        throw new Error(`more than the ${countOf(file.bytes, 'byte')} of the file`);
      onProgress?.({ file: file.name, receivedBytes, totalBytes });
    }
    return Buffer.concat(chunks);
  } finally {
    watch.stop();
  }
}

/** Aborts its signal when nothing was heard for too long, or when the outer signal is aborted. */
class SilenceWatch {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal | undefined) {
    this.#outer = outer;
    if (outer?.aborted) this.#passOn();
    outer?.addEventListener('abort', this.#passOn);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  restart(silenceMs: number): void {
    clearTimeout(this.#timer);
    const expire = () => this.#controller.abort(new Error(`silent for ${Math.round(silenceMs)} ms`));
    this.#timer = setTimeout(expire, silenceMs);
  }

  /** Also ends a request that is still under way: an error page's body is not worth waiting for. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener('abort', this.#passOn);
    this.#controller.abort();
  }

  readonly #passOn = () => this.#controller.abort(this.#outer?.reason);
}
