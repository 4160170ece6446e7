import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inferLayers } from '@lockstep/core/model';
import { initialBuffers, initialParameters } from '@lockstep/core/run';
import { findZooModel } from '@lockstep/core/zoo';
import { RunFolder } from '@lockstep/watch/files';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readStepsOfWeights } from '../settings/weights-file.js';
import { type FinalWeights, type Places, saveFinalWeights } from './final-weights.js';

const { model } = findZooModel('tiny6k');
const layers = inferLayers(model);
const state = { parameters: initialParameters(layers, 1), buffers: initialBuffers(layers) };
const notes = { mean: [0], std: [1], classNames: [], border: 0 };
const weights: FinalWeights = { model, notes, last: { state, steps: 7 }, isCutShort: false };
const hasFull = existsSync('/dev/full');

let place = '';
let lines: string[] = [];
const { TMPDIR } = process.env;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'lockstep-final-'));
  lines = [];
});

afterEach(() => {
  if (TMPDIR === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = TMPDIR;
  rmSync(place, { recursive: true });
});

/** Saves; the first wait for a full disk is broken off. */
function save(places: Places, more: Partial<FinalWeights> = {}, cache = join(place, 'cache')) {
  const impatience = new AbortController();
  const tell = (line: string): void => {
    lines.push(line);
    if (line.startsWith('No room')) impatience.abort();
  };
  return saveFinalWeights({ ...weights, ...more }, places, {
    tell,
    signal: impatience.signal,
    env: { LOCKSTEP_CACHE: cache },
  });
}

const onlyPlace = (): string => {
  const [folder] = readdirSync(join(place, 'cache'));
  return join(place, 'cache', folder as string, 'w.safetensors');
};

describe('saveFinalWeights', () => {
  it('puts last and, without an epoch to judge, best weights into the folder of the run', async () => {
    const folder = new RunFolder(join(place, 'run'));
    expect(await save({ folder })).toEqual({ place: join(place, 'run') });
    const [best, last] = ['best', 'last'].map((name) => readFileSync(join(place, 'run', `${name}.safetensors`)));
    expect(best?.equals(last as Buffer)).toBe(true);
    expect(lines).toEqual([]);
  });

  it('cases: work 5: leaves a file that is there when the run was cut short, and says where its weights are', async () => {
    const path = join(place, 'w.safetensors');
    writeFileSync(path, 'whole');
    const beside = join(place, 'w-step-7.safetensors');
    expect(await save({ save: path }, { isCutShort: true })).toEqual({ place: beside });
    expect(readFileSync(path, 'utf8')).toBe('whole');
    expect(readStepsOfWeights(beside)).toBe(7);
    expect(lines).toEqual([`${path} stays as it was, since this run was cut short; its weights are in ${beside}`]);
  });

  it('replaces it at the end of a whole run, and writes where nothing is in any case', async () => {
    const path = join(place, 'w.safetensors');
    expect(await save({ save: path }, { isCutShort: true })).toEqual({ place: path });
    writeFileSync(path, 'before');
    expect(await save({ save: path })).toEqual({ place: path });
    expect(readStepsOfWeights(path)).toBe(7);
  });

  it('cases: work 7: takes another place when the one asked for is gone, and says which', async () => {
    writeFileSync(join(place, 'file'), '');
    const { place: found, failure } = await save({ save: join(place, 'file', 'w.safetensors') });
    expect(failure).toBeUndefined();
    expect(found).toBe(onlyPlace());
    expect(readStepsOfWeights(onlyPlace())).toBe(7);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^warning: LOCKSTEP_WEIGHTS_WRITE: cannot write weights to .* They are in .* now; move/);
  });

  it("cases: work 7: takes another place when the run's folder cannot be made", async () => {
    writeFileSync(join(place, 'file'), '');
    const { place: found, failure } = await save({ folder: new RunFolder(join(place, 'file', 'run')) });
    expect(failure).toBeUndefined();
    expect(found).toContain(join(place, 'cache'));
    expect(lines.every((line) => line.includes('They are in'))).toBe(true);
  });

  it.skipIf(!hasFull)('cases: work 7: waits for a full disk, and says so, before it takes another place', async () => {
    const { place: found } = await save({ save: '/dev/full' });
    expect(lines[0]).toBe('No room for /dev/full: trying again for 7 s; make some, or wait.');
    expect(found).toContain(join(place, 'cache'));
  });

  it('cases: work 7: fails when no place takes the weights', async () => {
    writeFileSync(join(place, 'file'), '');
    process.env['TMPDIR'] = join(place, 'file');
    const path = join(place, 'file', 'w.safetensors');
    const { failure } = await save({ save: path }, {}, join(place, 'file', 'cache'));
    expect(failure).toMatchObject({ code: 'LOCKSTEP_WEIGHTS_WRITE', text: expect.stringContaining(path) });
  });
});
