/** As waits.test.ts, with every case of a row. */
import { it } from 'vitest';
import { playRow, plays, readTable } from './waits.ts';

it.each(readTable().filter(({ name }) => name in plays))('waits in every way: $name', (row) => playRow(row, true));
