/** The rows of a table as images for a model. */
import { type DataNotes, openTable, reportData, withNotes } from '@lockstep/core/data';
import { guessed } from '@lockstep/core/events';
import type { ModelSpec } from '@lockstep/core/spec';
import { FITTED_BY, tellNotes } from '../api/data.js';
import type { DataForm } from '../fields/data-fields.js';
import type { Io } from '../terminal/io.js';
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
  const { dataset: read, changes } = await openTable(path, model.input, notes, form);
  const told = changes.length === 0 ? [] : [guessed(`the images were ${changes.join('; ')}`, FITTED_BY)];
  const dataset = withNotes(read, told);
  tellNotes(dataset, io);
  const { channels, height, width, test, white } = dataset;
  const bytes = channels * height * width;
  const asked = Array.from({ length: test.count }, (_, index) => {
    const pixels = test.images.subarray(index * bytes, (index + 1) * bytes);
    return { name: path, row: index + 1, image: { channels, height, width, pixels }, changes };
  });
  // its labels are not read, and no image is trained on
  const report = { ...reportData(dataset), train: 0, testFrom: 'all of its rows', classes: [] };
  return { asked, white, bad: [], report };
}
