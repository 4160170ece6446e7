import { expect, it } from 'vitest';
import { formatTable } from './text-table.js';

it('aligns columns to their widest cell, without spaces at the end', () => {
  expect(
    formatTable(
      [
        ['Model', 'Size', 'Claim'],
        ['a', '10,000', 'x'],
        ['longer name', '1', ''],
      ],
      'lrl',
    ),
  ).toEqual(['Model          Size  Claim', 'a            10,000  x', 'longer name       1']);
});
