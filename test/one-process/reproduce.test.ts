import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectClaims } from '../../packages/cli/dist/lab/reproduce/claims.js';
import { readPromises } from '../../packages/cli/dist/lab/reproduce/promised-hashes.js';
import { checkQuickly } from '../../packages/cli/dist/lab/reproduce/quick-check.js';
import { reproduceRun } from '../../packages/cli/dist/lab/reproduce/reproduce-run.js';
import { main } from '../../packages/cli/dist/main.js';
import { RecordingIo } from '../../packages/cli/dist/testing/recording-io.js';
import { loadEmbedded } from '../../packages/core/dist/data/mnist/index.js';
import type { RunEvent } from '../../packages/core/dist/events/index.js';
import { cutSample } from '../../tools/golden-runs.mjs';
import { SMALL_IMAGES, smallModel, smallRecipe, writeSample } from '../support/small-run.js';

let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lockstep-reproduce-'));
  await writeSample(folder, SMALL_IMAGES, 50);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const occasion = {
  machine: { processor: 'CPU', cores: 1, memoryBytes: 1, system: 'linux', node: 'v20', isa: 'avx2' },
  date: '2026-01-01T00:00:00.000Z',
};

/** A run of three epochs; `onEvent` may abort it. */
async function runThree(root: string, workers: number, onEvent: (event: RunEvent, abort: () => void) => void) {
  const dataset = await cutSample(SMALL_IMAGES, 50);
  const controller = new AbortController();
  const recipe = { ...smallRecipe, epochs: 3 };
  const identity = { version: '1', model: smallModel, recipe, seed: 4, checksum: dataset.checksum, validation: 0 };
  return reproduceRun(
    { identity, recipeName: 'ours', dataset, workers },
    {
      root,
      occasion,
      peak: async () => 100,
      energy: undefined,
      signal: controller.signal,
      tell: () => {},
      onEvent: (event) => onEvent(event, () => controller.abort()),
    },
  );
}

describe('a run of reproduce', () => {
  it('goes on from its checkpoint after an interrupt, to the same bits, and is not run again once it is there', async () => {
    const whole = await runThree(path.join(folder, 'whole'), 1, () => {});
    const root = path.join(folder, 'parts');
    const stopped = await runThree(root, 2, (event, abort) => event.event === 'epoch' && abort());
    expect(stopped).toBeUndefined();
    const events: RunEvent[] = [];
    const resumed = await runThree(root, 1, (event) => events.push(event));
    expect(events[0]).toMatchObject({ event: 'start', resumedStep: 4 });
    expect(resumed?.end.parametersSha256).toBe(whole?.end.parametersSha256);
    expect(resumed?.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3]);
    const again = await runThree(root, 2, () => expect.unreachable('the run is there'));
    expect(again).toEqual(JSON.parse(JSON.stringify(resumed)));
  });

  it('leaves record and weights in a folder of its own, and no checkpoints', async () => {
    const root = path.join(folder, 'files');
    await runThree(root, 1, () => {});
    const [name = ''] = readdirSync(root);
    expect(name).toMatch(/^small-ours-seed4-[0-9a-f]{8}$/);
    expect(readdirSync(path.join(root, name)).toSorted()).toEqual(['cost.json', 'record.json', 'weights.safetensors']);
  });
});

describe('lockstep reproduce', () => {
  it('writes a table of every seed, with hashes, as Markdown, page and JSON', async () => {
    const out = path.join(folder, 'report');
    const io = new RecordingIo();
    const code = await main(
      ['reproduce', 'tiny6k', '--seeds', '1,2,3', '--workers', '1', '--data', folder, '--out', out],
      io,
    );
    expect([code, io.stderr.text]).toEqual([0, expect.stringContaining('Report: ')]);
    const report = JSON.parse(readFileSync(path.join(out, 'report.json'), 'utf8'));
    const hashes: string[] = report.claims[0].seeds.map(({ parametersSha256 }: never) => parametersSha256);
    expect(new Set(hashes).size).toBe(3);
    for (const file of ['report.md', 'report.html']) {
      const text = readFileSync(path.join(out, file), 'utf8');
      for (const hash of hashes) expect(text).toContain(hash);
    }
    expect(io.stdout.text).toMatch(/tiny6k \(ours\): median \d/);
    const picture = readFileSync(path.join(out, 'curves-tiny6k-ours.svg'), 'utf8');
    expect(picture.match(/<circle /g)?.length).toBeGreaterThanOrEqual(4 * 10);
    expect(readFileSync(path.join(out, 'report.md'), 'utf8')).toContain('](curves-tiny6k-ours.svg)');
  });

  it('cases: work 25: says what is done when Ctrl-C comes, and ends with 130', async () => {
    const io = new RecordingIo();
    const out = path.join(folder, 'interrupted');
    const asked = main(['reproduce', 'tiny6k', '--seeds', '1,2', '--workers', '1', '--data', folder, '--out', out], io);
    while (io.interrupt() === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await asked).toBe(130);
    expect(io.stderr.lines.at(-1)).toBe(
      `Interrupted: 0 of 2 runs done, their records in ${out}; the same command goes on from here.`,
    );
  });

  it('refuses a model without a claim before anything is written', async () => {
    const io = new RecordingIo();
    expect(await main(['reproduce', 'lenet', '--out', path.join(folder, 'none')], io)).toBe(2);
    expect(io.stderr.text).toMatch(/LOCKSTEP_REPRODUCE_CLAIM: .*"lenet"\. Did you mean lenet5\?/);
    expect(readdirSync(folder)).not.toContain('none');
  });
});

describe('the first steps of each claim', () => {
  it.each(selectClaims([], undefined).map((claim) => [`${claim.model} (${claim.recipe})`, claim] as const))(
    'of %s have the recorded hash on the embedded sample',
    async (_, claim) => {
      const result = await checkQuickly(claim, 1, { dataset: await loadEmbedded(), workers: 2 }, readPromises());
      expect(result.verdict).toBe('same');
    },
    60_000,
  );
});
