import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareCounts, describeCompiler, parseCount } from './counts.mjs';
import { exportStep } from './export-step.mjs';

/** By Node-API's numbers for array types. */
const ELEMENT_BYTES = { 1: 1, 5: 4, 7: 4, 8: 8 };

describe('parseCount', () => {
  it('reads the total of a callgrind file', () => {
    expect(parseCount('events: Ir\nfn=(1) f\n12 5\n\ntotals: 34655683\n')).toBe(34_655_683);
  });

  it('refuses a file in which nothing was collected', () => {
    expect(() => parseCount('events: Ir\ntotals: 0\n')).toThrow('callgrind collected nothing');
    expect(() => parseCount('')).toThrow('callgrind collected nothing');
  });
});

describe('describeCompiler', () => {
  it.each([
    ['c++ (Debian 12.2.0-14+deb12u1) 12.2.0', 'gcc 12'],
    ['g++ (Ubuntu 13.3.0-6ubuntu2~24.04) 13.3.0', 'gcc 13'],
    ['Debian clang version 14.0.6', 'clang 14'],
    ['something else', 'something else'],
  ])('names %s as %s', (version, name) => {
    expect(describeCompiler(version)).toBe(name);
  });
});

describe('compareCounts', () => {
  const recorded = { compiler: 'gcc 12', counts: { a: 1000, b: 2000 } };
  const compare = (counts, compiler = 'gcc 12') => compareCounts(recorded, { compiler, counts }, 0.03);

  it('accepts counts up to the tolerance', () => {
    expect(compare({ a: 1030, b: 1990 })).toEqual({
      lines: ['a: 1,030 instructions, +3.00% of 1,000', 'b: 1,990 instructions, -0.50% of 2,000'],
      isGood: true,
    });
  });

  it('fails on a count above the tolerance and names the command that records it', () => {
    const { lines, isGood } = compare({ a: 1031, b: 2000 });
    expect(isGood).toBe(false);
    expect(lines[0]).toBe(
      'a: 1,031 instructions, +3.10% of 1,000: FAILED, more than 3% above; if that is meant: npm run test:instructions -- --update',
    );
  });

  it('asks to record a count that is much better, without failing', () => {
    const { lines, isGood } = compare({ a: 500 });
    expect(isGood).toBe(true);
    expect(lines[0]).toContain('much better, record it');
  });

  it('fails on a model without a recorded count', () => {
    expect(compare({ c: 1 }).isGood).toBe(false);
  });

  it('compares nothing between compilers, and says so', () => {
    expect(compare({ a: 9999 }, 'clang 17')).toEqual({
      lines: ['NOT COMPARED: the repository has counts of gcc 12, the kernels here are built with clang 17'],
      isGood: true,
    });
    expect(compareCounts(undefined, { compiler: 'gcc 12', counts: {} }, 0.03).lines[0]).toContain(
      'no counts of this build',
    );
  });
});

it('writes all that a step is given, array after array', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'lockstep-export-step-'));
  const file = path.join(folder, 'step');
  try {
    exportStep('lenet5', 1, 'wasm', file);
    const bytes = readFileSync(file);
    const types = [];
    for (let at = 0; at < bytes.length; ) {
      const [type, length, given] = [0, 8, 16].map((offset) => Number(bytes.readBigUInt64LE(at + offset)));
      expect(given).toBeLessThanOrEqual(length);
      types.push(type);
      at += 24 + given * ELEMENT_BYTES[type];
    }
    // program, arena, images, labels, order, call, updates, partials, fold, pieces
    expect(types).toEqual([5, 7, 1, 1, 5, 5, 8, 5, 5, 5]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
