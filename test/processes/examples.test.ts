/** The programs in examples/, as a user runs them; offline, on the embedded sample. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const EXAMPLES = path.resolve(import.meta.dirname, '../../examples');
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-examples-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

async function runExample(name: string, ...argv: string[]): Promise<string> {
  // no MNIST from the network or this user's cache: the same data everywhere
  const env = { ...process.env, LOCKSTEP_OFFLINE: '1', LOCKSTEP_CACHE: folder, XDG_CACHE_HOME: folder };
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(EXAMPLES, name), ...argv], {
    cwd: folder,
    env,
  });
  return stdout;
}

describe('example', () => {
  it('train-and-predict: trains, saves, loads and reads digits', async () => {
    const lines = (await runExample('train-and-predict.mjs', 'w.safetensors')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^epoch 1: \d+ of 1500 digits right$/);
    expect(lines[2]).toBe('same weights: true');
    expect(lines.slice(3).filter((line) => /^a (\d) is read as \1 \(/.test(line)).length).toBeGreaterThanOrEqual(4);
  });

  it('own-data: typed arrays, a model written out, abort and resume', async () => {
    const lines = (await runExample('own-data.mjs')).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^stopped after \d+ steps: interrupted$/);
    expect(Number(lines[1]?.split(' ')[0])).toBeGreaterThan(290);
    expect(lines.slice(2)).toEqual(['same bits as a run that never stopped: true', 'a ring is read as a ring']);
  });

  it('transfer: frozen features beat the same budget from scratch', async () => {
    const out = await runExample('transfer.mjs', '1');
    const margin = Number(/margin: (-?[\d.]+) points/.exec(out)?.[1]);
    expect(margin, out).toBeGreaterThan(1);
  });
});
