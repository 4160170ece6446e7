/** A progress bar for a download that another program makes: it watches the bytes that appear in folders. */
import { statSync } from 'node:fs';
import { listFiles } from './stale.mjs';

const REDRAW_MS = 200;
const CELLS = 30;

/** `fetching tensorflow-cpu 2.15.1  42%|████████      |  88/207 MB`. */
export function formatDownload(label, bytes, totalBytes) {
  const share = Math.min(1, bytes / totalBytes);
  const filled = Math.round(share * CELLS);
  const megabytes = (count) => Math.round(count / 1e6);
  const bar = '█'.repeat(filled) + ' '.repeat(CELLS - filled);
  return `${label} ${String(Math.floor(100 * share)).padStart(3)}%|${bar}| ${megabytes(bytes)}/${megabytes(totalBytes)} MB`;
}

/** Shows a bar on a terminal while `step` runs; elsewhere only runs it. */
export async function showDownload({ label, folders, totalBytes }, step, stream = process.stderr) {
  if (!stream.isTTY) return await step();
  const draw = () => stream.write(`\r${formatDownload(label, sizeOf(folders), totalBytes)}`);
  const timer = setInterval(draw, REDRAW_MS);
  try {
    return await step();
  } finally {
    clearInterval(timer);
    stream.write('\r\x1b[K');
  }
}

/** Files come and go while they are counted. */
function sizeOf(folders) {
  try {
    const files = folders.flatMap((folder) => listFiles(folder));
    return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
  } catch {
    return 0;
  }
}
