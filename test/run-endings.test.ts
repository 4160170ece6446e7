import { describe, expect, it } from 'vitest';
import { readRows, tryWay, ways } from './run-endings.js';

describe.skipIf(process.platform === 'win32')('how a run can end, by docs/checkpoints.md', () => {
  const rows = readRows();

  it('cases: work "What it must show" 2: has a way to try for each row, and a row for each', () => {
    expect(rows.map(({ what }) => what)).toEqual(Object.keys(ways));
  });

  for (const row of rows.filter(({ what }) => ways[what]?.isFast)) {
    const missing = ways[row.what]?.missing;
    it.skipIf(missing)(`cases: work 1 to 4: ${row.what}${missing ? ` (${missing})` : ''}`, async () => {
      expect(await tryWay(row.what)).toEqual(row);
    });
  }
});
