/** What is known of the data that weights were trained on: what they carry, what the flags say, else an assumption. */
import { assumeData, chooseNotes, type DataNotes, describePixels, type PixelChoice } from '@lockstep/core/data';
import type { Tell } from '@lockstep/core/formats';
import type { ModelSpec } from '@lockstep/core/spec';
import { readDataNotes } from './weights-file.js';

export interface ModelNotes {
  /** How the model reads pixels, and the names of its classes. */
  readonly notes: DataNotes;
  /** What the weights file carries; undefined for one of another program. */
  readonly carried: DataNotes | undefined;
}

/**
 * The notes of a model, the same for every command: flags go before the file, and data like MNIST is assumed of a file
 * without notes.
 *
 * @param tell takes a line about what was taken, where the file alone does not say it
 * @throws LockstepError as `readDataNotes`; LOCKSTEP_DATA_PIXELS
 */
export function readModelNotes(weights: string, model: ModelSpec, choice: PixelChoice, tell: Tell): ModelNotes {
  const carried = readDataNotes(weights, model);
  const notes = chooseNotes(carried ?? assumeData(model), choice);
  if (carried === undefined) {
    tell(
      `${weights} does not say how its images were normalized; taken: ${describePixels(notes)} ` +
        '(as for MNIST, where --mean, --std, --ground and --white do not say otherwise)',
    );
  } else if (Object.keys(choice).length > 0) {
    tell(`pixels are read as the flags say: ${describePixels(notes)}; ${weights} says: ${describePixels(carried)}`);
  }
  return { notes, carried };
}
