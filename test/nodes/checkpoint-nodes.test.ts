/** A checkpoint does not know how many nodes wrote it: two write, one goes on, and the other way round. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readEvents, startProgram, writeBars } from '../support/digit-bars.js';

let folder = '';
let model = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-nodes-'));
  model = writeBars(folder, 640, 90);
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

const EXTRAS = ['--ema', '0.9', '--clip-norm', '0.5', '--epochs', '3'];

/** Trains with a second node beside the coordinator's own; resolves with the last event. */
async function trainOnTwo(...argv: string[]) {
  const listen = ['--listen', '127.0.0.1:0', '--wait-for', '1', '--workers', '1'];
  let node: Promise<{ readonly code: number | null; readonly error: string }> | undefined;
  const { finished } = startProgram(folder, [...argv, ...listen], (event) => {
    if (event.event !== 'listening') return;
    const connect = ['worker', '--connect', event['url'] as string, '--threads', '1', '--data', folder];
    node = startProgram(folder, connect).finished;
  });
  const result = await finished;
  expect(result.code, result.error).toBe(0);
  expect((await node)?.code, (await node)?.error).toBe(0);
  return readEvents(result).at(-1) as Record<string, unknown>;
}

async function trainOnOne(...argv: string[]) {
  const result = await startProgram(folder, [...argv, '--workers', '3']).finished;
  expect(result.code, result.error).toBe(0);
  return readEvents(result).at(-1) as Record<string, unknown>;
}

it('gives the bits of a run on one machine, both ways', async () => {
  const common = ['--data', folder, '--json', '--no-save'];
  const { parametersSha256, emaSha256 } = await trainOnOne('train', model, ...common, ...EXTRAS);
  const write = (name: string) => ['--checkpoint', name, '--every', '7 steps', '--steps', '14'];
  await trainOnTwo('train', model, ...common, ...EXTRAS, ...write('by-two'));
  expect(await trainOnOne('train', '--resume', 'by-two', ...common)).toMatchObject({ parametersSha256, emaSha256 });
  await trainOnOne('train', model, ...common, ...EXTRAS, ...write('by-one'));
  expect(await trainOnTwo('train', '--resume', 'by-one', ...common)).toMatchObject({ parametersSha256, emaSha256 });
});
