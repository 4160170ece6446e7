/** Rows of text in aligned columns. */
import { plainText } from '@lockstep/core/text';

/**
 * Lines of a table with two spaces between columns, no spaces at the end.
 *
 * @param alignments one letter per column: l or r
 */
export function formatTable(cells: readonly (readonly string[])[], alignments: string): string[] {
  // names that others gave: a cell is in one line, and as wide as it looks
  const rows = cells.map((row) => row.map(plainText));
  const widths = [...alignments].map((_, column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return alignments[column] === 'r' ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
