import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { hashWhole, readInPieces, readWholeFile, writeWhole } from './whole-file.js';

const folder = mkdtempSync(join(tmpdir(), 'lockstep-whole-'));
const path = join(folder, 'bytes');
afterAll(() => rmSync(folder, { recursive: true }));

const bytes = fc.uint8Array({ maxLength: 40 });
const pieceBytes = fc.integer({ min: 1, max: 50 });

describe('files and values in pieces', () => {
  it('are read to the same bytes', () => {
    fc.assert(
      fc.property(bytes, pieceBytes, (value, piece) => {
        writeFileSync(path, value);
        expect(readInPieces(path, piece)).toEqual(Buffer.from(value));
        expect(readWholeFile(path)).toEqual(Buffer.from(value));
      }),
    );
  });

  it('are written to the same bytes', () => {
    fc.assert(
      fc.property(bytes, pieceBytes, (value, piece) => {
        const file = openSync(path, 'w');
        writeWhole(file, value, piece);
        closeSync(file);
        expect(readFileSync(path)).toEqual(Buffer.from(value));
      }),
    );
  });

  it('are hashed to the same hash', () => {
    fc.assert(
      fc.property(bytes, pieceBytes, (value, piece) => {
        const whole = createHash('sha256').update(value).digest('hex');
        expect(hashWhole(createHash('sha256'), value, piece).digest('hex')).toBe(whole);
      }),
    );
  });

  it('cases: work 31: a file larger than the memory is refused with its size', () => {
    const huge = join(folder, 'huge');
    writeFileSync(huge, '');
    // takes no room on the disk
    truncateSync(huge, 10_000_000_000_000);
    expect(() => readWholeFile(huge)).toThrow(/huge has 10000\.0 GB, more than Node can hold in one piece here/);
  });
});
