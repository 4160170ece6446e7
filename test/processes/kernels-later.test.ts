/** A process that begins without compiled kernels, and is there when they come. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { findIsa } from '../../packages/kernels/dist/index.js';
import { readGoldenRuns } from '../../tools/golden-runs.mjs';
import { listOwnBuilds } from '../../tools/package/own-builds.mjs';
import { stagePackage } from '../../tools/package/stage.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SCRIPT = path.join(import.meta.dirname, 'kernels-later.mjs');

let folder: string;
let lib: string;
let later: string;

beforeAll(async () => {
  mkdirSync(path.join(ROOT, 'build'), { recursive: true });
  // in the repository, so that Node finds the dependencies
  folder = mkdtempSync(path.join(ROOT, 'build', 'later-'));
  stagePackage(ROOT, folder, await listOwnBuilds(ROOT));
  lib = path.join(folder, 'lib');
  later = path.join(folder, 'later');
  renameSync(path.join(lib, 'kernels', 'prebuilds'), later);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('begins on WebAssembly, goes over to the best of the kernels that come, and ends with the golden hash', async () => {
  const env = { ...process.env, LOCKSTEP_ISA: '' };
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, lib, later], { env });
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const find = (name: string) => events.filter(({ event }) => event === name);
  const [wasm, best] = [`native (${findIsa('wasm', '')})`, `native (${findIsa('auto', '')})`];
  expect(find('start')).toMatchObject([{ engine: wasm }]);
  expect(find('epoch').map(({ engine }) => engine)).toEqual([undefined, `${wasm}, then ${best}`]);
  expect(find('end')).toMatchObject([{ parametersSha256: readGoldenRuns()[0]?.sha256 }]);
});
