import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EpochEvent } from '@lockstep/core/events';
import { inferLayers } from '@lockstep/core/model';
import { planContribution } from '@lockstep/core/run';
import { parseModelSpec, recipeSchema } from '@lockstep/core/spec';
import { type Checkpoint, checkpointName, isWhole, listCheckpoints } from '@lockstep/core/state';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Checkpoints } from './checkpoints.js';
import { HeldFolder } from './held-folder.js';

const model = parseModelSpec({
  name: 'flat',
  input: { channels: 1, height: 2, width: 2 },
  classes: 2,
  layers: [{ type: 'flatten' }, { type: 'linear', outFeatures: 2 }],
});
const recipe = recipeSchema.parse({ optimizer: { type: 'sgd' } });
const { length } = planContribution(inferLayers(model));

function makeCheckpoint(step: number): Checkpoint {
  const dataset = { source: 'none', checksum: 'none', trainSamples: 1, validationSamples: 0 };
  const info = { step, seed: 1, model, recipe, dataset, epochs: [], epochSeconds: 0 };
  return {
    info,
    snapshot: { step, state: new Float32Array(length).fill(step), slots: [], results: new Float32Array() },
  };
}

/** Write the next one, or damage the one so many places from the newest. */
const actions = fc.array(fc.oneof(fc.constant('write' as const), fc.nat(4)), { maxLength: 14 });

it('cases: work 10: the newest --keep whole ones are there after each write, whichever were damaged', async () => {
  await fc.assert(
    fc.asyncProperty(actions, fc.integer({ min: 1, max: 4 }), async (todo, keep) => {
      const folder = mkdtempSync(join(tmpdir(), 'lockstep-keep-'));
      const options = { run: 'flat', resume: undefined, onWarning: () => {} };
      const held = await HeldFolder.take(folder, options);
      try {
        const checkpoints = new Checkpoints({ folder, keep }, held, 1, undefined);
        let step = 0;
        let whole: number[] = [];
        for (const action of todo) {
          if (action !== 'write') {
            const damaged = listCheckpoints(folder).at(-1 - action);
            if (damaged === undefined) continue;
            truncateSync(join(folder, checkpointName(damaged), 'tensors.safetensors'), 10);
            whole = whole.filter((other) => other !== damaged);
            continue;
          }
          step += 1;
          checkpoints.write(makeCheckpoint(step), () => {});
          whole = [...whole, step].slice(-keep);
          expect(listCheckpoints(folder).filter((other) => isWhole(join(folder, checkpointName(other))))).toEqual(
            whole,
          );
        }
      } finally {
        held.release();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 20 },
  );
});

it('cases: peers 5: a run that goes back sets apart what it wrote since, and has kept the best as of there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lockstep-back-'));
  const held = await HeldFolder.take(folder, { run: 'flat', resume: undefined, onWarning: () => {} });
  const epochs: EpochEvent[] = [0.5, 0.4, 0.6, 0.7].map(
    (testAccuracy, index) => ({ event: 'epoch', epoch: index + 1, testAccuracy }) as EpochEvent,
  );
  const readBest = (): unknown => JSON.parse(readFileSync(join(folder, 'best.json'), 'utf8')).checkpoint;
  try {
    const checkpoints = new Checkpoints({ folder, keep: 1, best: 'testAccuracy' }, held, 1, undefined);
    const write = (step: number): void => {
      const { info, snapshot } = makeCheckpoint(step);
      checkpoints.write({ info: { ...info, epochs: epochs.slice(0, step) }, snapshot }, () => {}, [0, 2]);
    };
    for (const step of [1, 2, 3, 4]) write(step);
    // the newest, and the best of the first two epochs
    expect(listCheckpoints(folder)).toEqual([1, 4]);
    const warnings: string[] = [];
    checkpoints.takeBack(2, epochs.slice(0, 2), ({ code }) => void warnings.push(code));
    expect(warnings).toEqual(['LOCKSTEP_CHECKPOINT_DOUBTED']);
    expect(listCheckpoints(folder)).toEqual([1]);
    expect(listCheckpoints(join(folder, 'branch-1'))).toEqual([4]);
    expect(existsSync(join(folder, 'branch-1', 'best.json'))).toBe(true);
    expect(readBest()).toBe(checkpointName(1));
    write(3);
    expect(readBest()).toBe(checkpointName(3));
    expect(existsSync(join(folder, 'branch-2'))).toBe(false);
  } finally {
    held.release();
    rmSync(folder, { recursive: true });
  }
});
