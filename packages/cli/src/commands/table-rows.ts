/** The rows of a table as images for a model. */
import { type DataNotes, openTable } from '@lockstep/core/data';
import type { ModelSpec } from '@lockstep/core/spec';
import { textOf } from '@lockstep/core/text';
import type { DataForm } from '../settings/data-fields.js';
import { type Io, tellNote } from '../terminal/io.js';
import type { Asked } from './image-arguments.js';

interface Reader {
  readonly model: ModelSpec;
  readonly notes: DataNotes;
  readonly form: DataForm;
}

/**
 * Reads all of them, and tells what was passed over and what was done to them.
 *
 * @throws LockstepError as core's `openTable`
 */
export async function readTableRows(path: string, { model, notes, form }: Reader, io: Io): Promise<Asked> {
  const { dataset, changes } = await openTable(path, model.input, notes, form);
  for (const note of dataset.notes ?? []) tellNote(io, textOf(note));
  if (changes.length > 0) {
    tellNote(
      io,
      `the images were ${changes.join('; ')} (--white and --ground say otherwise how the model reads pixels)`,
    );
  }
  const { channels, height, width, test, white } = dataset;
  const bytes = channels * height * width;
  const asked = Array.from({ length: test.count }, (_, index) => {
    const pixels = test.images.subarray(index * bytes, (index + 1) * bytes);
    return { name: path, row: index + 1, image: { channels, height, width, pixels }, changes };
  });
  return { asked, white, bad: [] };
}
