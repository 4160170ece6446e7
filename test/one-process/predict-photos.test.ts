/** What `predict` says of pictures with and without a drawing, in this process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { assumeData, fitImage, type PlanarImage, toPlanar } from '@lockstep/core/data';
import { decodeImage, encodePngImage } from '@lockstep/core/data/pictures';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { inferLayers } from '../../packages/core/dist/model/index.js';
import { saveWeights } from '../../packages/core/dist/state/index.js';
import { findZooModel } from '../../packages/core/dist/zoo/index.js';
import { makeUntrained } from '../support/export-fixture.ts';

const { model } = findZooModel('tiny6k');
let folder = '';
const file = (name: string): string => path.join(folder, name);

/** A sheet in falling light, with a seven on it or with nothing. */
function drawSheetWith(isSeven: boolean): PlanarImage {
  const pixels = Uint8Array.from({ length: 120 * 100 }, (_, at) => {
    const [x, y] = [at % 100, Math.floor(at / 100)];
    const light = 235 - Math.floor((9 * x) / 10);
    const isInk = isSeven && x >= 35 && x < 65 && y >= 30 && y < 80 && (y < 36 || x >= 59);
    return isInk ? light >> 2 : light;
  });
  return { channels: 1, height: 120, width: 100, pixels };
}

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-photos-'));
  saveWeights(file('w.safetensors'), inferLayers(model), makeUntrained(model).state);
  writeFileSync(file('seven.png'), encodePngImage(drawSheetWith(true)));
  writeFileSync(file('blank.png'), encodePngImage(drawSheetWith(false)));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function predict(...argv: string[]): Promise<{ code: number; out: string; error: string }> {
  const io = new RecordingIo();
  io.coreCount = 1;
  const code = await main(['predict', '--model', 'tiny6k', '--weights', file('w.safetensors'), ...argv], io);
  return { code, out: io.stdout.text, error: io.stderr.text };
}

it('cases: data 29: a sheet with nothing on it has no class, and that is an answer: exit code 0', async () => {
  const { code, out } = await predict(file('blank.png'), file('seven.png'));
  expect(code).toBe(0);
  const [, blank, seven] = out.split('\n');
  expect(blank).toMatch(/blank\.png +- +no drawing found$/);
  expect(seven).toMatch(/seven\.png +\d +\d+\.\d\d% .*; drawing found in 120x100 pixels, scaled and centred in 28x28$/);
});

it('cases: data 29: as JSON its class is null', async () => {
  const { out } = await predict('--json', file('blank.png'));
  expect(JSON.parse(out)).toEqual({
    event: 'prediction',
    image: file('blank.png'),
    class: null,
    classIndex: null,
    probability: null,
    probabilities: null,
    changes: ['no drawing found'],
  });
});

it('cases: data 29: --picture shows what the network saw, enlarged, in the order of the lines', async () => {
  expect((await predict('--picture', file('seen.png'), file('blank.png'), file('seven.png'))).code).toBe(0);
  const sheet = toPlanar(decodeImage(readFileSync(file('seen.png')), 'seen.png'));
  const seen = fitImage({ ...drawSheetWith(true) }, model.input, assumeData(model)).image?.pixels;
  const pitch = 8 * 28 + 6;
  expect(sheet).toMatchObject({ channels: 1, height: 6 + pitch, width: 6 + 2 * pitch });
  const levelAt = (place: number, x: number, y: number): number | undefined =>
    sheet.pixels[(6 + 8 * y + 3) * sheet.width + 6 + place * pitch + 8 * x + 3];
  for (let i = 0; i < 784; i++) {
    const [x, y] = [i % 28, Math.floor(i / 28)];
    expect([levelAt(0, x, y), levelAt(1, x, y)]).toEqual([255, seen?.[i]]);
  }
});

it('writes no picture where no drawing was found, and says so', async () => {
  const { code, error } = await predict('--picture', file('none.png'), file('blank.png'));
  expect({ code, error: error.split('\n').at(-2) }).toEqual({
    code: 0,
    error: `note: ${file('none.png')} is not written: no drawing was found`,
  });
});
