/**
 * `node tools/readme-figures.mjs REPORT.json...` puts measured tables into README.md, docs/benchmarks.md, docs/scale.md and docs/reproduction.md, between
 * `<!-- figures: NAME -->` and `<!-- /figures -->`. Reports are what these print:
 *
 *   npm run -s bench -- --json > speed.json              (also: bench kernels MODEL, sync, memory, cluster ...)
 *   npm run -s bench -- --engines native,tensorflow --workers 1,2 --json > engines.json
 *   npm run -s lockstep -- simulate --json > scale.json
 *   python tools/peers/compare.py --json peers.json
 *   npm run -s lockstep -- reproduce                       (runs/reproduce/report.json)
 *   npm run -s lockstep -- speedrun --json > speedrun.json
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatReport, nameOf, placeTables } from './figures.mjs';

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const DOCUMENTS = [
  'README.md',
  ...['benchmarks', 'scale', 'reproduction'].map((name) => path.join('docs', `${name}.md`)),
];

/** Returns whether every report found a place. */
function refresh(files) {
  const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')));
  const tables = Object.fromEntries(reports.map((report) => [nameOf(report), formatReport(report)]));
  const missing = new Set(Object.keys(tables));
  for (const name of DOCUMENTS) {
    const file = path.join(ROOT, name);
    if (!existsSync(file)) continue;
    const { text, placed } = placeTables(readFileSync(file, 'utf8'), tables);
    if (placed.length === 0) continue;
    writeFileSync(file, text);
    console.log(`${name}: ${placed.join(', ')}`);
    for (const table of placed) missing.delete(table);
  }
  for (const name of missing) console.error(`no document has a place for "${name}": <!-- figures: ${name} -->`);
  return missing.size === 0;
}

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node tools/readme-figures.mjs REPORT.json...');
  process.exitCode = 2;
} else {
  process.exitCode = refresh(files) ? 0 : 1;
}
