/** All that reads files which may come from others: a whole file of each kind, and how it is read. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { casesOf } from './case-readers.mjs';
import { DATA_READERS } from './data-readers.mjs';
import { PICTURE_READERS } from './picture-readers.mjs';
import { TEXT_READERS } from './text-readers.mjs';
import { WEIGHT_READERS } from './weight-readers.mjs';

/**
 * By their names for people. `open` takes a folder for the files and one with a run in it, and gives the files, which of them
 * is damaged, how it is packed after that (`seal`), and how it is read.
 */
export const READERS = {
  ...DATA_READERS,
  ...PICTURE_READERS,
  ...WEIGHT_READERS,
  ...TEXT_READERS,
  ...casesOf(path.resolve(import.meta.dirname, '../../../shared/cases')),
};

/** Named as `READERS` has them, each in a folder of its own. @param sample of a run, as the test has made it */
export async function openReaders(folder, names, sample) {
  const opened = [];
  for (const [name, { open }] of Object.entries(READERS)) {
    if (names !== undefined && !names.includes(name)) continue;
    const own = path.join(folder, name.replaceAll(' ', '-'));
    const { files, damaged, seal, read } = await open(own, sample);
    for (const [file, content] of Object.entries(files)) {
      mkdirSync(path.dirname(path.join(own, file)), { recursive: true });
      writeFileSync(path.join(own, file), content);
    }
    // what is sealed is damaged within its seal
    const reader = { name, file: path.join(own, damaged), bytes: Buffer.from(files[damaged]), seal, read };
    writeFileSync(reader.file, seal?.(reader.bytes) ?? reader.bytes);
    opened.push(reader);
  }
  return opened;
}
