/** A node's own copy of a run's data. */
import { createDataset, type Dataset, holdOutValidation, openDataset } from '@lockstep/core/data';
import type { DatasetHeader } from '@lockstep/core/wire';

/**
 * Reads a copy as the coordinator has read its own: in the form that the header says, with as many images held out.
 *
 * @param tell takes a line where it is not the same data
 * @returns undefined then
 * @throws LockstepError as core's `openDataset`
 */
export async function readOwnCopy(
  path: string,
  header: DatasetHeader,
  tell: (text: string) => void,
): Promise<Dataset | undefined> {
  const { name, source, channels, height, width, classes, mean, std, counts, form } = header;
  const said = { resize: { height, width }, channels: channels === 3 ? 3 : 1, ...form };
  const loaded = await openDataset(path, said);
  const heldOut = loaded.validation.count === 0 ? holdOutValidation(loaded, counts.validation) : loaded;
  const { checksum: _, ...parts } = heldOut;
  const dataset = createDataset({ ...parts, name, source, channels, classes, mean, std });
  if (dataset.checksum === header.checksum) return dataset;
  const [own, theirs] = [dataset, header].map(({ checksum }) => `${checksum.slice(0, 12)}...`);
  tell(`${path} is not the data of the run (SHA-256 ${own}, the run has ${theirs}): that comes from the coordinator`);
  return undefined;
}
