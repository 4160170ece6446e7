/** The calm run: one process, nobody else. What every schedule has to end in. */
import { coordinate } from '../machines/coordinator.js';
import { EPOCHS, type RecipeName, runs, STEPS_PER_EPOCH } from '../machines/run.js';
import { SimulatedNetwork } from '../network/simulated-network.js';
import { Draws } from '../world/draws.js';
import { Machine } from '../world/machine.js';
import { inWorld } from '../world/timers.js';

/** [steps that are committed] the hash of the state. */
export type CalmHashes = ReadonlyMap<number, string>;

const known = new Map<RecipeName, Promise<CalmHashes>>();

export function findCalm(recipe: RecipeName): Promise<CalmHashes> {
  const found = known.get(recipe) ?? runCalm(recipe);
  known.set(recipe, found);
  return found;
}

async function runCalm(recipe: RecipeName): Promise<CalmHashes> {
  const hashes = new Map<number, string>();
  await inWorld(0, async (world) => {
    const machine = new Machine('coordinator', '10.0.0.1');
    let isOver = false;
    const alone = { topology: 'star', waitFor: 0, expected: 0, endingMs: 0, isComputing: true, audit: 0 } as const;
    const act = (): void =>
      void coordinate(machine, new SimulatedNetwork(world, new Draws(0, 1)), {
        run: runs[recipe],
        ...alone,
        pace: () => 1,
        from: undefined,
        segmentSteps: STEPS_PER_EPOCH,
        onSnapshot: () => {},
        onCommit: (steps, hash) => hashes.set(steps, hash),
        onEvent: () => {},
        onResult: () => {},
        onClosing: () => {},
      }).then(() => (isOver = true));
    world.after(0, machine, act);
    await world.pass(() => isOver, 1e6);
  });
  if (hashes.size !== EPOCHS * STEPS_PER_EPOCH)
    throw new Error(`the calm run ended after ${hashes.size} of ${EPOCHS * STEPS_PER_EPOCH}`);
  return hashes;
}
