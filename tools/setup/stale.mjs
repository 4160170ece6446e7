/** What decides whether a step has to run again: fingerprints of its inputs, and stamps written after its success. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Every file under `folder` (and its folders) whose name `accept` takes, sorted. A missing folder has none. */
export function listFiles(folder, accept = () => true) {
  if (!existsSync(folder)) return [];
  const found = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) found.push(...listFiles(file, accept));
    else if (accept(entry.name)) found.push(file);
  }
  return found.sort();
}

/** Size and modification time of a file: changes when the file is written. `missing` when there is none. */
export function statKey(file) {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.size}:${stat.mtimeNs}` : 'missing';
}

/** A cheap fingerprint of files: names, sizes and times, no contents. */
export function fingerprint(files) {
  return hashText(files.map((file) => `${file}\t${statKey(file)}`).join('\n'));
}

/** SHA-256 of a text or of bytes, in hex. */
export function hashText(text) {
  return createHash('sha256').update(text).digest('hex');
}

/** SHA-256 over the base names and contents of files, in hex. */
export function hashFiles(files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`${path.basename(file)}\t${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/** A stamp's contents; an empty object when it is missing, damaged or of another form, which makes its step stale. */
export function readStamp(file) {
  try {
    return Object(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}

/** Writes a stamp whole or not at all. Call it last: it claims that the step succeeded. */
export function writeStamp(file, stamp) {
  mkdirSync(path.dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, `${JSON.stringify(stamp, null, 2)}\n`);
  renameSync(temporary, file);
}
