import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
