/** Who waits for whom, row by row of the table in docs/exchange.md. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { playRow, plays, readTable } from './waits.ts';

const ROOT = new URL('../../', import.meta.url);
const rows = readTable();

it('every row of the table of waits is played here, or tested elsewhere by its name', () => {
  const listTests = (folder: string): string[] =>
    readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts'))
      .map((file) => `${folder}${file}`);
  const files = [
    'test/',
    ...['core', 'worker', 'coordinator', 'schedules'].map((name) => `packages/${name}/src/`),
  ].flatMap(listTests);
  const named = files.flatMap((file) => [
    ...readFileSync(new URL(file, ROOT), 'utf8').matchAll(/'waits: ([a-z ]+): /g),
  ]);
  const tested = [...Object.keys(plays), ...named.map(([, name]) => name as string)];
  expect(rows.map(({ name }) => name).sort()).toEqual(tested.sort());
});

it.each(rows.filter(({ name }) => name in plays))('waits: $name: at most $limitMs ms', (row) => playRow(row, false));
