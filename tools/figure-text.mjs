/** Numbers and tables of Markdown, as the documents have them. */

export const rate = (value) => Math.round(value).toLocaleString('en-US');
export const percent = (fraction) => `${(100 * fraction).toFixed(0)}%`;
export const exact = (fraction) => `${Number((100 * fraction).toFixed(2))}%`;
export const seconds = (value) => value.toFixed(value < 100 ? 2 : 0);
export const spread = ({ median, min, max }) => `${rate(median)} (${rate(min)}-${rate(max)})`;
export const countOf = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Columns that start with * are text, the others numbers. */
export function formatTable(headings, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = line(headings.map((heading) => (heading.startsWith('*') ? '---' : '---:')));
  return [line(headings.map((heading) => heading.replace(/^\*/, ''))), rule, ...rows.map(line)].join('\n');
}
