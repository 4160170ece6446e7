#!/usr/bin/env bash
# papaparse 5.7.1 takes the mark of UTF-8 (U+FEFF) off a string, but not off a stream of Node, where it hides the quote of
# the first cell: "0" comes with its quotes. csv-parse 6.1.0 with `bom: true` reads both. Exits non-zero if either changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund papaparse@5.7.1 csv-parse@6.1.0
cat >try.mjs <<'JS'
import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import Papa from 'papaparse';

const text = '\ufeff"0","1"\n"2","3"\n';
const fromStream = await new Promise((resolve, reject) => {
  Papa.parse(Readable.from([text]), { complete: ({ data }) => resolve(data), error: reject });
});
const first = {
  'papaparse, a string': Papa.parse(text).data[0][0],
  'papaparse, a stream': fromStream[0][0],
  'csv-parse': parse(text, { bom: true })[0][0],
};
for (const [reader, cell] of Object.entries(first)) console.log(`${reader}: the first cell is ${JSON.stringify(cell)}`);
const { 'papaparse, a string': whole, 'papaparse, a stream': streamed, 'csv-parse': other } = first;
process.exit(whole === '0' && other === '0' && streamed !== '0' ? 0 : 1);
JS
node try.mjs
