/** The rows of a table with commas, semicolons or tabs, plain or gzip, one after the other. */
import { createReadStream } from 'node:fs';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import Papa from 'papaparse';
import { LockstepError } from '../../errors/errors.js';

/**
 * @param onRow false ends the reading
 * @param onBytes called with the bytes read so far
 * @throws LockstepError LOCKSTEP_DATA_GZIP, or what `onRow` throws
 */
export async function eachRow(
  path: string,
  onRow: (row: readonly string[]) => boolean,
  onBytes: (done: number) => void = () => {},
): Promise<void> {
  let done = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _, next) {
      done += chunk.length;
      onBytes(done);
      next(null, chunk);
    },
  });
  const file = createReadStream(path, { highWaterMark: 1 << 20 });
  const counted = file.on('error', (error) => counter.destroy(error)).pipe(counter);
  const unpacked = path.endsWith('.gz') ? gunzip(counted, path) : counted;
  const text = wholeLines(path);
  unpacked.on('error', (error) => text.destroy(error)).pipe(text);
  // or a letter of two bytes that lies across two chunks is broken
  text.setEncoding('utf8');
  try {
    await parseRows(text, onRow);
  } finally {
    file.destroy();
  }
}

function gunzip(packed: Readable, path: string): Readable {
  const unpacked = createGunzip();
  const wrapped = new Transform({ transform: (chunk, _, next) => next(null, chunk) });
  unpacked.on('error', (error) =>
    wrapped.destroy(
      new LockstepError(
        'LOCKSTEP_DATA_GZIP',
        `${path} cannot be unpacked: ${error.message}. The file is damaged: download it again.`,
      ),
    ),
  );
  return packed.pipe(unpacked).pipe(wrapped);
}

/** A row of the largest image, in the longest notation, is shorter. */
const MAX_LINE_BYTES = 1 << 26;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
/** The mark of UTF-8 that Excel writes first; papaparse 5.7 takes it off strings, not off streams, where it hides a quote. */
const MARK = Buffer.from('\ufeff');

/** Hands on whole lines without the mark of UTF-8, so that none is read again and again while it comes; ends the reading of what has no lines. */
function wholeLines(path: string): Transform {
  let held: Buffer[] = [];
  let bytes = 0;
  let isStart = true;
  const withoutMark = (lines: Buffer): Buffer => {
    const hasMark = isStart && MARK.equals(lines.subarray(0, MARK.length));
    isStart = false;
    return hasMark ? lines.subarray(MARK.length) : lines;
  };
  return new Transform({
    transform(chunk: Buffer, _, next) {
      const end = Math.max(chunk.lastIndexOf(NEWLINE), chunk.lastIndexOf(RETURN)) + 1;
      if (end > 0) {
        this.push(withoutMark(Buffer.concat([...held, chunk.subarray(0, end)])));
        held = [];
        bytes = 0;
      }
      held.push(chunk.subarray(end));
      bytes += chunk.length - end;
      if (bytes <= MAX_LINE_BYTES) return next();
      const text = `${path} has a line of more than ${MAX_LINE_BYTES >> 20} MiB, so it is no table.`;
      next(new LockstepError('LOCKSTEP_DATA_CSV', `${text} Give a file with a line for each image.`));
    },
    flush(next) {
      next(null, withoutMark(Buffer.concat(held)));
    },
  });
}

function parseRows(input: Readable, onRow: (row: readonly string[]) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    input.on('error', reject);
    Papa.parse<string[]>(input, {
      chunk: ({ data }, parser) => {
        try {
          if (data.every(onRow)) return;
        } catch (error) {
          // First, since an aborted parse is a complete one.
          reject(error);
        }
        parser.abort();
      },
      complete: () => resolve(),
      error: reject,
    });
  });
}

export const isBlank = (cells: readonly string[]): boolean => cells.length === 1 && cells[0]?.trim() === '';
