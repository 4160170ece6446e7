import { describe, expect, it } from 'vitest';
import { readRows, tryWay, type Way, ways } from './run-endings.js';

describe.skipIf(process.platform === 'win32')('how a run can end, by docs/checkpoints.md', () => {
  const rows = readRows();

  it('cases: work "What it must show" 2: has a way to try for each row, and a row for each', () => {
    expect(rows.map(({ what }) => what)).toEqual(Object.keys(ways));
  });

  for (const row of rows.filter(({ what }) => ways[what]?.isFast)) {
    const { row: name, missing } = ways[row.what] as Way;
    it.skipIf(missing)(`cases: ${name}: ${row.what}${missing ? ` (${missing})` : ''}`, async () => {
      expect(await tryWay(row.what)).toEqual(row);
    });
  }
});
