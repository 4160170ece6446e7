/** A report on data as lines for a terminal. */
import type { DataReport } from '@lockstep/core/events';
import { listDataFacts, tabulateClasses } from '@lockstep/core/text';
import { formatTable } from './text-table.js';

/** Facts by name, then a table of the classes. */
export function formatDataReport(report: DataReport): string[] {
  const { headings, rows } = tabulateClasses(report);
  const facts = listDataFacts(report).map(([name, value]) => [`${name}:`, value]);
  return [...formatTable(facts, 'll'), '', ...formatTable([headings, ...rows], `l${'r'.repeat(headings.length - 1)}`)];
}
